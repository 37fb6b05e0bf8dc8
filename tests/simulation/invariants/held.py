"""HELD: an entry opens; it never closes, turns round or enlarges a position that could be known when it was sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from tests.simulation.invariants.entries import Placed, WatchesOrders
from tests.simulation.workload import Workload
from tests.simulation.world import SimulatedWorld

KNOWN_AFTER = timedelta(seconds=15)
"""Positions are asked for before each send: an answer may be 5 s old here, and its way and the send's take more."""


class NoEntryWhereSomethingIsHeld(WatchesOrders):
    name = "HELD"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self._since: dict[str, datetime] = {}

    def effect(self, what: str) -> Iterable[str]:
        yield from super().effect(what)
        engine = self.world.venue.engine
        self._since = {each: self._since.get(each, engine.now) for each in engine.books.positions}

    def judge(self, placed: Placed) -> Iterator[str]:
        if placed.request.reduce_only or not self.accepted_now(placed):
            return
        self.examined += 1
        since = self._since.get(placed.request.contract)
        if since is not None and placed.at - since > KNOWN_AFTER:
            yield f"an entry was taken in {placed.request.contract}, which has been held for {placed.at - since}"
