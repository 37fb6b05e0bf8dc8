"""Turns signals into positions: risk gate, write-ahead plan, stop first, then the entry."""
