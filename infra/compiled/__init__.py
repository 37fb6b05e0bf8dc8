"""The detector compiled by mypyc, for backtests: made by `make compile`, used silently while it is current."""
