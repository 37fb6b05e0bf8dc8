"""Composition of the venue's adapters, once per process and address."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from shared.clock import SystemClock
from trading.ports import Clock

if TYPE_CHECKING:
    from shared.venue import KrakenFuturesMarket, KrakenRestVenue, KrakenSpot
    from shared.venue.last_line import EntryCaps


@lru_cache(maxsize=4)
def spot_of(url: str, clock: Clock) -> KrakenSpot:
    from shared.venue import KrakenSpot

    return KrakenSpot(clock=clock, base_url=url)


@lru_cache(maxsize=4)
def futures_of(url: str) -> KrakenFuturesMarket:
    """Public derivatives data, without a key."""
    from shared.venue import KrakenFuturesMarket

    return KrakenFuturesMarket(base_url=url)


@lru_cache(maxsize=4)
def account_of(
    url: str, key: str, secret: str, caps: EntryCaps | None = None, clock: Clock | None = None
) -> KrakenRestVenue:
    """The trading account; a changed key or cap gives a new client. Without caps it can open nothing."""
    from shared.venue import KrakenRestVenue
    from shared.venue.last_line import LastLine

    last_line = LastLine(caps=caps, clock=clock or SystemClock())
    return KrakenRestVenue(key=key, secret=secret, base_url=url, last_line=last_line)
