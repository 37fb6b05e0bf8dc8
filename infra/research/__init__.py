"""Recorded candles as people look at them: archives, their history in the store, and tables about their quality."""
