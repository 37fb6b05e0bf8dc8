"""Tier B: the same day, faults and invariants over the real adapters, stores and decorated handlers."""
