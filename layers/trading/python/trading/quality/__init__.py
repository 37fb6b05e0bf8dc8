"""Whether a coin's candles may be decided on: what is wrong with them, and how trust is lost and won back."""
