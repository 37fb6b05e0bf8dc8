"""Decides every coin of the universe at each closed decision bar."""
