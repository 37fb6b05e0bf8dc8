"""What is wrong, one sentence each. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from functions.check_health.coins import CANDLE_AGE, KEPT, CoinsLook
from functions.check_health.facts import Facts, Stored, proof_time, skew, watermark_age
from functions.check_health.health import Status, is_naked, unknown_intents
from shared.progress import INGEST, still_waiting
from shared.storage.control import HEALTH_FUNCTION
from trading.model.control import KillLevel
from trading.model.times import to_text

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
"""Every schedule but our own, whose silence is the heartbeat's alarm. The other functions run on demand."""

PERIODS_ALLOWED = 2
GUARDS = ("manage_exits", "reconcile_positions")
DECISION_AGE = timedelta(hours=2)
CLOCK_SKEW = timedelta(seconds=2)
QUEUE_BUSY = timedelta(minutes=15)
"""Readers take a message within seconds: one that waits over three looks is stuck."""
FORWARDED_WITHIN = timedelta(minutes=5)

Finding = tuple[Status, str]


def late_findings(facts: Facts) -> Iterator[Finding]:
    """Functions that have not proven a run when they should have, and alerts that nobody forwarded."""
    stored = facts.stored
    if stored is None:
        return
    for function, period in PERIODS.items():
        if why := _late(function, period, stored, facts.now):
            guarding = function in GUARDS and any(each.quantity > 0 for each in stored.positions)
            yield (Status.DOWN if guarding else Status.DEGRADED), why
    told = unforwarded_since(stored)
    if told is not None and facts.now - told >= FORWARDED_WITHIN:
        yield Status.DEGRADED, f"forward_alerts has not run since our alert of {to_text(told)}"


def unforwarded_since(stored: Stored) -> datetime | None:
    """The first of our alerts after which forward_alerts, which runs for alerts only, has not proven a run."""
    told = proof_time(stored.runs.get(HEALTH_FUNCTION), "told_at")
    forwarded = stored.runs.get("forward_alerts")
    return None if told is None or (forwarded is not None and forwarded.at >= told) else told


def state_findings(facts: Facts) -> Iterator[Finding]:
    yield from _world_findings(facts)
    yield from _ledger_findings(facts)
    yield from _queue_findings(facts)
    if facts.look.coins is not None:
        yield from _candle_findings(facts, facts.look.coins)
        yield from _decision_findings(facts, facts.look.coins)


def known_to_people(facts: Facts) -> tuple[str, ...]:
    """Reasons that were told when they came up and stay until a person acts: shown, but no alert by themselves."""
    queues = facts.look.queues
    return () if queues is None or queues.new_dead else tuple(_dead_letters(facts))


def _late(function: str, period: timedelta, stored: Stored, now: datetime) -> str | None:
    """Why this function counts as late, None when it does not.

    Older than two periods is not enough. The local stack compresses quiet time: every function then runs once per
    step of 15 minutes, and this one may run before the others of the same step. So a function must also have missed
    its turn since our own last run, which is a stored fact too. On AWS, where we run every minute, that adds nothing.
    """
    own, run = stored.runs.get(HEALTH_FUNCTION), stored.runs.get(function)
    if own is None:
        return None
    if run is None:
        return f"{function} has never run"
    if now - run.at <= PERIODS_ALLOWED * period or own.at - run.at < period:
        return None
    return f"{function} last ran {said(now - run.at)} ago; expected every {said(period)}"


def _world_findings(facts: Facts) -> Iterator[Finding]:
    if facts.stored is None:
        yield Status.DOWN, f"store does not answer ({facts.store_problem})"
    if facts.quotes is None:
        yield Status.DOWN, f"venue does not answer ({facts.venue_problem})"
    apart = skew(facts)
    if apart is not None and abs(apart) > CLOCK_SKEW:
        yield Status.DEGRADED, f"clocks differ: the venue is {apart.total_seconds():+.1f} s from ours"
    if facts.look.secrets is not None and dict(facts.look.secrets.present).get("trading") is False:
        yield Status.DEGRADED, "the trading key's secret has no value: nothing can be traded"


def _ledger_findings(facts: Facts) -> Iterator[Finding]:
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
    age = watermark_age(facts, INGEST)
    if age is not None and age > CANDLE_AGE:
        yield Status.DEGRADED, f"newest candle is {said(age)} old; expected at most {said(CANDLE_AGE)}"


def _queue_findings(facts: Facts) -> Iterator[Finding]:
    for queue in facts.look.queues.queues if facts.look.queues else ():
        if queue.busy_since is not None and facts.now - queue.busy_since > QUEUE_BUSY:
            busy = said(facts.now - queue.busy_since)
            yield Status.DEGRADED, f"queue {queue.name} has not been empty for {busy}: {queue.waiting} messages wait"
    for reason in _dead_letters(facts):
        yield Status.DEGRADED, reason


def _dead_letters(facts: Facts) -> Iterator[str]:
    queues = facts.look.queues
    if queues is not None and queues.dead_messages:
        named = ", ".join(f"{name} {count}" for name, count in queues.dead if count)
        yield f"{queues.dead_messages} messages were given up (dead letters: {named})"


def _candle_findings(facts: Facts, look: CoinsLook) -> Iterator[Finding]:
    """A coin that lags alone is ingest's to judge and to tell. Ours is what it does not know of, what has an open
    position, and when it is most of them."""
    late = tuple((coin, since) for coin, since in look.candles.oldest if facts.now - since > CANDLE_AGE)
    waiting = still_waiting(facts.stored.runs) if facts.stored else {}
    if silent := tuple((coin, since) for coin, since in late if coin not in waiting):
        yield Status.DEGRADED, f"candles of {_named(silent, facts.now)}, and ingest does not say why"
    for position in facts.stored.positions if facts.stored else ():
        if position.instrument in dict(late):
            age = said(facts.now - dict(late)[position.instrument])
            yield Status.DEGRADED, f"{position.instrument} has an open position and no candle for {age}"
    allowed = 100 - facts.rules.quality.universe_healthy_minimum_pct
    if late and 100 * look.candles.behind > allowed * look.coins:
        yield Status.DEGRADED, f"{look.candles.behind} of {look.coins} coins have no candle of the last close"


def _decision_findings(facts: Facts, look: CoinsLook) -> Iterator[Finding]:
    last = look.decisions.last
    late = tuple((coin, since) for coin, since in look.decisions.oldest if facts.now - since > DECISION_AGE)
    if late:
        yield Status.DEGRADED, f"decisions of {_named(late, facts.now)}; expected at most {said(DECISION_AGE)}"
    elif last is not None and facts.now - last[1] > DECISION_AGE:
        yield (
            Status.DEGRADED,
            f"newest decision is {said(facts.now - last[1])} old; expected at most {said(DECISION_AGE)}",
        )


def _named(coins: tuple[tuple[str, datetime], ...], now: datetime) -> str:
    coin, since = coins[0]
    more = " or more" if len(coins) == KEPT else ""
    return f"{len(coins)}{more} coins are late, the oldest {coin} ({said(now - since)})"


def said(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
