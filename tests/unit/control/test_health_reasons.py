from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from functions.check_health.check import PERIODS, Facts, Stored, judge
from functions.check_health.health import Status
from functions.check_health.look import SecretsLook
from tests.unit.control.health_facts import (
    COINS,
    IDLE,
    MINUTE,
    WELL,
    busy,
    control,
    facts,
    failing,
    progress,
    queues,
    run,
    runs,
    seen,
)
from tests.unit.control.records import NOW, entry, filled, position, quote, with_live
from trading.model.alerts import Severity
from trading.model.control import KillLevel
from trading.model.orders import IntentState
from trading.model.positions import PositionState
from trading.model.times import to_text
from trading.model.units import Quantity
from trading.rules import load_rules


def test_healthy_system_is_ok_without_reasons() -> None:
    health = judge(facts())
    assert (health.status, health.reasons, health.alert()) == (Status.OK, (), None)
    assert (health.newest_candle_age_seconds, health.newest_decision_age_seconds_max) == (600.0, 3000.0)
    assert (health.equity, health.day_loss_pct, health.day_loss_limit_pct) == ("10012.50", "1.25", Decimal(5))
    assert health.counts() == {"NakedPositions": 0, "UnknownIntents": 0, "KillLevel": 0, "DayLossOfLimitPct": 25.0}
    assert health.durations() == {"NewestCandleAgeSeconds": 600.0, "VenueSeconds": 0.25}
    assert (health.dlq_messages, health.dead_letters) == (0, {"runs": 0, "alerts": 0})


def test_record_has_every_key_of_the_status_output() -> None:
    expected = (
        "status reasons kill_level positions last_runs newest_candle_age_seconds newest_decision_age_seconds_max "
        "unknown_intents naked_positions dlq_messages equity day_loss_pct day_loss_limit_pct kill_by kill_since mode "
        "queues dead_letters worst_candle worst_decision looked_at run_periods_seconds venue_seconds secrets"
    )
    assert set(expected.split()) <= set(json.loads(judge(facts()).to_json()))


MIDNIGHT = NOW.replace(hour=0)
NAKED = replace(position(), intents=())
UNKNOWN = with_live(position(), entry(position()), IntentState.UNKNOWN)
OLD = NOW - 3 * MINUTE


def with_run(name: str, at: datetime, age_minutes: int | None = None) -> Stored:
    """The healthy store, but for this function's newest run (and the age of its watermark)."""
    proof = {} if age_minutes is None else {"watermark": to_text(NOW - age_minutes * MINUTE)}
    return replace(WELL, runs=runs() | {name: run(name, at, **proof)})


CASES: list[tuple[Facts, Status, str]] = [
    (facts(None), Status.DOWN, "store does not answer"),
    (facts(failing(venue=1), quotes=None, venue_problem="HTTP 503"), Status.DOWN,
     r"venue does not answer \(HTTP 503\)"),
    (facts(failing(clocks=2), quotes={"A": quote(at=NOW + timedelta(seconds=3))}), Status.DEGRADED,
     r"the venue is \+3.0 s"),
    (facts(failing(clocks=2), quotes={"A": quote(at=NOW - timedelta(seconds=3))}), Status.DEGRADED,
     r"clocks differ: the venue is -3.0 s"),
    (facts(look=seen(secrets=SecretsLook(at=NOW, present=(("trading", False),)))), Status.DEGRADED,
     "trading key's secret has no value"),
    (facts(look=seen(queues=queues(busy(16)))), Status.DEGRADED,
     "queue bars has not been empty for 16 min: 3 messages wait"),
    (facts(look=seen(queues=queues(IDLE, new_dead=True, runs=2, alerts=1))), Status.DEGRADED,
     r"3 messages were given up \(dead letters: runs 2, alerts 1\)"),
    (facts(look=seen(coins=replace(COINS, candles=progress(0, ("XRP", 45), ("ADA", 31))))), Status.DEGRADED,
     r"candles of 2 coins are late, the oldest XRP \(45 min\), and ingest does not say why"),
    (facts(look=seen(coins=replace(COINS, decisions=progress(0, ("XRP", 121))))), Status.DEGRADED,
     r"decisions of 1 coins are late, the oldest XRP \(2.0 h\); expected at most 2.0 h"),
    (facts(look=seen(coins=replace(COINS, decisions=progress(150)))),
     Status.DEGRADED, "newest decision is 2.5 h old; expected at most 2.0 h"),
    (facts(look=seen(secrets=SecretsLook(at=NOW, present=(("webhooks", False),)))), Status.DEGRADED,
     "no Slack or Discord address in the webhooks secret and no AlertEmail: alerts reach nobody"),
    (facts(replace(WELL, unreadable=("ETH: no JSON",))), Status.DOWN,
     "the record of an open position cannot be read: ETH: no JSON"),
    (facts(replace(WELL, positions=(NAKED,))), Status.DEGRADED, "BTC stands without a stop"),
    (facts(replace(WELL, positions=(UNKNOWN,))), Status.DEGRADED, "the fate of 1 orders is unknown"),
    (facts(with_run("ingest_candles", OLD)), Status.DEGRADED,
     "ingest_candles last ran 3 min ago; expected every 1 min"),
    (facts(replace(WELL, runs={k: v for k, v in runs().items() if k != "score_setups"})), Status.DEGRADED,
     "score_setups has never run"),
    (facts(replace(with_run("manage_exits", OLD), positions=(position(),))),
     Status.DOWN, "manage_exits last ran 3 min ago"),
    (facts(with_run("ingest_candles", NOW, 31)),
     Status.DEGRADED, "newest candle is 31 min old; expected at most 30 min"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "status", "reason"), CASES, ids=[case[2] for case in CASES])
