"""What a look at queues, secrets and coins found, judged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.check_health.check import judge
from functions.check_health.coins import KEPT
from functions.check_health.findings import CHATS
from functions.check_health.health import Health, Status
from functions.check_health.look import Look
from functions.forward_alerts.forward import BODIES
from shared.storage.codec import to_json
from tests.unit.control.health_facts import (
    COINS,
    IDLE,
    MINUTE,
    WELL,
    busy,
    facts,
    progress,
    queues,
    run,
    runs,
    seen,
)
from tests.unit.control.records import NOW, position
from trading.model.times import to_text

QUIET: list[Look] = [
    seen(queues=queues(busy(15))),
    seen(coins=replace(COINS, candles=progress(0, ("XRP", 30)), decisions=progress(0, ("XRP", 120)))),
    seen(coins=replace(COINS, candles=replace(progress(0), last=None), decisions=replace(progress(0), last=None))),
]


@pytest.mark.parametrize("look", QUIET)
def test_what_is_within_its_limit_is_no_reason(look: Look) -> None:
    assert judge(facts(look=look)).reasons == ()


def late_coins(waiting: dict[str, str], coins: int = 40, behind: int = 2, **changes: Any) -> Health:
    """XRP and ADA have had no candle for 45 minutes; ingest names those of `waiting`."""
    late = progress(0, ("XRP", 45), ("ADA", 45), behind=behind)
    newest = run("ingest_candles", NOW, watermark=to_text(NOW), waiting=waiting)
    stored = replace(WELL, runs=runs() | {"ingest_candles": newest}, **changes)
    return judge(facts(stored, look=seen(coins=replace(COINS, coins=coins, candles=late))))


def test_coin_that_ingest_waits_for_is_not_news() -> None:
    assert late_coins({"XRP": "no trade", "ADA": "suspended"}).reasons == ()
    (reason,) = late_coins({"XRP": "no trade"}).reasons
    assert reason.startswith("candles of 1 coins are late, the oldest ADA (45 min)")


def test_late_candle_of_an_open_position_is_told() -> None:
    held = (position("ADA"), position("BTC"))
    health = late_coins({"XRP": "no trade", "ADA": "suspended"}, positions=held)
    assert health.reasons == ("ADA has an open position and no candle for 45 min",)


def test_late_candles_of_most_coins_are_told() -> None:
    waiting = {"XRP": "no trade", "ADA": "suspended"}
    assert late_coins(waiting, coins=40, behind=20).reasons == ()
    assert late_coins(waiting, coins=40, behind=21).reasons == ("21 of 40 coins have no candle of the last close",)


def test_long_list_of_late_coins_is_cut() -> None:
    many = tuple((f"C{place:02d}", 45) for place in range(KEPT))
    coins = replace(COINS, coins=100, candles=progress(0, *many))
    (reason,) = judge(facts(look=seen(coins=coins))).reasons
    assert reason.startswith(f"candles of {KEPT} or more coins are late, the oldest C00")


def test_dead_letters_are_told_only_when_they_grow() -> None:
    known = judge(facts(look=seen(queues=queues(IDLE, runs=2))))
    assert (known.status, known.dlq_messages, known.alert()) == (Status.DEGRADED, 2, None)
    assert judge(facts(look=seen(queues=queues(IDLE, runs=2, new_dead=True)))).alert() is not None


def test_known_dead_letters_do_not_hide_another_reason() -> None:
    stored = replace(WELL, positions=(replace(position(), intents=()),))
    alert = judge(facts(stored, look=seen(queues=queues(IDLE, runs=2)))).alert()
    assert alert is not None
    assert len(alert.text.splitlines()) == 2


@pytest.mark.parametrize("part", ["queues", "secrets", "coins"])
def test_unread_part_is_unknown_and_says_why(part: str) -> None:
    health = judge(facts(look=seen(problems=((part, "ClientError: refused"),))))
    assert health.reasons == (f"the state of the {part} is unknown: ClientError: refused",)
    assert (health.status, health.alert()) == (Status.DEGRADED, None)
    facts_of = {
        "queues": (health.queues, health.dead_letters, health.dlq_messages),
        "secrets": (health.secrets,),
        "coins": (health.worst_candle, health.worst_decision, health.newest_decision_age_seconds_max),
    }
    assert set(facts_of.pop(part)) == {None}
    assert None not in [value for values in facts_of.values() for value in values]
    assert health.looked_at == dict.fromkeys(("queues", "secrets", "coins"), to_text(NOW))
    assert health.look == json.loads(to_json(seen(problems=((part, "ClientError: refused"),))))


@pytest.mark.parametrize(("minutes", "told"), [(1, False), (2, True)])
def test_part_that_stays_unread_is_told(minutes: int, told: bool) -> None:
    own = run("check_health", NOW - MINUTE, failing_since={"queues": to_text(NOW - minutes * MINUTE)})
    stored = replace(WELL, runs=runs() | {"check_health": own})
    health = judge(facts(stored, look=seen(queues=None, problems=(("queues", "no answer"),))))
    assert (health.alert() is not None) is told
    assert health.failing_since == {"queues": to_text(NOW - minutes * MINUTE)}


def alerted(minutes_ago: int, forwarded: int | None) -> Health:
    """Our alert went out so long ago; forward_alerts proved a run then, or never."""
    own = run("check_health", NOW - MINUTE, told_at=to_text(NOW - minutes_ago * MINUTE))
    found = runs() | {"check_health": own}
    if forwarded is not None:
        found["forward_alerts"] = run("forward_alerts", NOW - forwarded * MINUTE)
    return judge(facts(replace(WELL, runs=found)))


@pytest.mark.parametrize(
    ("minutes_ago", "forwarded", "missing"), [(5, None, True), (5, 6, True), (5, 5, False), (4, None, False)]
)
def test_alert_that_nobody_forwards_is_a_reason(minutes_ago: int, forwarded: int | None, missing: bool) -> None:
    health = alerted(minutes_ago, forwarded)
    told = to_text(NOW - minutes_ago * MINUTE)
    assert health.reasons == ((f"forward_alerts has not run since our alert of {told}",) if missing else ())
    waits = forwarded is None or forwarded > minutes_ago
    assert health.told_at == (told if waits else None)
    assert health.told().told_at == (told if waits else to_text(NOW))


def test_undelivered_posts_are_told_when_they_last() -> None:
    def health(since: int, failures: object) -> Health:
        newest = run("forward_alerts", NOW - MINUTE, failures=failures)
        own = run("check_health", NOW - MINUTE, failing_since={"forward_alerts": to_text(NOW - since * MINUTE)})
        return judge(facts(replace(WELL, runs=runs() | {"forward_alerts": newest, "check_health": own})))

    assert health(9, 2).reasons == ("forward_alerts has not got 2 posts delivered since 2026-11-22 11:51 UTC",)
    assert health(9, 2).alert() is not None
    assert health(2, 2).alert() is None
    assert health(9, 0).reasons == health(9, None).reasons == ()


def test_queue_ages_are_those_of_the_record() -> None:
    health = judge(facts(look=seen(queues=queues(busy(4), IDLE))))
    assert health.queues == {
        "bars": {"waiting": 3, "taken": 1, "busy_seconds": 240.0},
        "signals": {"waiting": 0, "taken": 0, "busy_seconds": 0.0},
    }


def addresses(mode: str = "live", emailed: bool = False, skipped: object = ("slack", "discord")) -> Health:
    """The webhooks secret has a value; forward_alerts found no address of these services in it."""
    newest = run("forward_alerts", NOW - MINUTE, skipped=list(skipped) if isinstance(skipped, tuple) else skipped)
    return judge(facts(replace(WELL, runs=runs() | {"forward_alerts": newest}), mode=mode, emailed=emailed))


def test_secret_without_any_address_is_told() -> None:
    assert addresses().causes == ("alert addresses",)
    assert set(BODIES) == CHATS
    for skipped in (("slack",), (), None, "slack discord"):
        assert addresses(skipped=skipped).reasons == ()


def test_missing_address_matters_live_without_email() -> None:
    assert addresses(mode="paper").reasons == addresses(emailed=True).reasons == ()
