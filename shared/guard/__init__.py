"""The guard: every record settled with the exchange's truth, a full stop under everything that is held.

The one use case that two functions run (decision 0021): `reconcile_positions` every minute, `manage_exits` when it sees
something without a full stop.
"""