def test_each_reason_is_found_and_told(found: Facts, status: Status, reason: str) -> None:
    health = judge(found)
    assert health.status is status
    assert len(health.reasons) == 1
    assert re.search(reason, health.reasons[0])
    alert = health.alert()
    assert alert is not None
    assert alert.severity is (Severity.CRITICAL if status is Status.DOWN else Severity.WARNING)
    assert health.reasons[0] in alert.text


def test_kill_level_is_shown_and_told_by_others() -> None:
    health = judge(facts(replace(WELL, control=control(KillLevel.NO_ENTRIES, "pause"))))
    assert (health.status, health.reasons, health.alert()) == (Status.DEGRADED, ("kill level K1: pause",), None)


def test_unreadable_store_leaves_its_facts_unknown() -> None:
    health = judge(facts(None))
    facts_of = (health.kill_level, health.positions, health.unknown_intents, health.naked_positions, health.equity)
    assert facts_of == (None,) * 5
    assert health.counts() == {}


def test_venue_without_an_answer_has_no_latency() -> None:
    assert "VenueSeconds" not in judge(facts(quotes=None, venue_problem="HTTP 503")).durations()


@pytest.mark.parametrize("loss", ["no number", None])
def test_loss_without_a_figure_is_no_metric(loss: str | None) -> None:
    newest = run("reconcile_positions", NOW - MINUTE, day_loss_pct=loss)
    stored = replace(WELL, runs=runs() | {"reconcile_positions": newest})
    assert "DayLossOfLimitPct" not in judge(facts(stored)).counts()


def test_loss_limit_that_is_off_has_no_metric() -> None:
    health = judge(facts(rules=load_rules('{"risk": {"daily_loss_limit": false}}')))
    assert health.day_loss_limit_pct is None
    assert "DayLossOfLimitPct" not in health.counts()


@pytest.mark.parametrize(
    ("now", "ran", "equity", "loss"),
    [
        (NOW, NOW - 2 * MINUTE, "98.5", "1.5"),
        (NOW, NOW - 3 * MINUTE, None, None),
        (NOW, NOW - timedelta(days=1), None, None),
        (MIDNIGHT + MINUTE, MIDNIGHT, "98.5", "1.5"),
        (MIDNIGHT, MIDNIGHT - MINUTE, "98.5", None),
    ],
)
def test_figures_are_those_of_a_fresh_run_today(
    now: datetime, ran: datetime, equity: str | None, loss: str | None
) -> None:
    newest = run("reconcile_positions", ran, equity="98.5", day_loss_pct="1.5")
    stored = replace(WELL, runs=runs(now - MINUTE) | {"reconcile_positions": newest})
    health = judge(facts(stored, now=now, quotes={"A": quote(at=now)}))
    assert (health.equity, health.day_loss_pct) == (equity, loss)
    assert ("DayLossOfLimitPct" in health.counts()) is (loss is not None)


def test_watermark_that_is_no_time_is_no_age() -> None:
    newest = run("ingest_candles", NOW, watermark="yesterday")
    health = judge(facts(replace(WELL, runs=runs() | {"ingest_candles": newest})))
    assert (health.newest_candle_age_seconds, health.reasons) == (None, ())


def test_compressed_schedule_makes_no_function_late() -> None:
    step = timedelta(minutes=15)
    previous = {name: run(name, NOW - step) for name in (*PERIODS, "check_health")}
    partly = previous | {name: run(name, NOW) for name in ("ingest_candles", "execute_signals")}
    for found in (previous, partly):
        assert judge(facts(replace(WELL, runs=found))).reasons == ()


def test_stopped_function_is_late_in_compressed_schedule() -> None:
    step = timedelta(minutes=15)
    found = {name: run(name, NOW - step) for name in (*PERIODS, "check_health")}
    found["reconcile_positions"] = run("reconcile_positions", NOW - 2 * step)
    assert judge(facts(replace(WELL, runs=found))).reasons == (
        "reconcile_positions last ran 30 min ago; expected every 1 min",
    )


def test_function_within_two_periods_is_not_late() -> None:
    assert judge(facts(with_run("execute_signals", NOW - 2 * MINUTE))).reasons == ()


def test_first_check_of_all_reports_nothing_late() -> None:
    assert judge(facts(replace(WELL, runs={}))).reasons == ()


def test_unreadable_kill_level_is_not_reported_as_normal() -> None:
    assert "KillLevel" not in judge(facts(None)).counts()


def test_flat_entry_under_way_is_not_naked() -> None:
    waiting = replace(position(state=PositionState.OPENING), quantity=Quantity(0), intents=())
    assert judge(facts(replace(WELL, positions=(waiting,)))).naked_positions == 0


def test_position_line_shows_distance_and_open_result() -> None:
    (line,) = judge(facts(replace(WELL, positions=(filled(position()),)))).positions or ()
    assert (line["mark"], line["stop_distance_pct"], line["r"]) == ("105", "14.29", "0.50")
    assert line["protected"] is True
