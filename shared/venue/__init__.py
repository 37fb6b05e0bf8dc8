"""Kraken behind the ports of `trading.ports`. Nothing of ccxt leaks past this package."""

from __future__ import annotations

from shared.venue.kraken_contracts import KrakenFuturesMarket
from shared.venue.kraken_rest import KrakenRestVenue
from shared.venue.kraken_spot import KrakenSpot

__all__ = ["KrakenFuturesMarket", "KrakenRestVenue", "KrakenSpot"]
