"""The clients that the first run of a function with work to do makes, without any call: what imports leave for later.

No alert is told, so no topic client is made. Addresses are the deployed ones, because TLS is set up with the client.
"""

from __future__ import annotations

from typing import Any

from shared.clock import current_clock
from shared.queues import queues_client
from shared.storage.tables import DecisionItem, Item, LedgerItem, MarketDataItem, bind, connection

SPOT, FUTURES = "https://api.kraken.com", "https://futures.kraken.com"


def ingest_clients() -> list[Any]:
    from shared.venue import KrakenSpot

    spot = KrakenSpot(clock=current_clock(), base_url=SPOT)
    return [*_tables(LedgerItem, MarketDataItem), spot, queues_client()]


def score_clients() -> list[Any]:
    from shared.venue import KrakenFuturesMarket

    futures = KrakenFuturesMarket(base_url=FUTURES)
    return [*_tables(LedgerItem, MarketDataItem, DecisionItem), futures, queues_client()]


def _tables(*models: type[Item]) -> list[Any]:
    return [connection(bind(model, f"bench-{model.__name__}")).connection.client for model in models]
