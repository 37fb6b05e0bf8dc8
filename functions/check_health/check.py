"""Gathers what is stored and what the venue answers, and judges it. Nothing comes from this process's memory."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from functions.check_health.facts import Facts, Stored, skew, watermark_age
from functions.check_health.failing import failures_of
from functions.check_health.findings import late_findings, state_findings, unforwarded_since
from functions.check_health.health import Finding, Health, Status, is_naked, shown_position, unknown_intents
from functions.check_health.lateness import PERIODS, day_loss, equity
from functions.check_health.look import Look, Places, QueuesLook, look
from shared.failures import VENUE_FAILURES
from shared.progress import INGEST
from shared.storage.control import ControlStore
from shared.storage.ledger import Ledger
from trading.model.times import to_text
from trading.model.venue import Quote
from trading.ports import Clock, FuturesMarket
from trading.rules import Rules

__all__ = ["PERIODS", "Checked", "Facts", "Stored", "check", "judge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one run looks at. `mode`: live or paper; `places` are looked at every few minutes only. `emailed`: alerts
    also go to an e-mail address."""

    control: ControlStore
    ledger: Ledger
    market: FuturesMarket
    places: Places
    clock: Clock
    rules: Rules
    mode: str
    emailed: bool


def check(checked: Checked, now: datetime) -> Health:
    """Four strong reads of the Ledger and one request of the venue; about 14 requests more when a look is due."""
    stored, store_problem = _stored(checked.control, checked.ledger, now)
    found = look(checked.places, stored.runs if stored else None, now)
    started, asked = time.perf_counter(), checked.clock.now()
    quotes, venue_problem = _quotes(checked.market)
    facts = Facts(
        now=now,
        stored=stored,
        store_problem=store_problem,
        quotes=quotes,
        venue_problem=venue_problem,
        venue_seconds=round(time.perf_counter() - started, 3),
        asked=asked,
        answered=checked.clock.now(),
        look=found,
        mode=checked.mode,
        emailed=checked.emailed,
        rules=checked.rules,
    )
    return judge(facts)


def judge(facts: Facts) -> Health:
    """Pure: the same facts always give the same record."""
    failing = failures_of(facts)
    findings = [*late_findings(facts), *state_findings(facts), *(each.finding for each in failing)]
    told = [each for each in findings if each.told]
    unforwarded = unforwarded_since(facts.stored) if facts.stored else None
    return Health(
        at=facts.now,
        status=_worst_of(findings) or Status.OK,
        reasons=tuple(each.reason for each in findings),
        unconfirmed=tuple(each.reason for each in findings if not each.told),
        causes=tuple(sorted({each.cause for each in told})),
        told_status=_worst_of(told),
        failing_since={each.function: to_text(each.since) for each in failing},
        store_reachable=facts.stored is not None,
        venue_reachable=facts.quotes is not None,
        venue_seconds=facts.venue_seconds,
        clock_skew_seconds=_seconds(skew(facts)),
        look=facts.look.to_object(),
        mode=facts.mode,
        day_loss_limit_pct=_loss_limit(facts.rules),
        run_periods_seconds={name: int(period.total_seconds()) for name, period in PERIODS.items()},
        told_at=to_text(unforwarded) if unforwarded else None,
        **_of_store(facts),
        **_of_look(facts),
    )


def _worst_of(findings: Iterable[Finding]) -> Status | None:
    return max((each.status for each in findings), key=list(Status).index, default=None)


def _of_store(facts: Facts) -> dict[str, Any]:
    """What the Ledger says; all of it unknown when it does not answer."""
    stored = facts.stored
    if stored is None:
        names = ("kill_level", "kill_reason", "kill_by", "kill_since", "positions", "unreadable_positions")
        more = ("unknown_intents", "naked_positions", "newest_candle_age_seconds", "equity", "day_loss_pct")
        return {**dict.fromkeys((*names, *more)), "last_runs": {}}
    return {
        "kill_level": stored.control.level,
        "kill_reason": stored.control.reason,
        "kill_by": stored.control.changed_by,
        "kill_since": to_text(stored.control.changed_at),
        "positions": tuple(shown_position(each, (facts.quotes or {}).get(each.contract)) for each in stored.positions),
        "unreadable_positions": len(stored.unreadable),
        "unknown_intents": sum(map(unknown_intents, stored.positions)),
        "naked_positions": sum(map(is_naked, stored.positions)),
        "last_runs": {name: to_text(run.at) for name, run in stored.runs.items()},
        "newest_candle_age_seconds": _seconds(watermark_age(facts, INGEST)),
        "equity": equity(stored, facts.now),
        "day_loss_pct": day_loss(stored, facts.now),
    }


def _of_look(facts: Facts) -> dict[str, Any]:
    """What the newest look says, None for what it could not read; ages are those of now. `looked_at`: when each part
    was last read, whether it could be read now or not."""
    seen = facts.seen
    coins = seen.coins
    worst_candle = _worst(facts.now, coins.candles.last if coins else None)
    worst_decision = _worst(facts.now, coins.decisions.last if coins else None)
    return {
        "queues": None if seen.queues is None else _queues(seen.queues, facts.now),
        "dead_letters": None if seen.queues is None else dict(seen.queues.dead),
        "dlq_messages": None if seen.queues is None else seen.queues.dead_messages,
        "secrets": None if seen.secrets is None else dict(seen.secrets.present),
        "worst_candle": worst_candle,
        "worst_decision": worst_decision,
        "newest_decision_age_seconds_max": worst_decision["age_seconds"] if worst_decision else None,
        "looked_at": _looked_at(facts.look),
    }


def _worst(now: datetime, last: tuple[str, datetime] | None) -> dict[str, Any] | None:
    """The coin that is furthest behind, and how old its newest bar or decision is."""
    if last is None:
        return None
    return {"instrument": last[0], "age_seconds": (now - last[1]).total_seconds()}


def _queues(seen: QueuesLook, now: datetime) -> dict[str, Any]:
    return {
        each.name: {
            "waiting": each.waiting,
            "taken": each.taken,
            "busy_seconds": (now - each.busy_since).total_seconds() if each.busy_since else 0.0,
        }
        for each in seen.queues
    }


def _looked_at(seen: Look) -> dict[str, str | None]:
    parts = {"queues": seen.queues, "secrets": seen.secrets, "coins": seen.coins}
    return {name: to_text(part.at) if part else None for name, part in parts.items()}


def _stored(control: ControlStore, ledger: Ledger, now: datetime) -> tuple[Stored | None, str]:
    try:
        switch, runs = control.control(now), control.last_runs()
        positions, unreadable = ledger.readable_positions()
    except (PynamoDBException, BotoCoreError, ClientError) as error:
        return None, f"{type(error).__name__}: {error}"[:200]
    return Stored(control=switch, runs=runs, positions=positions, unreadable=unreadable), ""


def _quotes(market: FuturesMarket) -> tuple[dict[str, Quote] | None, str]:
    """All tickers: one public request that proves the venue reachable, dates its clock and prices the positions."""
    try:
        return market.quotes(), ""
    except VENUE_FAILURES as error:
        return None, str(error)[:200]


def _loss_limit(rules: Rules) -> Decimal | None:
    return rules.risk.daily_loss_pct if rules.risk.daily_loss_limit else None


def _seconds(age: Any) -> float | None:
    return None if age is None else float(age.total_seconds())
