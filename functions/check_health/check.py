"""Gathers what is stored and what the venue answers, and judges it. Nothing comes from this process's memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from functions.check_health.failing import failing_functions
from functions.check_health.health import Health, Status, is_naked, shown_position, unknown_intents
from shared.storage.control import ControlStore, RunRecord
from shared.storage.ledger import Ledger
from trading.errors import CorruptRecord, InvalidInput, VenueUnavailable
from trading.model.control import Control, KillLevel
from trading.model.positions import Position
from trading.model.times import from_text, to_text
from trading.model.venue import Quote
from trading.ports import FuturesMarket

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PERIODS = {
    "discover_markets": 4 * HOUR,
    "ingest_candles": MINUTE,
    "score_setups": MINUTE,
    "execute_signals": MINUTE,
    "manage_exits": MINUTE,
    "reconcile_positions": MINUTE,
    "maintain_records": HOUR,
}
PERIODS_ALLOWED = 2
GUARDS = ("manage_exits", "reconcile_positions")
CANDLE_AGE = timedelta(minutes=30)
DECISION_AGE = timedelta(hours=2)
CLOCK_SKEW = timedelta(seconds=2)

Finding = tuple[Status, str]


class SecretPresence(Protocol):
    def has_value(self, secret_id: str) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the Ledger table says. Four strong reads a run, writes included five requests."""

    control: Control
    runs: dict[str, RunRecord]
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`stored` or `quotes` are None when store or venue did not answer; the problem says how."""

    now: datetime
    stored: Stored | None
    store_problem: str
    quotes: dict[str, Quote] | None
    venue_problem: str
    secrets: dict[str, bool | None]


def check(
    control: ControlStore, ledger: Ledger, market: FuturesMarket, secrets: dict[str, bool | None], now: datetime
) -> Health:
    stored, store_problem = _stored(control, ledger, now)
    quotes, venue_problem = _quotes(market)
    facts = Facts(
        now=now,
        stored=stored,
        store_problem=store_problem,
        quotes=quotes,
        venue_problem=venue_problem,
        secrets=secrets,
    )
    return judge(facts)


def known_secrets(reader: SecretPresence, *, trading: str, webhooks: str) -> dict[str, bool | None]:
    """Which secrets have a value; None when Secrets Manager does not say."""
    return {name: _present(reader, secret) for name, secret in (("trading", trading), ("webhooks", webhooks))}


def judge(facts: Facts) -> Health:
    """Pure: the same facts always give the same record."""
    stored = facts.stored
    failing = failing_functions(stored.runs) if stored else ()
    findings = [*_world_findings(facts), *_stored_findings(facts)]
    findings += [(Status.DEGRADED, each.reason) for each in failing]
    positions = stored.positions if stored else ()
    return Health(
        at=facts.now,
        status=max((status for status, _ in findings), key=list(Status).index, default=Status.OK),
        reasons=tuple(reason for _, reason in findings),
        unconfirmed=tuple(each.reason for each in failing if not each.lasts),
        failing_since={each.function: to_text(each.since) for each in failing},
        kill_level=stored.control.level if stored else None,
        kill_reason=stored.control.reason if stored else None,
        positions=tuple(shown_position(each, (facts.quotes or {}).get(each.contract)) for each in positions),
        last_runs={name: to_text(run.at) for name, run in stored.runs.items()} if stored else {},
        newest_candle_age_seconds=_seconds(_watermark_age(facts, "ingest_candles")),
        newest_decision_age_seconds_max=_seconds(_watermark_age(facts, "score_setups")),
        unknown_intents=sum(map(unknown_intents, positions)),
        naked_positions=sum(map(is_naked, positions)),
        dlq_messages=None,
        equity=_reported(stored, "equity"),
        day_loss_pct=_reported(stored, "day_loss_pct"),
        store_reachable=stored is not None,
        venue_reachable=facts.quotes is not None,
        clock_skew_seconds=_seconds(_skew(facts)),
        secrets=facts.secrets,
    )


def _stored(control: ControlStore, ledger: Ledger, now: datetime) -> tuple[Stored | None, str]:
    try:
        found = Stored(control=control.control(now), runs=control.last_runs(), positions=ledger.open_positions())
    except (PynamoDBException, BotoCoreError, ClientError, CorruptRecord) as error:
        return None, f"{type(error).__name__}: {error}"[:200]
    return found, ""


def _quotes(market: FuturesMarket) -> tuple[dict[str, Quote] | None, str]:
    """All tickers: one public request that proves the venue reachable, dates its clock and prices the positions."""
    try:
        return market.quotes(), ""
    except VenueUnavailable as error:
        return None, str(error)[:200]


def _present(reader: SecretPresence, secret_id: str) -> bool | None:
    try:
        return reader.has_value(secret_id)
    except (BotoCoreError, ClientError):
        return None


def _world_findings(facts: Facts) -> Iterator[Finding]:
    if facts.stored is None:
        yield Status.DOWN, f"store does not answer ({facts.store_problem})"
    if facts.quotes is None:
        yield Status.DOWN, f"venue does not answer ({facts.venue_problem})"
    skew = _skew(facts)
    if skew is not None and abs(skew) > CLOCK_SKEW:
        yield Status.DEGRADED, f"clocks differ: the venue is {skew.total_seconds():+.1f} s from ours"
    if facts.secrets.get("trading") is False:
        yield Status.DEGRADED, "the trading key's secret has no value: nothing can be traded"
    if None in facts.secrets.values():
        yield Status.DEGRADED, "Secrets Manager does not answer"


def _stored_findings(facts: Facts) -> Iterator[Finding]:
    stored = facts.stored
    if stored is None:
        return
    if stored.control.level > KillLevel.NORMAL:
        yield Status.DEGRADED, f"kill level K{stored.control.level}: {stored.control.reason}"
    for position in stored.positions:
        if is_naked(position):
            yield Status.DEGRADED, f"{position.instrument} stands without a stop"
    if unknown := sum(map(unknown_intents, stored.positions)):
        yield Status.DEGRADED, f"the fate of {unknown} orders is unknown"
    for function, period in PERIODS.items():
        if why := _late(function, period, stored, facts.now):
            guarding = function in GUARDS and any(each.quantity > 0 for each in stored.positions)
            yield (Status.DOWN if guarding else Status.DEGRADED), why
    yield from _data_findings(facts)


def _data_findings(facts: Facts) -> Iterator[Finding]:
    for function, what, limit in (
        ("ingest_candles", "candle", CANDLE_AGE),
        ("score_setups", "decision", DECISION_AGE),
    ):
        age = _watermark_age(facts, function)
        if age is not None and age > limit:
            yield Status.DEGRADED, f"newest {what} is {_said(age)} old; expected at most {_said(limit)}"


def _late(function: str, period: timedelta, stored: Stored, now: datetime) -> str | None:
    """Why this function counts as late, None when it does not.

    Older than two periods is not enough. The local stack compresses quiet time: every function then runs once per
    step of 15 minutes, and this one may run before the others of the same step. So a function must also have missed
    its turn since our own last run, which is a stored fact too. On AWS, where we run every minute, that adds nothing.
    """
    own, run = stored.runs.get("check_health"), stored.runs.get(function)
    if own is None:
        return None
    if run is None:
        return f"{function} has never run"
    if now - run.at <= PERIODS_ALLOWED * period or own.at - run.at < period:
        return None
    return f"{function} last ran {_said(now - run.at)} ago; expected every {_said(period)}"


def _watermark_age(facts: Facts, function: str) -> timedelta | None:
    run = facts.stored.runs.get(function) if facts.stored else None
    text = run.proof.get("watermark") if run else None
    if not isinstance(text, str):
        return None
    try:
        return facts.now - from_text(text)
    except InvalidInput:
        return None


def _skew(facts: Facts) -> timedelta | None:
    """How far the venue's clock is ahead of ours; the time the answer took is part of it."""
    return max(quote.at for quote in facts.quotes.values()) - facts.now if facts.quotes else None


def _reported(stored: Stored | None, name: str) -> str | None:
    """A figure that the newest reconcile run wrote into its proof; None when it did not come to know it."""
    run = stored.runs.get("reconcile_positions") if stored else None
    value = run.proof.get(name) if run else None
    return None if value in (None, "") else str(value)


def _seconds(age: timedelta | None) -> float | None:
    return None if age is None else age.total_seconds()


def _said(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
