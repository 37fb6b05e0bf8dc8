"""L6 - L9: people get what they ask for, everybody runs, and neither a damaged record nor slowness spreads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.simulation.invariants.control import level_of
from tests.simulation.invariants.quiet import QuietRule
from tests.simulation.invariants.seen import at_ms, records
from tests.simulation.judge import Invariant
from tests.simulation.kernel import Process
from tests.simulation.options import MINUTE_MS
from tests.simulation.workload import IDLE_MINUTES, SCHEDULED, Workload
from tests.simulation.world import TIMEOUTS_S, SimulatedWorld
from trading.execution.flattening import REASON
from trading.model.control import KillLevel
from trading.model.orders import Purpose
from trading.model.positions import PositionState

NO_RECORD = "nothing is recorded for "
"""Of one coin, while the venue does not say what it holds."""

UNSEEN = "the venue does not say what is open"


class PeopleGetWhatTheyAsk(QuietRule):
    """L6: what an operator asks for without a hindrance happens: pause, flatten, and a resume of a flat account."""

    name = "L6"

    def ended(self, process: Process) -> Iterator[str]:
        if process.invocation.function != "control_trading" or process.failure is not None or process.faults:
            return
        self.examined += 1
        answer, name = process.answer, process.invocation.name
        action = name.split(" ", 1)[0]
        if not answer.get("ok"):
            yield from self._refused(process, action, str(answer.get("error")))
        elif level_of(self.world.tables.control) < self._promised(action, confirmed=name.endswith("confirmed")):
            level = level_of(self.world.tables.control)
            yield f"{name} was answered with ok and the level is K{level.value}"
        elif action == "close" and name.endswith("confirmed"):
            yield from self._left_open(name, answer)

    def _promised(self, action: str, *, confirmed: bool) -> KillLevel:
        """A first answer of two changes nothing."""
        at_once = {"pause": KillLevel.NO_ENTRIES, "cancel": KillLevel.CANCEL_ENTRIES}
        in_two = {"flatten": KillLevel.FLATTEN, "lock": KillLevel.LOCK}
        return (in_two if confirmed else at_once).get(action, KillLevel.NORMAL)

    def _left_open(self, name: str, answer: dict[str, Any]) -> Iterator[str]:
        """The order for one coin stands in its record from then on, whatever could be sent."""
        for position in records(self.world):
            if answer["scope"] not in (position.instrument, position.contract):
                continue
            stays = position.quantity and position.state is not PositionState.CLOSING
            if stays or (position.entry_open and not position.quantity and position.close_reason != REASON):
                yield f"{name} was answered with ok and {position.instrument} is {position.state} without the order"

    def _refused(self, process: Process, action: str, error: str) -> Iterator[str]:
        held = self.world.tables.positions or self.world.venue.engine.books.positions
        raised = level_of(self.world.tables.control) >= KillLevel.FLATTEN
        overtaken = "token" in error or "meanwhile" in error
        token = overtaken and action in ("flatten", "close", "lock", "resume")
        seen_earlier = self.seen.endings and self.world.kernel.now_ms - self.seen.endings[-1].at_ms < MINUTE_MS
        if token or (action == "resume" and raised and (held or seen_earlier or self._just_flat())):
            return
        if action == "close" and self._has_no_record(error.partition(NO_RECORD)[2].partition(" ")[0]):
            return
        if action == "resume" and raised and UNSEEN in error and self._key_was_revoked():
            return
        yield f"{process.invocation.name} was refused: {error}"

    def _key_was_revoked(self) -> bool:
        """Within the run: nothing then proves that the account is flat."""
        now_ms = self.world.kernel.now_ms
        revoked = (each for each in self.world.faults.windows if each.kind == "key revoked")
        return any(each.start_ms <= now_ms < each.end_ms + MINUTE_MS for each in revoked)

    def _has_no_record(self, coin: str) -> bool:
        """Nothing could carry the order for it out later, so the person is told to ask again, and does."""
        return bool(coin) and all(coin not in (each.instrument, each.contract) for each in records(self.world))

    def _just_flat(self) -> bool:
        """The venue's view may still show what is gone."""
        fills = self.world.venue.engine.books.fills
        return bool(fills) and self.world.kernel.now_ms - at_ms(fills[-1].time) < MINUTE_MS

    def quiet(self) -> Iterator[str]:
        if level_of(self.world.tables.control) < KillLevel.FLATTEN:
            return
        moved = self.moved_lately() | self.damaged()
        for position in records(self.world):
            if position.contract in moved or not self.online(position.contract) or not position.quantity:
                continue
            self.examined += 1
            leaving = [each for each in position.of(Purpose.EXIT) if each.state.may_rest]
            if position.state is not PositionState.CLOSING or not leaving:
                yield f"{position.contract} is {position.state} at K3 with {len(leaving)} exits under way"


class EverybodyRuns(QuietRule):
    """L7: each scheduled function has proven a run lately; idle slots are thinned to one in some minutes."""

    name = "L7"

    def quiet(self) -> Iterator[str]:
        now = self.world.kernel.now_ms
        for function in SCHEDULED:
            self.examined += 1
            run = self.world.tables.runs.get(function)
            if run is None or now - at_ms(run.at) > (IDLE_MINUTES + 3) * MINUTE_MS:
                yield f"the newest run of {function} is of {run.at if run else 'never'}"


class PoisonStaysAlone(QuietRule):
    """L8: one record that cannot be read keeps no other from being protected."""

    name = "L8"

    def quiet(self) -> Iterator[str]:
        if len(records(self.world)) == len(self.world.tables.positions):
            return
        moved = self.moved_lately()
        for position in records(self.world):
            if position.contract in moved or not self.online(position.contract):
                continue
            self.examined += 1
            if position.quantity and position.state is PositionState.UNPROTECTED:
                yield f"{position.contract} stands without a stop while the record of another coin cannot be read"
        run = self.world.tables.runs.get("reconcile_positions")
        since = at_ms(run.at) if run else 0
        self.examined += 1
        if self.world.kernel.now_ms - since > (IDLE_MINUTES + 3) * MINUTE_MS:
            yield f"reconcile last proved a run at {since} ms, with a record that cannot be read"


class QuietRunsAreShort(QuietRule):
    """L9: 95 % of the invocations of the quiet phase end before half of their timeout."""

    name = "L9"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self._long: list[str] = []

    def ended(self, process: Process) -> Iterator[str]:
        quiet_from = self.world.faults.quiet_from_ms
        if process.started_ms >= quiet_from:
            self.examined += 1
            took = self.world.kernel.now_ms - process.started_ms
            if took >= TIMEOUTS_S[process.invocation.function] * 500:
                self._long.append(f"{process.invocation.name} ({took} ms)")
        return iter(())

    def quiet(self) -> Iterator[str]:
        if len(self._long) * 20 > self.examined:
            yield f"{len(self._long)} of {self.examined} quiet runs took half of their timeout: {self._long[0]}"


SERVICE: tuple[type[Invariant], ...] = (PeopleGetWhatTheyAsk, EverybodyRuns, PoisonStaysAlone, QuietRunsAreShort)
