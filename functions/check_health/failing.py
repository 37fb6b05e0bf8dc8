"""What goes wrong although a run comes to its end: shown at once, told to people only if it lasts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.check_health.facts import Facts, skew
from functions.check_health.health import Finding, Status
from shared.storage.control import HEALTH_FUNCTION, RunRecord
from trading.errors import InvalidInput
from trading.model.times import from_text

REPORTING = ("execute_signals", "maintain_records", "manage_exits", "reconcile_positions")
FORWARDING = "forward_alerts"
FAILING_FOR = timedelta(minutes=2)
"""Between the first and the newest failing run before anybody is told: a hiccup that the next run gets over is none
of a person's business, three runs in a row are."""
VENUE_SILENT_FOR = timedelta(seconds=30)
"""One request that failed is none of a person's business either; but the next minute's is, and a run that was handed
out twice is not the next minute's."""
CLOCK_SKEW = timedelta(seconds=2)
SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """Something whose newest run, the one of `at`, failed. `since` is the first such run in a row.

    `function`: the function that put failures on record, or what our own run could not read or found wrong.
    """

    function: str
    since: datetime
    at: datetime
    reason: str
    status: Status = Status.DEGRADED
    tell_after: timedelta = FAILING_FOR

    @property
    def finding(self) -> Finding:
        told = self.at - self.since >= self.tell_after
        return Finding(status=self.status, cause=self.function, reason=self.reason, told=told)


def failures_of(facts: Facts) -> tuple[Failing, ...]:
    """Everything that may be gone with the next run."""
    runs = facts.stored.runs if facts.stored else {}
    unread = unread_parts(runs, facts.look.problems, facts.now)
    return (*failing_functions(runs), *unread, *_unreadable_runs(runs, facts.now), *_failing_venue(runs, facts))


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


def _unreadable_runs(runs: Mapping[str, RunRecord], now: datetime) -> Iterator[Failing]:
    """A function's next run writes its record anew."""
    for function, run in runs.items():
        if run.unreadable:
            name = f"{function} record"
            why = f"the run record of {function} cannot be read: {run.unreadable[:SHOWN_CHARACTERS]}"
            yield Failing(function=name, since=_known_since(runs, name) or now, at=now, reason=why)


def _failing_venue(runs: Mapping[str, RunRecord], facts: Facts) -> Iterator[Failing]:
    apart = skew(facts)
    if facts.quotes is None:
        yield Failing(
            function="venue",
            since=_known_since(runs, "venue") or facts.now,
            at=facts.now,
            reason=f"venue does not answer ({facts.venue_problem})",
            status=Status.DOWN,
            tell_after=VENUE_SILENT_FOR,
        )
    elif apart is not None and abs(apart) > CLOCK_SKEW:
        why = f"clocks differ: the venue is {apart.total_seconds():+.1f} s from ours"
        since = _known_since(runs, "clocks") or facts.now
        yield Failing(function="clocks", since=since, at=facts.now, reason=why)


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
