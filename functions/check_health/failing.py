"""What goes wrong although a run comes to its end: shown at once, told to people only if it lasts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.storage.control import HEALTH_FUNCTION, RunRecord
from trading.errors import InvalidInput
from trading.model.times import from_text

REPORTING = ("execute_signals", "maintain_records", "manage_exits", "reconcile_positions")
FORWARDING = "forward_alerts"
FAILING_FOR = timedelta(minutes=2)
"""Between the first and the newest failing run before anybody is told: a hiccup that the next run gets over is none
of a person's business, three runs in a row are."""
SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """Something whose newest run, the one of `at`, failed. `since` is the first such run in a row.

    `function`: the function that put failures on record, or the part of our own look that could not be read.
    """

    function: str
    since: datetime
    at: datetime
    reason: str

    @property
    def lasts(self) -> bool:
        return self.at - self.since >= FAILING_FOR


def failing_functions(runs: Mapping[str, RunRecord]) -> tuple[Failing, ...]:
    """By the newest run records. Since when is known from the health record before this one, so that it costs no
    request and outlives this process."""
    return tuple(_failing(runs))


def unread_parts(
    runs: Mapping[str, RunRecord], problems: Iterable[tuple[str, str]], now: datetime
) -> tuple[Failing, ...]:
    """The parts of this run's look that could not be read: their facts are unknown."""
    return tuple(
        Failing(
            function=part,
            since=_known_since(runs, part) or now,
            at=now,
            reason=f"the state of the {part} is unknown: {why}",
        )
        for part, why in problems
    )


def _failing(runs: Mapping[str, RunRecord]) -> Iterator[Failing]:
    for function in REPORTING:
        run = runs.get(function)
        failures = run.proof.get("failures") if run else None
        if run is None or not isinstance(failures, list) or not failures:
            continue
        first = " ".join(str(failures[0]).split())[:SHOWN_CHARACTERS]
        others = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        since = _known_since(runs, function) or run.at
        reason = f"{function} reports failures since {since:%Y-%m-%d %H:%M} UTC: {first}{others}"
        yield Failing(function=function, since=since, at=run.at, reason=reason)
    yield from _failing_delivery(runs)


def _failing_delivery(runs: Mapping[str, RunRecord]) -> Iterator[Failing]:
    """The queue hands an undelivered alert out again within minutes, so the newest run says how it stands now."""
    run = runs.get(FORWARDING)
    count = run.proof.get("failures") if run else None
    if run is not None and isinstance(count, int) and count > 0:
        since = _known_since(runs, FORWARDING) or run.at
        reason = f"{FORWARDING} has not got {count} posts delivered since {since:%Y-%m-%d %H:%M} UTC"
        yield Failing(function=FORWARDING, since=since, at=run.at, reason=reason)


def _known_since(runs: Mapping[str, RunRecord], function: str) -> datetime | None:
    own = runs.get(HEALTH_FUNCTION)
    known = own.proof.get("failing_since") if own else None
    text = known.get(function) if isinstance(known, dict) else None
    try:
        return from_text(text) if isinstance(text, str) else None
    except InvalidInput:
        return None
