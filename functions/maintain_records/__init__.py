"""Keeps the records whole: a trace for every coin of the universe and every decision bar."""
