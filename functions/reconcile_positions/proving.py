"""Once after each midnight of UTC: yesterday's account log against our books. Done here because the key is here."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from functions.reconcile_positions.report import ReconcileReport
from shared.failures import FAILURES
from shared.guard.look import CLOCKS_MAY_DIFFER
from shared.storage.day_proofs import DayProofStore
from shared.trading_desk import TradingDesk
from trading.model.positions import Position, Trade
from trading.model.times import from_text
from trading.reconciliation.day_proof import DayBooks, DayProof, prove_day

ASKED_FROM, ASKED_UNTIL = 10, 25
"""Minutes of the hour in which a day that is not proven yet is tried: no run of another minute reads anything for it.
The account log shows its rows late, so nothing is asked in the first minutes after midnight."""
ASKED_EVERY = timedelta(minutes=50)
WAITED_FOR = timedelta(hours=6)
"""How long a row may be missing before its day is kept as one that does not add up."""


def prove_yesterday(desk: TradingDesk, report: ReconcileReport) -> None:
    """After everything that protects. Not answered or not complete: tried again in the next hour."""
    if not ASKED_FROM <= desk.now.minute < ASKED_UNTIL:
        return
    midnight = datetime.combine(desk.now.date(), time(), UTC)
    day, proofs = (midnight - timedelta(days=1)).date(), DayProofStore()
    try:
        if not _began_before(desk, midnight) or proofs.of(day) is not None:
            return
        if not desk.control.tell_once(f"ask for the books of {day}", desk.now, ASKED_EVERY):
            return
        proof = prove_day(_read(desk, day))
        if proof.waiting and desk.now < midnight + WAITED_FOR:
            report.failures.append(f"books of {day}: {proof.waiting[0]}")
            return
        proofs.add(day, _shown(proof))
    except FAILURES as error:
        report.failures.append(f"books of {day}: {error}")


def _began_before(desk: TradingDesk, midnight: datetime) -> bool:
    """A day in which there was no system yet is nobody's to prove."""
    last = desk.control.last_run("maintain_records")
    began = last.proof.get("covers_from") if last else None
    return isinstance(began, str) and from_text(began) < midnight


def _shown(proof: DayProof) -> dict[str, Any]:
    shown = {name: _plain(value) for name, value in asdict(proof).items()}
    return shown | {"status": "proven" if proof.proven else "does not add up"}


def _plain(value: Any) -> Any:
    if isinstance(value, date | Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _read(desk: TradingDesk, day: date) -> DayBooks:
    begins = datetime.combine(day, time(), UTC)
    records, trades = _records(desk, begins)
    known = desk.control.risk_day()
    equity = known.last_equity if known is not None and not known.unreadable else desk.venue.account().equity
    # Rows from before the day are asked for to book ours again; one that is not ours may be held for months.
    since = min((each.planned_at for each in records if not each.adopted), default=begins) - CLOCKS_MAY_DIFFER
    return DayBooks(
        day=day,
        rows=desk.venue.ledger_rows(min(since, begins)),
        records=records,
        trades=trades,
        fills=desk.venue.fills(begins - CLOCKS_MAY_DIFFER),
        equity=Decimal(equity),
    )


def _records(desk: TradingDesk, begins: datetime) -> tuple[tuple[Position, ...], tuple[Trade, ...]]:
    """Positions that were open at some time of the day, and all trades of their months."""
    months = sorted({f"{begins:%Y-%m}", f"{begins - timedelta(days=begins.day):%Y-%m}"})
    closed = [each for each in desk.ledger.closed_positions(months) if any(fill.at >= begins for fill in each.fills)]
    return (*desk.ledger.readable_positions()[0], *closed), desk.ledger.trades(months)
