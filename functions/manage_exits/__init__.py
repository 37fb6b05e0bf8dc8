"""Looks at every open position every minute and moves its stop or closes it."""
