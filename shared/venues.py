"""Composition of the venue's adapters, once per process and address."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from trading.ports import Clock

if TYPE_CHECKING:
    from shared.venue import KrakenFuturesMarket, KrakenRestVenue, KrakenSpot


@lru_cache(maxsize=4)
def spot_of(url: str, clock: Clock) -> KrakenSpot:
    from shared.venue import KrakenSpot

    return KrakenSpot(clock=clock, base_url=url)


@lru_cache(maxsize=4)
def futures_of(url: str) -> KrakenFuturesMarket:
    """Public derivatives data, without a key."""
    from shared.venue import KrakenFuturesMarket

    return KrakenFuturesMarket(base_url=url)


@lru_cache(maxsize=2)
def account_of(url: str, key: str, secret: str) -> KrakenRestVenue:
    """The trading account; a changed key gives a new client."""
    from shared.venue import KrakenRestVenue

    return KrakenRestVenue(key=key, secret=secret, base_url=url)
