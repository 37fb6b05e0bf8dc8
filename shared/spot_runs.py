"""The spot market for one run, with as many turns as the venue's limit leaves it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.clock import current_clock, current_wait
from shared.pacing import PairPacer, SharedPacer, spacing_s, starts
from shared.patient_spot import PatientSpot, Retry
from shared.storage.call_budget import CallBudget
from trading.ports import SpotMarket
from trading.rules import IngestRules

CALLS_PER_COIN = 2
"""Most coins need one call; retries and coins that are new need more. What is reserved too many is given back."""

PASSES = 6
"""A run with one budget for all pairs asks for its turns in so many passes: a coin whose bar was late is asked again in
the next, and a run that dies leaves no more than one pass of reserved time behind."""
LEAD_SHARE = 1 / 60
"""Of a pass, before its first turn: the run reads what is stored, and a turn that has passed meanwhile is lost."""


def pass_s(rules: IngestRules) -> float:
    """Seconds of one pass, or of the whole run where pairs have budgets of their own."""
    return rules.run_s_per_ip / PASSES if rules.limit_per_ip else rules.run_s


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotRuns:
    """Makes the patient spot market of each run, for all functions that read candles. `spot` serves several threads."""

    spot: SpotMarket
    ledger_table: str
    rules: IngestRules
    budget: CallBudget = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "budget", CallBudget(self.ledger_table))

    @contextmanager
    def begin(self, coins: int) -> Iterator[SpotMarket]:
        """The spot market for a run that wants bars of so many coins; its turns end with the pass."""
        rules, clock, wait = self.rules, time.monotonic, current_wait()
        retry, spacing = Retry(rules.attempts, rules.retry_pause_s), spacing_s(rules.calls_per_second)
        if not rules.limit_per_ip:
            deadline = clock() + rules.run_s
            pacer = PairPacer(spacing, clock, wait, deadline=deadline)
            yield PatientSpot(self.spot, pacer, retry, wait, deadline=deadline)
            return
        # The time is read here, not at the start of the run: late slots could meet those of the next run.
        slots = self._reserve(coins * CALLS_PER_COIN, timedelta(seconds=spacing)) if coins else ()
        times = starts(slots, current_clock().now(), clock)
        wait(max(0.0, min(times, default=0.0) - self._lead_s - clock()))
        shared = SharedPacer(times, clock, wait)
        try:
            yield PatientSpot(self.spot, shared, retry, wait, deadline=clock() + pass_s(rules))
        finally:
            # A thread that is still waiting for an answer gets no turn any more once they are given back.
            unused = shared.close()
            if unused < len(slots):
                self.budget.give_back(slots[unused])

    @property
    def _lead_s(self) -> float:
        return pass_s(self.rules) * LEAD_SHARE

    def _reserve(self, count: int, spacing: timedelta) -> tuple[datetime, ...]:
        now = current_clock().now() + timedelta(seconds=self._lead_s)
        return self.budget.reserve(now, count, spacing, now + timedelta(seconds=pass_s(self.rules)))
