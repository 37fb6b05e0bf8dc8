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
        """The spot market for a run that wants bars of so many coins; its turns end with the run."""
        rules, clock, wait = self.rules, time.monotonic, current_wait()
        retry, spacing = Retry(rules.attempts, rules.retry_pause_s), spacing_s(rules.calls_per_second)
        if not rules.limit_per_ip:
            deadline = clock() + rules.run_s
            pacer = PairPacer(spacing, clock, wait, deadline=deadline)
            yield PatientSpot(self.spot, pacer, retry, wait, deadline=deadline)
            return
        # The time is read here, not at the start of the run: late slots could meet those of the next run.
        slots = self._reserve(coins * CALLS_PER_COIN, timedelta(seconds=spacing)) if coins else ()
        shared = SharedPacer(starts(slots, current_clock().now(), clock), clock, wait)
        try:
            yield PatientSpot(self.spot, shared, retry, wait, deadline=clock() + rules.run_s_per_ip)
        finally:
            # A thread that is still waiting for an answer gets no turn any more once they are given back.
            unused = shared.close()
            if unused < len(slots):
                self.budget.give_back(slots[unused])

    def _reserve(self, count: int, spacing: timedelta) -> tuple[datetime, ...]:
        now = current_clock().now()
        return self.budget.reserve(now, count, spacing, now + timedelta(seconds=self.rules.run_s_per_ip))
