"""What is wrong, one sentence each. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from functions.check_health.coins import CANDLE_AGE, KEPT, CoinsLook
from functions.check_health.facts import Facts, Stored, proof_time, watermark_age
from functions.check_health.health import Finding, Status, is_naked, unknown_intents
from functions.check_health.lateness import PERIODS, late, said
from shared.progress import INGEST, still_waiting
from shared.storage.control import HEALTH_FUNCTION
from trading.model.control import KillLevel
from trading.model.times import to_text

GUARDS = ("manage_exits", "reconcile_positions")
DECISION_AGE = timedelta(hours=2)
QUEUE_BUSY = timedelta(minutes=15)
"""Readers take a message within seconds: one that waits over three looks is stuck."""
FORWARDED_WITHIN = timedelta(minutes=5)
CHATS = frozenset({"slack", "discord"})
"""The services that forward_alerts posts to."""


def degraded(cause: str, reason: str, *, told: bool = True) -> Finding:
    return Finding(status=Status.DEGRADED, cause=cause, reason=reason, told=told)


def late_findings(facts: Facts) -> Iterator[Finding]:
    """Functions that have not proven a run when they should have, and alerts that nobody forwarded."""
    stored = facts.stored
    if stored is None:
        return
    for function in PERIODS:
        if why := late(function, stored, facts.now):
            guarding = function in GUARDS and any(each.quantity > 0 for each in stored.positions)
            status = Status.DOWN if guarding else Status.DEGRADED
            yield Finding(status=status, cause=f"{function} late", reason=why)
    told = unforwarded_since(stored)
    if told is not None and facts.now - told >= FORWARDED_WITHIN:
        yield degraded("forward_alerts late", f"forward_alerts has not run since our alert of {to_text(told)}")


def unforwarded_since(stored: Stored) -> datetime | None:
    """The first of our alerts after which forward_alerts, which runs for alerts only, has not proven a run."""
    told = proof_time(stored.runs.get(HEALTH_FUNCTION), "told_at")
    forwarded = stored.runs.get("forward_alerts")
    return None if told is None or (forwarded is not None and forwarded.at >= told) else told


def state_findings(facts: Facts) -> Iterator[Finding]:
    yield from _place_findings(facts)
    yield from _ledger_findings(facts)
    yield from _queue_findings(facts)
    coins = facts.seen.coins
    if coins is not None:
        yield from _candle_findings(facts, coins)
        yield from _decision_findings(facts, coins)


def _place_findings(facts: Facts) -> Iterator[Finding]:
    if facts.stored is None:
        why = f"store does not answer ({facts.store_problem})"
        yield Finding(status=Status.DOWN, cause="store", reason=why)
    secrets = dict(facts.seen.secrets.present) if facts.seen.secrets else {}
    if secrets.get("trading") is False:
        yield degraded("trading key", "the trading key's secret has no value: nothing can be traded")
    if facts.mode == "live" and not facts.emailed and _no_chat(facts, secrets):
        why = "no Slack or Discord address in the webhooks secret and no AlertEmail: alerts reach nobody"
        yield degraded("alert addresses", why)


def _no_chat(facts: Facts, secrets: dict[str, bool]) -> bool:
    """A value without any address in it is known to forward_alerts only, whose proof names what it skipped."""
    run = facts.stored.runs.get("forward_alerts") if facts.stored else None
    skipped = run.proof.get("skipped") if run else None
    return secrets.get("webhooks") is False or (isinstance(skipped, list) and set(map(str, skipped)) >= CHATS)


def _ledger_findings(facts: Facts) -> Iterator[Finding]:
    stored = facts.stored
    if stored is None:
        return
    if stored.control.level > KillLevel.NORMAL:
        # Its change was told, it has an alarm of its own, and it stays until a person acts.
        why = f"kill level K{stored.control.level}: {stored.control.reason}"
        yield degraded("kill level", why, told=False)
    for fault in stored.unreadable:
        why = f"the record of an open position cannot be read: {fault}"
        yield Finding(status=Status.DOWN, cause=f"record of {fault.partition(':')[0]}", reason=why)
    for position in stored.positions:
        if is_naked(position):
            yield degraded(f"{position.instrument} unprotected", f"{position.instrument} stands without a stop")
    if unknown := sum(map(unknown_intents, stored.positions)):
        yield degraded("unknown orders", f"the fate of {unknown} orders is unknown")
    age = watermark_age(facts, INGEST)
    if age is not None and age > CANDLE_AGE:
        yield degraded("newest candle", f"newest candle is {said(age)} old; expected at most {said(CANDLE_AGE)}")


def _queue_findings(facts: Facts) -> Iterator[Finding]:
    seen = facts.seen.queues
    if seen is None:
        return
    for queue in seen.queues:
        if queue.busy_since is not None and facts.now - queue.busy_since > QUEUE_BUSY:
            busy = said(facts.now - queue.busy_since)
            why = f"queue {queue.name} has not been empty for {busy}: {queue.waiting} messages wait"
            yield degraded(f"queue {queue.name}", why)
    if seen.dead_messages:
        named = ", ".join(f"{name} {count}" for name, count in seen.dead if count)
        why = f"{seen.dead_messages} messages were given up (dead letters: {named})"
        # They stay until a person acts: told as long as no alert has named them.
        yield degraded("dead letters", why, told=seen.new_dead)


def _candle_findings(facts: Facts, look: CoinsLook) -> Iterator[Finding]:
    """A coin that lags alone is ingest's to judge and to tell. Ours is what it does not know of, what has an open
    position, and when it is most of them."""
    behind = tuple((coin, since) for coin, since in look.candles.oldest if facts.now - since > CANDLE_AGE)
    waiting = still_waiting(facts.stored.runs) if facts.stored else {}
    if silent := tuple((coin, since) for coin, since in behind if coin not in waiting):
        yield degraded("candles", f"candles of {_named(silent, facts.now)}, and ingest does not say why")
    for position in facts.stored.positions if facts.stored else ():
        if position.instrument in dict(behind):
            age = said(facts.now - dict(behind)[position.instrument])
            why = f"{position.instrument} has an open position and no candle for {age}"
            yield degraded(f"candles of {position.instrument}", why)
    allowed = 100 - facts.rules.quality.universe_healthy_minimum_pct
    if behind and 100 * look.candles.behind > allowed * look.coins:
        why = f"{look.candles.behind} of {look.coins} coins have no candle of the last close"
        yield degraded("most candles", why)


def _decision_findings(facts: Facts, look: CoinsLook) -> Iterator[Finding]:
    last = look.decisions.last
    behind = tuple((coin, since) for coin, since in look.decisions.oldest if facts.now - since > DECISION_AGE)
    if behind:
        yield degraded("decisions", f"decisions of {_named(behind, facts.now)}; expected at most {said(DECISION_AGE)}")
    elif last is not None and facts.now - last[1] > DECISION_AGE:
        why = f"newest decision is {said(facts.now - last[1])} old; expected at most {said(DECISION_AGE)}"
        yield degraded("newest decision", why)


def _named(coins: tuple[tuple[str, datetime], ...], now: datetime) -> str:
    coin, since = coins[0]
    more = " or more" if len(coins) == KEPT else ""
    return f"{len(coins)}{more} coins are late, the oldest {coin} ({said(now - since)})"
