"""The venue in memory with quotes that a test can bend: an index apart from its mark, a halted contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.fakes.cloud import Cloud
from tests.fakes.records import NOW, RULES, coin
from tests.fakes.venue import VenueInMemory
from tests.integration.trading.world import World, new_world
from trading.model.instruments import Instrument
from trading.model.units import Price
from trading.model.venue import Quote
from trading.rules import Rules


class BentVenue(VenueInMemory):
    """Orders and positions follow the matching core; only what the tickers say is changed, by coin."""

    def __init__(self, instruments: Sequence[Instrument], start: datetime) -> None:
        super().__init__(instruments, start)
        self.bent: dict[str, dict[str, Any]] = {}

    def quotes(self) -> dict[str, Quote]:
        by_contract = {contract: self.bent.get(each.id, {}) for contract, each in self.instruments.items()}
        return {contract: replace(quote, **by_contract[contract]) for contract, quote in super().quotes().items()}

    def bend(self, name: str, **changes: Any) -> None:
        """Replace these fields of the coin's ticker from now on; nothing given straightens it again."""
        self.bent[name] = changes

    def tear(self, name: str, percent: str) -> None:
        """Put the index so that the mark of now is this many percent above it (below, when negative)."""
        contract = next(each.contract for each in self.instruments.values() if each.id == name)
        mark = super().quotes()[contract].mark
        self.bend(name, index=Price(mark * 100 / (100 + Decimal(percent))))


def bent_world(cloud: Cloud, names: Sequence[str] = ("COIN",), rules: Rules = RULES) -> tuple[World, BentVenue]:
    world = new_world(cloud, names, rules)
    venue = BentVenue(tuple(map(coin, names)), NOW)
    world.venue = venue
    return world, venue
