"""Fetches closed 15m bars, derives the higher timeframes, stores them."""
