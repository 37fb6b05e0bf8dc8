"""Gathers what is stored and what the venue answers, and judges it. Nothing comes from this process's memory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from functions.check_health.facts import Facts, Stored, reported, skew, watermark_age
from functions.check_health.failing import failing_functions, unread_parts
from functions.check_health.findings import (
    PERIODS,
    Finding,
    known_to_people,
    late_findings,
    state_findings,
    unforwarded_since,
)
from functions.check_health.health import Health, Status, is_naked, shown_position, unknown_intents
from functions.check_health.look import Look, Places, QueuesLook, look
from shared.progress import INGEST
from shared.storage.control import ControlStore
from shared.storage.ledger import Ledger
from trading.errors import CorruptRecord, VenueUnavailable
from trading.model.times import to_text
from trading.model.venue import Quote
from trading.ports import FuturesMarket
from trading.rules import Rules

__all__ = ["PERIODS", "Checked", "Facts", "Stored", "check", "judge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one run looks at. `mode`: live or paper; `places` are looked at every few minutes only."""

    control: ControlStore
    ledger: Ledger
    market: FuturesMarket
    places: Places
    rules: Rules
    mode: str


def check(checked: Checked, now: datetime) -> Health:
    """Four strong reads of the Ledger and one request of the venue; about 14 requests more when a look is due."""
    stored, store_problem = _stored(checked.control, checked.ledger, now)
    found = look(checked.places, stored.runs if stored else None, now)
    started = time.perf_counter()
    quotes, venue_problem = _quotes(checked.market)
    facts = Facts(
        now=now,
        stored=stored,
        store_problem=store_problem,
        quotes=quotes,
        venue_problem=venue_problem,
        venue_seconds=round(time.perf_counter() - started, 3),
        look=found,
        mode=checked.mode,
        rules=checked.rules,
    )
    return judge(facts)


def judge(facts: Facts) -> Health:
    """Pure: the same facts always give the same record."""
    stored, runs = facts.stored, facts.stored.runs if facts.stored else {}
    failing = (*failing_functions(runs), *unread_parts(runs, facts.look.problems, facts.now))
    findings: list[Finding] = [*late_findings(facts), *state_findings(facts)]
    findings += [(Status.DEGRADED, each.reason) for each in failing]
    told = unforwarded_since(stored) if stored else None
    young = tuple(each.reason for each in failing if not each.lasts)
    return Health(
        at=facts.now,
        status=max((status for status, _ in findings), key=list(Status).index, default=Status.OK),
        reasons=tuple(reason for _, reason in findings),
        unconfirmed=(*young, *known_to_people(facts)),
        failing_since={each.function: to_text(each.since) for each in failing},
        store_reachable=stored is not None,
        venue_reachable=facts.quotes is not None,
        venue_seconds=facts.venue_seconds,
        clock_skew_seconds=_seconds(skew(facts)),
        look=facts.look.to_object(),
        mode=facts.mode,
        day_loss_limit_pct=_loss_limit(facts.rules),
        run_periods_seconds={name: int(period.total_seconds()) for name, period in PERIODS.items()},
        told_at=to_text(told) if told else None,
        **_of_store(facts),
        **_of_look(facts),
    )


def _of_store(facts: Facts) -> dict[str, Any]:
    """What the Ledger says; all of it unknown when it does not answer."""
    stored = facts.stored
    if stored is None:
        names = ("kill_level", "kill_reason", "kill_by", "kill_since", "positions", "unknown_intents")
        more = ("naked_positions", "newest_candle_age_seconds", "equity", "day_loss_pct")
        return {**dict.fromkeys((*names, *more)), "last_runs": {}}
    return {
        "kill_level": stored.control.level,
        "kill_reason": stored.control.reason,
        "kill_by": stored.control.changed_by,
        "kill_since": to_text(stored.control.changed_at),
        "positions": tuple(shown_position(each, (facts.quotes or {}).get(each.contract)) for each in stored.positions),
        "unknown_intents": sum(map(unknown_intents, stored.positions)),
        "naked_positions": sum(map(is_naked, stored.positions)),
        "last_runs": {name: to_text(run.at) for name, run in stored.runs.items()},
        "newest_candle_age_seconds": _seconds(watermark_age(facts, INGEST)),
        "equity": reported(stored, "equity"),
        "day_loss_pct": reported(stored, "day_loss_pct"),
    }


def _of_look(facts: Facts) -> dict[str, Any]:
    """What the newest look says, None for what it could not read; ages are those of now."""
    seen, coins = facts.look, facts.look.coins
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
        "looked_at": _looked_at(seen),
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


def _loss_limit(rules: Rules) -> Decimal | None:
    return rules.risk.daily_loss_pct if rules.risk.daily_loss_limit else None


def _seconds(age: Any) -> float | None:
    return None if age is None else float(age.total_seconds())
