"""Once after each midnight of UTC: yesterday's account log against our books. What does not add up is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from shared.storage.control import ControlStore
from shared.storage.day_proofs import DayProofStore
from shared.storage.ledger import Ledger
from trading.errors import TradingError
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.positions import Position, Trade
from trading.ports import Venue
from trading.reconciliation.day_proof import DayBooks, DayProof, prove_day

LOG_SETTLES_IN = timedelta(minutes=10)
"""After midnight: the account log shows its rows late."""
WAITED_FOR = timedelta(hours=6)
"""How long a row may be missing before its day is told as unproven."""
CLOCKS_MAY_DIFFER = timedelta(minutes=1)
FAILURES = (TradingError, PynamoDBException, BotoCoreError, ClientError)
SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBooks:
    """`venue()` opens the account: asked only when a day is due, so that the key is read once a day."""

    ledger: Ledger
    proofs: DayProofStore
    venue: Callable[[], Venue]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """`proof` for the run proof: yesterday's, as it is stored, or why there is none yet."""

    proof: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def alert(self, now: datetime) -> Alert | None:
        if not self.problems:
            return None
        return Alert(
            kind=AlertKind.DISCREPANCY,
            severity=Severity.CRITICAL,
            subject=f"day proof {self.proof['day']}",
            title=f"The books of {self.proof['day']} do not add up",
            text="\n".join(self.problems[:SHOWN]),
            at=now,
            fields=tuple((name, str(self.proof[name])) for name in ("fees", "funding", "transfers", "unexplained")),
        )


def prove_yesterday(books: AccountBooks | None, control: ControlStore, since: datetime, now: datetime) -> DayReport:
    """Prove yesterday once. Not answered or not complete: the next run tries again. `since`: when we began."""
    midnight = datetime.combine(now.date(), time(), UTC)
    day = (midnight - timedelta(days=1)).date()
    if books is None:
        return DayReport(proof={"status": "the account is not asked"})
    if since >= midnight or now < midnight + LOG_SETTLES_IN:
        return DayReport(proof={"day": day.isoformat(), "status": "not due"})
    try:
        if (stored := books.proofs.of(day)) is not None:
            return _told(stored)
        return _kept(books, prove_day(_read(books, control, day)), last_try=now >= midnight + WAITED_FOR)
    except FAILURES as error:
        return DayReport(proof={"day": day.isoformat(), "status": f"waits: {error}"[:300]})


def _kept(books: AccountBooks, proof: DayProof, *, last_try: bool) -> DayReport:
    if proof.waiting and not last_try:
        return DayReport(proof={"day": proof.day.isoformat(), "status": f"waits: {proof.waiting[0]}"})
    shown = {name: _plain(value) for name, value in asdict(proof).items()}
    shown["status"] = "proven" if proof.proven else "does not add up"
    books.proofs.add(proof.day, shown)
    return _told(shown)


def _told(shown: dict[str, Any]) -> DayReport:
    """Told by every run of the day, not only by the one that proved it: that one may have died before it told."""
    return DayReport(proof=shown, problems=(*shown["faults"], *shown["waiting"]))


def _plain(value: Any) -> Any:
    if isinstance(value, date | Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _read(books: AccountBooks, control: ControlStore, day: date) -> DayBooks:
    begins = datetime.combine(day, time(), UTC)
    records, trades = _records(books.ledger, begins)
    venue, known = books.venue(), control.risk_day()
    equity = known.last_equity if known is not None and not known.unreadable else venue.account().equity
    since = min((each.planned_at for each in records), default=begins) - CLOCKS_MAY_DIFFER
    return DayBooks(
        day=day,
        rows=venue.ledger_rows(min(since, begins)),
        records=records,
        trades=trades,
        fills=venue.fills(begins - CLOCKS_MAY_DIFFER),
        equity=Decimal(equity),
    )


def _records(ledger: Ledger, begins: datetime) -> tuple[tuple[Position, ...], tuple[Trade, ...]]:
    """Positions that were open at some time of the day, and all trades of their months."""
    months = sorted({f"{begins:%Y-%m}", f"{begins - timedelta(days=begins.day):%Y-%m}"})
    closed = [each for each in ledger.closed_positions(months) if any(fill.at >= begins for fill in each.fills)]
    return (*ledger.open_positions(), *closed), ledger.trades(months)
