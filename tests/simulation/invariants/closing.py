"""S17 for one coin: a flatten that leaves the kill level as it is."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulation.invariants.control import FLAT_WITHIN_MS, cannot_be_closed, entry_goes_out
from tests.simulation.invariants.seen import Place, records, seen_in
from tests.simulation.judge import Invariant
from tests.simulation.kernel import Process
from tests.simulation.workload import Workload
from tests.simulation.world import SimulatedWorld
from trading.execution.flattening import to_be_closed
from trading.model.positions import Position, PositionState

CLOSING = PositionState.CLOSING


class OneIsClosed(Invariant):
    """S17 for one coin: what a person closes is gone within N_flat of reachable time, also what an entry that was on
    its way brings later, and no entry of it goes out until its record has ended. What is bought there once it is flat
    and no entry can bring more is another position: its record is of its own."""

    name = "S17one"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._writes = Place()
        self._ordered: set[str] = set()
        self._held: dict[str, int] = {}

    def ended(self, process: Process) -> Iterator[str]:
        """The records that the order now stands in. One that has ended is no longer under it."""
        name, answer = process.invocation.name, process.answer
        if name.startswith("close ") and name.endswith("confirmed") and isinstance(answer, dict) and answer.get("ok"):
            of_scope = [each for each in records(self.world) if each.instrument == answer["scope"]]
            self._ordered |= {each.id for each in of_scope if to_be_closed(each) or each.state is CLOSING}
            self._forget_the_flat()
        return iter(())

    def _forget_the_flat(self) -> None:
        positions = self.world.venue.engine.books.positions
        flat = (each.id for each in records(self.world) if not each.entry_open and each.contract not in positions)
        self._ordered -= set(flat)

    def changed(self) -> Iterator[str]:
        for write in self._writes.new(self.seen.writes):
            if isinstance(write.after, Position) and write.after.id in self._ordered and entry_goes_out(write):
                yield f"an entry of {write.after.contract} went out after a person had it closed"
        self._forget_the_flat()

    def minute(self) -> Iterator[str]:
        now = self.world.kernel.now_ms
        engine, calm = self.world.venue.engine, self.seen.calm.since(now)
        found = {each.contract for each in records(self.world) if each.id in self._ordered}
        self._held = {each: self._held.get(each, now) for each in found & set(engine.books.positions)}
        for contract in self._held:
            self.examined += 1
            if cannot_be_closed(engine, contract):
                self._held[contract] = now
            if now - max(calm, self._held[contract]) > FLAT_WITHIN_MS:
                yield f"{contract} is still held {now - self._held[contract]} ms after a person had it closed"
