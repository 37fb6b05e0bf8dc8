"""S31 and S32: how invocations end, and what people are told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from shared.alerts import LEASE, WINDOWS
from tests.simulation.invariants.seen import Place, at_ms, seen_in
from tests.simulation.judge import Invariant
from tests.simulation.kernel import Process
from tests.simulation.options import MINUTE_MS
from tests.simulation.workload import Workload
from tests.simulation.world import SimulatedWorld
from trading.errors import IllegalTransition, TradingError
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.control import RiskDay
from trading.model.positions import Position, PositionState

RETRY = (TradingError, PynamoDBException, BotoCoreError, ClientError)
KILLED = ("killed", "timeout")
DEFECTS = ("cannot go from", "has no stop intent", "has no entry intent", "is booked without an entry fill")
"""What a life cycle or an assertion says, where a handler keeps it as the failure of one position."""

MUTED_MS = int(LEASE.total_seconds() * 1000) + MINUTE_MS
"""After a run that died while it told: its claim ends, and the next run tells."""

ASKS_FOR_ALERTS_MS = int(WINDOWS[Severity.CRITICAL].total_seconds() * 1000) + MINUTE_MS


class EndsAsKnown(Invariant):
    """S31: an invocation returns, is killed, or raises what means "try again"; no assertion and no unlisted edge."""

    name = "S31"

    def ended(self, process: Process) -> Iterator[str]:
        self.examined += 1
        failure, name = process.failure, process.invocation.name
        if failure is None:
            yield from self._answer(process)
        elif type(failure) is TimeoutError and str(failure) in KILLED:
            return
        elif isinstance(failure, IllegalTransition) or not isinstance(failure, RETRY):
            yield f"{name} ended with {type(failure).__name__}: {failure}"

    def _answer(self, process: Process) -> Iterator[str]:
        answer = process.answer
        failures = answer.get("failures", ()) if isinstance(answer, dict) else ()
        told = [*failures, answer.get("error", "")] if isinstance(answer, dict) else ["no answer at all"]
        for failure in told:
            if not isinstance(answer, dict) or any(each in failure for each in DEFECTS):
                yield f"{process.invocation.name} met a defect: {failure}"


class PeopleAreTold(Invariant):
    """S32: what is critical is told by the invocation that sees it, and once in its window.

    An invocation that was hindered need not have told; a window that could not be read or written, or a topic whose
    answer was lost, excuses a repetition, and either one the silence of the claim that it left behind.
    """

    name = "S32"

    def __init__(self, world: SimulatedWorld, workload: Workload) -> None:
        super().__init__(world, workload)
        self.seen = seen_in(world)
        self._told, self._writes, self._controls = Place(), Place(), Place()
        self._last: dict[tuple[AlertKind, Severity, str], datetime] = {}
        self._faults = Place()
        self._window_faults: list[int] = []
        self._topic_faults: list[int] = []

    def ended(self, process: Process) -> Iterator[str]:
        self._read_faults()
        now = self.world.kernel.now_ms
        for alert in self._told.new(self.world.tables.told):
            self.examined += 1
            yield from self._repeated(alert, now)
        if process.failure is None and not process.faults:
            for kind, subject in self._critical(process):
                self.examined += 1
                if not self._was_told(kind, subject, now):
                    yield f"{process.invocation.name} saw {kind} of {subject} and nobody was told"

    def _read_faults(self) -> None:
        for fault in self._faults.new(self.world.tape.faults):
            if fault.kind.startswith("store.control.tell_once"):
                self._window_faults.append(fault.at_ms)
            if fault.kind.startswith("topic."):
                self._topic_faults.append(fault.at_ms)

    def _repeated(self, alert: Alert, now: int) -> Iterator[str]:
        key = (alert.kind, alert.severity, alert.subject)
        before = self._last.get(key)
        self._last[key] = max(alert.at, before) if before else alert.at
        if before is None or alert.at - before >= WINDOWS[alert.severity] or alert.at < before:
            return
        if self.seen.restores or self._window_unknown(at_ms(before) - MINUTE_MS, now):
            return
        yield f"{alert.kind} of {alert.subject} was told at {before:%H:%M:%S} and again at {alert.at:%H:%M:%S}"

    def _window_unknown(self, start_ms: int, end_ms: int) -> bool:
        outages = [each for each in self.world.faults.windows if each.kind == "store outage"]
        down = any(each.start_ms < end_ms and each.end_ms > start_ms for each in outages)
        return down or any(start_ms <= each <= end_ms for each in (*self._window_faults, *self._topic_faults))

    def _critical(self, process: Process) -> Iterator[tuple[AlertKind, str]]:
        """What this invocation has seen for certain, because it wrote it or because it still stands."""
        for change in self._controls.new(self.seen.controls):
            if change.process is process and change.after is not None:
                yield AlertKind.KILL_LEVEL, f"control {change.after.version}"
        writes = self._writes.new(self.seen.writes)
        if process.invocation.function != "reconcile_positions":
            return
        for write in writes:
            after = write.after
            if not isinstance(after, Position) or write.process is not process:
                continue
            # One that is flat by now, because its stop has just closed it, lacks nothing.
            if after.state is PositionState.UNPROTECTED and after.quantity:
                yield AlertKind.NAKED_POSITION, after.id
        yield from self._standing()

    def _standing(self) -> Iterator[tuple[AlertKind, str]]:
        tables = self.world.tables
        day = tables.risk_day.value if tables.risk_day else None
        if isinstance(day, RiskDay) and day.halted and not day.unreadable and self.world.rules.risk.daily_loss_limit:
            yield AlertKind.DAILY_LOSS, f"{day.day}:{Severity.CRITICAL}"
        if isinstance(day, str):
            yield AlertKind.DISCREPANCY, "unreadable risk day"

    def _was_told(self, kind: AlertKind, subject: str, now: int) -> bool:
        # A run that dies between claiming the window and publishing mutes the next ones until its lease ends.
        disturbed = (*self._topic_faults[-20:], *self._window_faults[-20:])
        if any(each >= now - MUTED_MS for each in disturbed):
            return True
        last = [at for (what, _, about), at in self._last.items() if what is kind and about == subject]
        return any(now - at_ms(each) <= ASKS_FOR_ALERTS_MS + self.world.options.clock_offset_ms for each in last)


OUTCOMES: tuple[type[Invariant], ...] = (EndsAsKnown, PeopleAreTold)
