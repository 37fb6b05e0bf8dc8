"""Facts of a healthy system, to be changed one at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from functions.check_health.check import PERIODS, Facts, Stored
from functions.check_health.coins import CoinsLook, Progress
from functions.check_health.look import Look, QueueLook, QueuesLook, SecretsLook
from shared.storage.control import RunRecord
from tests.unit.control.records import NOW, quote
from trading.model.control import Control, KillLevel
from trading.model.times import to_text
from trading.rules import load_rules

MINUTE = timedelta(minutes=1)


def run(function: str, at: datetime, **proof: Any) -> RunRecord:
    return RunRecord(function=function, at=at, proof=proof)


def runs(at: datetime = NOW - MINUTE) -> dict[str, RunRecord]:
    found = {name: run(name, at) for name in (*PERIODS, "check_health")}
    found["ingest_candles"] = run("ingest_candles", at, watermark=to_text(NOW - 10 * MINUTE))
    found["reconcile_positions"] = run("reconcile_positions", at, equity="10012.50", day_loss_pct="1.25")
    return found


def progress(last: int, *late: tuple[str, int], behind: int = 0) -> Progress:
    """The newest bar of BTC so many minutes ago, and those of coins that are late."""
    oldest = tuple((coin, NOW - minutes * MINUTE) for coin, minutes in late)
    return Progress(
        due=NOW, behind=behind or len(late), oldest=oldest, last=oldest[0] if oldest else ("BTC", NOW - last * MINUTE)
    )


def queues(*given: QueueLook, new_dead: bool = False, **dead: int) -> QueuesLook:
    return QueuesLook(at=NOW, queues=given, dead=tuple(dead.items()), new_dead=new_dead)


def busy(minutes: int) -> QueueLook:
    return QueueLook(name="bars", waiting=3, taken=1, busy_since=NOW - minutes * MINUTE)


IDLE = QueueLook(name="signals", waiting=0, taken=0, busy_since=None)
COINS = CoinsLook(at=NOW, coins=40, candles=progress(10), decisions=progress(50))
LOOK = Look(
    queues=queues(IDLE, runs=0, alerts=0),
    secrets=SecretsLook(at=NOW, present=(("trading", True), ("webhooks", True))),
    coins=COINS,
)


def seen(**changes: Any) -> Look:
    return replace(LOOK, **changes)


def control(level: KillLevel = KillLevel.NORMAL, reason: str = "all well") -> Control:
    return Control(level=level, reason=reason, changed_by="anna", changed_at=NOW, version=1)


def failing(**minutes: int) -> Stored:
    """The healthy store, whose health record says since when these were failing."""
    since = {name: to_text(NOW - age * MINUTE) for name, age in minutes.items()}
    return replace(WELL, runs=runs() | {"check_health": run("check_health", NOW - MINUTE, failing_since=since)})


WELL = Stored(control=control(), runs=runs(), positions=())


def facts(stored: Stored | None = WELL, **changes: Any) -> Facts:
    values: dict[str, Any] = {
        "now": NOW,
        "stored": stored,
        "store_problem": "" if stored else "no answer",
        "quotes": {"PF_BTCUSD": quote()},
        "venue_problem": "",
        "venue_seconds": 0.25,
        "asked": changes.get("now", NOW),
        "answered": changes.get("now", NOW),
        "look": LOOK,
        "mode": "live",
        "emailed": False,
        "rules": load_rules(),
    }
    return Facts(**(values | changes))
