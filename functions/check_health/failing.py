"""Failures that a trading function put on record although its run came to an end: shown at once, told if they last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.storage.control import HEALTH_FUNCTION, RunRecord
from trading.errors import InvalidInput
from trading.model.times import from_text

REPORTING = ("execute_signals", "manage_exits", "reconcile_positions")
FAILING_FOR = timedelta(minutes=2)
"""Between the first and the newest failing run before anybody is told: a hiccup that the next run gets over is none
of a person's business, three runs in a row are."""
SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A function whose newest run, the one of `at`, reports failures. `since` is the first such run in a row."""

    function: str
    since: datetime
    at: datetime
    first: str
    others: int

    @property
    def lasts(self) -> bool:
        return self.at - self.since >= FAILING_FOR

    @property
    def reason(self) -> str:
        others = f" (and {self.others} more)" if self.others else ""
        return f"{self.function} reports failures since {self.since:%Y-%m-%d %H:%M} UTC: {self.first}{others}"


def failing_functions(runs: Mapping[str, RunRecord]) -> tuple[Failing, ...]:
    """By the newest run records. Since when is known from the health record before this one, so that it costs no
    request and outlives this process."""
    return tuple(_failing(runs))


def _failing(runs: Mapping[str, RunRecord]) -> Iterator[Failing]:
    for function in REPORTING:
        run = runs.get(function)
        failures = run.proof.get("failures") if run else None
        if run is None or not isinstance(failures, list) or not failures:
            continue
        first = " ".join(str(failures[0]).split())[:SHOWN_CHARACTERS]
        since = _known_since(runs, function) or run.at
        yield Failing(function=function, since=since, at=run.at, first=first, others=len(failures) - 1)


def _known_since(runs: Mapping[str, RunRecord], function: str) -> datetime | None:
    own = runs.get(HEALTH_FUNCTION)
    known = own.proof.get("failing_since") if own else None
    text = known.get(function) if isinstance(known, dict) else None
    try:
        return from_text(text) if isinstance(text, str) else None
    except InvalidInput:
        return None
