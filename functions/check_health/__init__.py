"""Writes one record that says whether the system is well, and why not."""
