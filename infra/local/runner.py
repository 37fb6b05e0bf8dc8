"""Plays the system: moves the sandbox's time step by step and fires what the template schedules at each step.

The sandbox's time is the only clock; with prices from elsewhere it is the machine's. A step is one minute while any
order or position is live, at the venue or in our ledger; otherwise 15 minutes, ending at a 15m close, and the minute
schedules fire once for the whole step.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TextIO

from infra.local.deliveries import Deliveries
from infra.local.deployments import CREATED, stack_event
from infra.local.invoker import Invoker, Result, StackClock, WallClock
from infra.local.progress import Progress
from infra.local.schedule import due, minutes_between, next_step, slot
from infra.local.stack import LocalStack
from infra.local.template import ACCOUNT, REGION, FunctionSpec
from infra.local.wall_time import WallTime
from shared.clock import install_clock
from shared.runtime import control_of, ledger_of
from shared.storage.ledger import Ledger
from trading.errors import InvalidInput
from trading.model.times import to_text

CONTROL = "control_trading"
OPERATOR = "local-stack"
HOUR = timedelta(hours=1)


class Runner:
    """One runner of one open stack. `begin` once, then `step` until done."""

    def __init__(self, stack: LocalStack, log: TextIO) -> None:
        self.stack = stack
        self.template = stack.template()
        self.sandbox = stack.time()
        self.seconds: dict[str, float] = {}
        state = self.sandbox.state()
        self.clock = WallClock() if isinstance(self.sandbox, WallTime) else StackClock(state.now)
        self._live = True
        self.open_positions = 0
        self.last = state.last
        if stack.resumed:
            self.progress = Progress.load(stack.files.progress)
        else:
            self.progress = Progress(start=state.now, equity_start=state.equity)
        self.invoker = Invoker(self.template, self.clock, log, self.progress.tally)
        self.deliveries = Deliveries(self.template, self.invoker, self.progress.tally)
        install_clock(self.clock, self.clock.wait)
        # What plain loggers and warnings say belongs to the function's log, as on AWS, not to the operator's screen.
        logging.basicConfig(stream=log, level=logging.WARNING)
        logging.captureWarnings(True)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def ledger(self) -> Ledger:
        return ledger_of(self._ledger_table)

    @property
    def _ledger_table(self) -> str:
        return self.template.function(CONTROL).environment["SMC_LEDGER_TABLE"]

    @property
    def next_stop(self) -> datetime:
        """Where the next step ends."""
        return next_step(self.now, self._live)

    def begin(self) -> None:
        """Load the handlers and fire everything once: the first run of a stack, or the first after a restart."""
        self.invoker.load()
        if not self.stack.resumed:
            self._resume_trading()
            self.progress.minutes_fired += 1
        # After a restart: a step that was cut off was not saved, so all of it is due again (functions are
        # level-triggered), and messages may wait.
        self.deliveries.drain()
        self._fire_due()
        self.progress.save(self.stack.files.progress)

    def step(self) -> None:
        """Move to the next step's end and fire what is due there."""
        before = self.now
        with self._timed("sandbox"):
            advanced = self.sandbox.advance(self.next_stop)
        self.clock.move_to(advanced.now)
        self.deliveries.retry_returned()
        self._fire_due()
        with self._timed("runner"):
            # An order of ours has its record in the ledger before it is sent.
            self.open_positions = len(self.ledger.open_positions())
            self._live = advanced.live or self.open_positions > 0
        if self.now == slot(self.now, HOUR):
            self._note_equity()
        self.progress.minutes_fired += 1
        self.progress.minutes_skipped += minutes_between(before, self.now) - 1
        self.progress.save(self.stack.files.progress)

    def control(self, payload: dict[str, Any]) -> Result:
        """Invoke the operator's function as its Lambda would be."""
        result = self.invoker.invoke(CONTROL, payload)
        self.deliveries.drain()
        return result

    def _resume_trading(self) -> None:
        """A fresh ledger has no control record, which stops entries until an operator resumes."""
        result = self.control({"action": "resume", "operator": OPERATOR, "reason": "start of the local stack"})
        if result.error or not result.response["ok"]:
            raise InvalidInput(f"trading could not be resumed: {result.error or result.response['error']}")

    def _fire_due(self) -> None:
        for function in self.template.functions:
            if any(due(period, self.progress.slots.get(function.name), self.now) for period in function.schedules):
                self._fire(function, self.now)

    def _fire(self, function: FunctionSpec, now: datetime) -> None:
        scheduled = max(slot(now, period) for period in function.schedules)
        result = self.invoker.invoke(function.name, self._event(function, scheduled))
        if result.error:
            self.deliveries.failed(function, result.error)
        self.progress.slots[function.name] = scheduled
        self.deliveries.drain()

    def _event(self, function: FunctionSpec, scheduled: datetime) -> Mapping[str, Any]:
        """A new stack says that it is there: whoever listens for that is started by it, and not by the schedule."""
        if CREATED in function.deployments and function.name not in self.progress.slots:
            return stack_event(self.template.names.stack, CREATED, self.progress.start, ACCOUNT, REGION)
        return {"scheduled_time": to_text(scheduled)}

    def _note_equity(self) -> None:
        run = control_of(self._ledger_table).last_run("reconcile_positions")
        if run is not None and run.proof.get("equity"):
            self.progress.equity_points.append((self.now, Decimal(str(run.proof["equity"]))))

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[what] = self.seconds.get(what, 0.0) + time.perf_counter() - started
