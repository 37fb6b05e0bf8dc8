"""The day before in one message, from stored facts alone: what is not stored is said to be unknown, never 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from functions.maintain_records.day_watch import DayWatch
from shared.storage.day_summaries import DaySummaryStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger
from trading.errors import TradingError
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.decisions import Outcome
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position, Trade
from trading.model.times import to_text
from trading.rules import Rules

UNKNOWN = "unknown"
UNREAD = (TradingError, PynamoDBException, BotoCoreError, ClientError)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPENED_BY = timedelta(minutes=10)
"""After midnight. Later than that the new risk day is not waited for: what is not known is said to be unknown."""
SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStores:
    """`today` and `before`: the risk days as maintenance watched them."""

    ledger: Ledger
    decisions: DecisionStore
    summaries: DaySummaryStore
    rules: Rules
    today: DayWatch | None
    before: DayWatch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySummary:
    """`facts`: what is said, by name, in the order it is shown. `unread`: why something is unknown."""

    day: date
    facts: tuple[tuple[str, str], ...]
    unread: tuple[str, ...]

    def shown(self) -> dict[str, Any]:
        return {"day": self.day.isoformat(), "facts": dict(self.facts), "unread": list(self.unread)}

    def alert(self, now: datetime) -> Alert:
        facts = dict(self.facts)
        missing = f" Unknown: {'; '.join(self.unread)}." if self.unread else ""
        return Alert(
            kind=AlertKind.DAILY_SUMMARY,
            severity=Severity.INFO,
            subject=f"day {self.day}",
            title=f"{self.day}: trades {facts['trades']}, net {facts['net']}",
            text=f"Equity {facts['equity']}. Worst moment: {facts['worst moment']}. Signals to fills: "
            f"{facts['signals to fills']}.{missing}",
            at=now,
            fields=self.facts,
        )


def yesterday_of(now: datetime) -> date:
    return (now.astimezone(UTC) - DAY).date()


def summarise(stores: DayStores, day: date, since: datetime) -> DaySummary:
    """`since`: when the system began; the first day may be a part of one."""
    begins = datetime.combine(day, time(), UTC)
    unread: list[str] = []
    facts: list[tuple[str, str]] = [] if since <= begins else [("from", to_text(since))]
    months = sorted({f"{begins:%Y-%m}", f"{begins - timedelta(days=begins.day):%Y-%m}"})

    def known(name: str, read: Callable[[], Iterable[tuple[str, str]]], *names: str) -> None:
        try:
            facts.extend(list(read()))
        except UNREAD as error:
            unread.append(f"{name} ({type(error).__name__}: {error})"[:200])
            facts.extend((each, UNKNOWN) for each in (names or (name,)))

    trading = ("trades", "net", "fees", "funding")
    known("trades", lambda: _traded(_on(stores.ledger.trades(months), begins)), *trading)
    facts.extend(_equity(stores, day))
    known("signals to fills", lambda: _funnel(stores, begins, months))
    known("decisions", lambda: _decided(stores.decisions, begins))
    known("kill level", lambda: _switched(stores.summaries, day))
    known("open positions", lambda: _open(stores.ledger))
    return DaySummary(day=day, facts=tuple(facts), unread=tuple(unread))


def _on(trades: Iterable[Trade], begins: datetime) -> list[Trade]:
    return [each for each in trades if begins <= each.closed_at < begins + DAY]


def _traded(trades: list[Trade]) -> Iterable[tuple[str, str]]:
    wins = sum(each.net > 0 for each in trades)
    yield "trades", f"{len(trades)} ({wins} won)"
    for name in ("net", "fees", "funding"):
        yield name, f"{_usd(sum((getattr(each, name) for each in trades), Decimal(0)))} USD"


def _usd(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _equity(stores: DayStores, day: date) -> Iterable[tuple[str, str]]:
    """The day's end is the first equity of the day after: nothing is read between the two."""
    watch = next((each for each in (stores.before, stores.today) if each and each.day == day), None)
    after = stores.today if stores.today and stores.today.day == day + DAY else None
    if watch is None:
        yield "equity", UNKNOWN
        yield "worst moment", UNKNOWN
        return
    end = after.start_equity if after else None
    change = f"{_usd(end)} USD ({end - watch.start_equity:+.2f})" if end is not None else UNKNOWN
    yield "equity", f"{_usd(watch.start_equity)} -> {change}"
    yield (
        "worst moment",
        f"{watch.worst_pct:.2f} % below the day's high at {watch.worst_at:%H:%M} UTC, limit "
        f"{stores.rules.risk.daily_loss_pct} %, by {watch.readings} readings",
    )


def _funnel(stores: DayStores, begins: datetime, months: list[str]) -> Iterable[tuple[str, str]]:
    signals = stores.ledger.signals_decided_since(begins, begins + DAY - HOUR)
    held, faults = stores.ledger.readable_positions()
    if faults:
        raise TradingError(faults[0])
    planned = [*held, *stores.ledger.closed_positions(months)]
    entries = [each for each in planned if begins <= each.planned_at < begins + DAY and _sent(each)]
    filled = sum(bool(each.entered) for each in entries)
    yield "signals to fills", f"{len(signals)} signals, {len(entries)} orders, {filled} filled"


def _sent(position: Position) -> bool:
    entry = position.intent(Purpose.ENTRY)
    return entry is not None and entry.state not in (IntentState.PLANNED, IntentState.ABANDONED)


def _decided(decisions: DecisionStore, begins: datetime) -> Iterable[tuple[str, str]]:
    decided: Counter[Outcome] = Counter()
    later: Counter[Outcome] = Counter()
    for hour in range(24):
        of_bar = decisions.outcomes(begins + hour * HOUR)
        decided += of_bar[0]
        later += of_bar[1]
    yield "decisions", f"{decided.total()}{': ' if decided else ''}{_counts(decided)}"
    if later:
        yield "later stages", _counts(later)


def _counts(counted: Counter[Outcome]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.most_common(SHOWN))


def _switched(summaries: DaySummaryStore, day: date) -> Iterable[tuple[str, str]]:
    changes = summaries.switched_on(day)
    told = [f"{each.changed_at:%H:%M} K{each.level.value} by {each.changed_by}" for each in changes[-SHOWN:]]
    yield "kill level", f"changed {len(changes)}x: {', '.join(told)}" if changes else "no change"


def _open(ledger: Ledger) -> Iterable[tuple[str, str]]:
    positions, faults = ledger.readable_positions()
    names = ", ".join(f"{each.instrument} {each.side}" for each in positions[:SHOWN])
    beside = f", {len(faults)} unreadable" if faults else ""
    yield "open positions", f"{len(positions)}{': ' if names else ''}{names}{beside}"


def is_due(since: datetime, now: datetime, today: DayWatch | None) -> bool:
    """A day before the system began is nobody's to summarise, and one whose last equity is still to come waits for it:
    reconcile opens the new risk day in its first run after midnight."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    opened = today is not None and today.day == midnight.date()
    return since < midnight and (opened or now >= midnight + OPENED_BY)
