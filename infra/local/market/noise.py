"""Slow deterministic noise: a number that drifts in -1..1, a function of name and time only."""

import hashlib
from datetime import datetime
from functools import lru_cache

KNOT_SECONDS = 4 * 3600


@lru_cache(maxsize=65536)
def _knot(name: str, number: int) -> float:
    digest = hashlib.sha256(f"{name}:{number}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / float(1 << 47) - 1.0


def slow_noise(name: str, at: datetime) -> float:
    """Value at `at`: linear between random values, one every four hours."""
    position = at.timestamp() / KNOT_SECONDS
    number = int(position)
    share = position - number
    return _knot(name, number) * (1 - share) + _knot(name, number + 1) * share
