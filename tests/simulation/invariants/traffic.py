"""S20: how much is planned, sent and cancelled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from tests.simulation.invariants.seen import Place, at_ms, seen_in
from tests.simulation.judge import Invariant
from tests.simulation.options import MINUTE_MS
from tests.simulation.workload import Workload
from tests.simulation.world import SimulatedWorld
from trading.model.positions import Position

CALLS_PER_10_S = 40
"""400 of the venue's own units in ten seconds, ten each for an order or a cancel."""

CANCELS_PER_ORDER_AND_MINUTE = 8


class BoundedTraffic(Invariant):
    """S20: plans a minute, a day and a coin; calls that place or cancel in ten seconds; cancels of one order."""

    name = "S20"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._writes, self._calls = Place(), Place()
        self._planned: list[tuple[int, str]] = []
        self._recent: list[int] = []
        self._cancels: defaultdict[str, list[int]] = defaultdict(list)

    def effect(self, what: str) -> Iterator[str]:
        for write in self._writes.new(self.seen.writes):
            new = write.before is None and isinstance(write.after, Position) and not write.after.adopted
            if new and isinstance(write.after, Position):
                self._planned.append((at_ms(write.after.planned_at), write.after.contract))
                self.examined += 1
                yield from self._too_many_plans(*self._planned[-1])
        for call in self._calls.new(self.seen.calls):
            self.examined += 1
            self._recent = [each for each in self._recent if call.at_ms - each < 10_000] + [call.at_ms]
            if len(self._recent) > CALLS_PER_10_S:
                yield f"{len(self._recent)} orders and cancels in ten seconds; expected at most {CALLS_PER_10_S}"
            if call.name != "place":
                yield from self._too_many_cancels(call.subject, call.at_ms)

    def _too_many_plans(self, now: int, contract: str) -> Iterator[str]:
        risk, day = self.world.rules.risk, int(timedelta(hours=24).total_seconds() * 1000)
        within = [each for each in self._planned if 0 <= now - each[0] < day]
        minute = sum(now - at < MINUTE_MS for at, _ in within)
        same = sum(each == contract for _, each in within)
        for count, most, span in (
            (minute, risk.entries_per_minute, "a minute"),
            (len(within), risk.entries_per_day, "a day"),
            (same, risk.entries_per_coin_day, f"a day in {contract}"),
        ):
            if count > most:
                yield f"{count} entries planned in {span}; expected at most {most}"

    def _too_many_cancels(self, subject: str, now: int) -> Iterator[str]:
        asked = [each for each in self._cancels[subject] if now - each < MINUTE_MS] + [now]
        self._cancels[subject] = asked
        if len(asked) > CANCELS_PER_ORDER_AND_MINUTE:
            yield f"{subject} was cancelled {len(asked)} times in a minute"
