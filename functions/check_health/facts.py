"""What one health run knows, before it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

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
    """What the Ledger table says. Four strong reads a run, writes included five requests."""

    control: Control
    runs: dict[str, RunRecord]
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`stored` or `quotes` are None when store or venue did not answer; the problem says how. `venue_seconds`: how
    long that answer took. `look`: what the newest look at queues, secrets and coins found."""

    now: datetime
    stored: Stored | None
    store_problem: str
    quotes: dict[str, Quote] | None
    venue_problem: str
    venue_seconds: float
    look: Look
    mode: str
    rules: Rules


def skew(facts: Facts) -> timedelta | None:
    """How far the venue's clock is ahead of ours; the time the answer took is part of it."""
    return max(quote.at for quote in facts.quotes.values()) - facts.now if facts.quotes else None


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


def reported(stored: Stored, name: str) -> str | None:
    """A figure that the newest reconcile run wrote into its proof; None when it did not come to know it."""
    run = stored.runs.get("reconcile_positions")
    value = run.proof.get(name) if run else None
    return None if value in (None, "") else str(value)
