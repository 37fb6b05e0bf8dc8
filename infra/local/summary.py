"""`summary.json` of a run: the names are stable, see the page on outputs. Same seed, same text, timings apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from infra.local.checks import Evidence, violations
from infra.local.schedule import FLAT_STEP, LIVE_STEP
from infra.local.stack import StackParameters
from trading.model.decisions import Outcome
from trading.model.positions import Position, Trade
from trading.model.times import to_text

PLACES = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Everything the summary is made of. Timings cover all runners of the run."""

    parameters: StackParameters
    evidence: Evidence
    wall_seconds: float
    cpu_seconds: float


def summarise(ending: Ending) -> dict[str, Any]:
    """The whole document (it is written with sorted keys)."""
    evidence = ending.evidence
    return {
        **_period(ending),
        **_funnel(evidence),
        **_money(evidence),
        **_operation(evidence),
        "seconds_without_stop_max": float(evidence.venue.seconds_without_stop_max),
        "discrepancies_end": len(evidence.books.differences),
        "violations": violations(evidence),
        "wall_seconds": round(ending.wall_seconds, 1),
        "cpu_seconds": round(ending.cpu_seconds, 1),
    }


def money(value: Decimal) -> str:
    """Decimal text in USD without an exponent and without idle zeros."""
    text = format(value.quantize(PLACES), "f").rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def trade_row(trade: Trade) -> dict[str, Any]:
    return {
        "id": trade.id,
        "instrument": trade.instrument,
        "side": trade.side,
        "regime": trade.regime,
        "setup": trade.setup,
        "opened_at": to_text(trade.opened_at),
        "closed_at": to_text(trade.closed_at),
        "quantity": str(trade.quantity),
        "entry": money(trade.entry),
        "exit": money(trade.exit),
        "r_multiple": round(float(trade.r_multiple), 6),
        "gross_pnl": money(trade.gross),
        "net_pnl": money(trade.net),
        "fees": money(trade.fees),
        "funding": money(trade.funding),
        "exit_reason": trade.exit_reason,
    }


def _period(ending: Ending) -> dict[str, Any]:
    records = ending.evidence.records
    return {
        "source": ending.evidence.venue.kind,
        "seed": ending.parameters.seed,
        "coins": len(records.universe),
        "instruments": [each.id for each in records.universe.instruments],
        "from": to_text(records.start),
        "to": to_text(records.end),
        "decision_bars": len(records.bars),
    }


def _funnel(evidence: Evidence) -> dict[str, Any]:
    records = evidence.records
    rules = evidence.progress.tally.rules
    evaluated, fired = rules.merged(records.decisions).document()
    limits_evaluated, limits_refused = rules.limits()
    return {
        "decisions": len(records.decisions),
        "decisions_by_outcome": _counts(each.outcome for each in records.decisions),
        "gates_failed": _counts(each.failed_gate for each in records.decisions if each.failed_gate),
        "signals": sum(each.outcome is Outcome.SIGNAL for each in records.decisions),
        "stages_by_outcome": _counts(each.outcome for each in records.stages),
        "orders_sent": sum(intent.sent_at is not None for each in records.positions for intent in each.intents),
        "entries": sum(bool(each.entered) for each in records.positions),
        "fills": sum(len(each.fills) for each in records.positions),
        "trades": [trade_row(each) for each in records.trades],
        "open_positions": sum(bool(each.quantity) for each in records.held),
        "positions": [_held_row(each) for each in records.held],
        "rules_evaluated": evaluated,
        "rules_fired": fired,
        "limits_evaluated": limits_evaluated,
        "limits_refused": limits_refused,
        "exits": rules.exits(),
    }


def _money(evidence: Evidence) -> dict[str, Any]:
    return {
        "equity_start": money(evidence.progress.equity_start),
        "equity_end": money(evidence.books.ours),
        "venue_equity_end": money(evidence.books.venue),
        "fees": money(evidence.books.fees),
        "funding": money(evidence.books.funding),
    }


def _operation(evidence: Evidence) -> dict[str, Any]:
    progress = evidence.progress
    return {
        "alerts_published": progress.tally.alerts,
        "alerts_delivered": {name: evidence.posts[name] for name in ("slack", "discord")},
        "runs": dict(progress.tally.runs),
        "handler_errors": progress.tally.errors,
        "schedule_compression": {
            "flat_step_seconds": int(FLAT_STEP.total_seconds()),
            "live_step_seconds": int(LIVE_STEP.total_seconds()),
            "minutes_fired": progress.minutes_fired,
            "minutes_skipped": progress.minutes_skipped,
        },
    }


def _held_row(position: Position) -> dict[str, Any]:
    return {
        "id": position.id,
        "instrument": position.instrument,
        "side": position.side,
        "state": position.state,
        "quantity": str(position.quantity),
        "stop": str(position.stop),
        "planned_at": to_text(position.planned_at),
    }


def _counts(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(str(each) for each in values))
