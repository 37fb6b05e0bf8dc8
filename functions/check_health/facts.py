"""What one health run knows, before it is judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from functions.check_health.look import Look
from shared.storage.control import RunRecord
from trading.errors import InvalidInput
from trading.model.control import Control
from trading.model.positions import Position
from trading.model.times import from_text
from trading.model.venue import Quote
from trading.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the Ledger table says. Four strong reads a run, writes included five requests.

    `unreadable`: a sentence for each record of an open position that does not decode; `positions` are the others.
    """

    control: Control
    runs: dict[str, RunRecord]
    positions: tuple[Position, ...]
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`stored` or `quotes` are None when store or venue did not answer; the problem says how. `venue_seconds`: how
    long that answer took, from `asked` to `answered` by our clock. `look`: what the newest look at queues, secrets and
    coins found, and what was known before of the parts that it could not read. `emailed`: alerts also go by e-mail."""

    now: datetime
    stored: Stored | None
    store_problem: str
    quotes: dict[str, Quote] | None
    venue_problem: str
    venue_seconds: float
    asked: datetime
    answered: datetime
    look: Look
    mode: str
    emailed: bool
    rules: Rules

    @property
    def seen(self) -> Look:
        """The look without the parts that could not be read: of those nothing is known now."""
        unread: dict[str, Any] = dict.fromkeys(part for part, _ in self.look.problems)
        return replace(self.look, **unread)


def skew(facts: Facts) -> timedelta | None:
    """How far the venue's clock is ahead of ours, zero when its time lies between our question and its answer.

    The start of the run is no measure: the look before the question takes seconds, more in a cold start.
    """
    if not facts.quotes:
        return None
    theirs = max(quote.at for quote in facts.quotes.values())
    return theirs - min(max(theirs, facts.asked), facts.answered)


def watermark_age(facts: Facts, function: str) -> timedelta | None:
    """Age of the newest close that this function is through with; None when it never said one."""
    since = proof_time(facts.stored.runs.get(function) if facts.stored else None, "watermark")
    return None if since is None else facts.now - since


def proof_time(run: RunRecord | None, field: str) -> datetime | None:
    text = run.proof.get(field) if run else None
    try:
        return from_text(text) if isinstance(text, str) else None
    except InvalidInput:
        return None
