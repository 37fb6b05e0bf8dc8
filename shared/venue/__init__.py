"""Kraken behind the ports of `trading.ports`. Nothing of ccxt leaks past this package.

A name is imported when it is first asked for: who only reads candles does not load the bodies of orders.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.venue.kraken_contracts import KrakenFuturesMarket
    from shared.venue.kraken_rest import KrakenRestVenue
    from shared.venue.kraken_spot import KrakenSpot

__all__ = ["KrakenFuturesMarket", "KrakenRestVenue", "KrakenSpot"]

_MODULES = {
    "KrakenFuturesMarket": "shared.venue.kraken_contracts",
    "KrakenRestVenue": "shared.venue.kraken_rest",
    "KrakenSpot": "shared.venue.kraken_spot",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
