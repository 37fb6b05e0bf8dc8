"""Joins spot pairs and perpetual contracts into the universe of coins."""
