"""News is told at last: what was not published is kept by the run and told by a later one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.maintain_records.deployment import parse_event
from functions.maintain_records.maintain import maintain, tell
from functions.maintain_records.untold import KEPT, kept, late, remembered
from shared.alerts import Alerts
from shared.storage.codec import from_json
from shared.storage.tables import DecisionItem
from tests.integration.operations.conftest import World
from tests.integration.operations.records_scene import HOUR, records_of
from tests.integration.operations.test_deployments import event
from tests.unit.control.records import NOW, decision
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.times import to_text

MINUTE = timedelta(minutes=1)
COINS = ("BTC", "ETH", "SOL")


def run(world: World, now: datetime, status: str | None = None, alerts: Alerts | None = None) -> list[Any]:
    """What the run leaves to be told."""
    records = records_of(world, now)
    report = maintain(records, now, parse_event(event(status, now)) if status else None)
    proof = tell(records, report, alerts or world.alerts)
    world.control.record_run("maintain_records", now, proof)
    return list(proof["untold"])


def nowhere(world: World) -> Alerts:
    return Alerts("arn:aws:sns:us-east-1:123456789012:gone", world.control)


def told(world: World, kind: AlertKind) -> list[Alert]:
    """Those that were published since this was asked last."""
    found = [from_json(Alert, json.loads(each["Body"])["Message"]) for each in world.published()]
    return [each for each in found if each.kind is kind]


def lose(bar: datetime, coin: str) -> None:
    DecisionItem.get(f"BAR#{to_text(bar)}", f"TRACE#{coin}").delete()


def alert(minutes: int, severity: Severity = Severity.WARNING) -> Alert:
    return Alert(
        kind=AlertKind.COVERAGE,
        severity=severity,
        subject=f"bar {minutes}",
        title="Lost",
        text="Some were lost.",
        at=NOW + minutes * MINUTE,
        fields=(("coins", "BTC"),),
    )


def test_failed_deployment_is_told_by_the_next_run(world: World) -> None:
    run(world, NOW)
    left = run(world, NOW + MINUTE, "UPDATE_ROLLBACK_FAILED", nowhere(world))
    assert [each["severity"] for each in left] == ["critical"]
    assert run(world, NOW + HOUR) == []
    (found,) = told(world, AlertKind.DEPLOYMENT)
    assert (found.severity, found.title) == (Severity.CRITICAL, "Deployment of smc-trader failed")
    assert found.text.startswith("Not told until now, of 2026-11-22T12:01:00.000Z: The stack is between two versions")


def test_what_is_told_at_last_is_forgotten(world: World) -> None:
    run(world, NOW, "UPDATE_FAILED", nowhere(world))
    for hours in (1, 2, 3):
        run(world, NOW + hours * HOUR)
    assert len(told(world, AlertKind.DEPLOYMENT)) == 1


def test_news_waits_as_long_as_the_topic_is_gone(world: World) -> None:
    first = run(world, NOW, "UPDATE_FAILED", nowhere(world))
    assert run(world, NOW + 12 * MINUTE, alerts=nowhere(world)) == first
    assert run(world, NOW + 24 * MINUTE) == []


def test_unpublished_repair_is_told_by_the_next_run(world: World) -> None:
    run(world, NOW)
    world.decisions.add([decision(each, NOW) for each in COINS[:2]])
    run(world, NOW + 40 * MINUTE, alerts=nowhere(world))
    run(world, NOW + 50 * MINUTE)
    (found,) = told(world, AlertKind.COVERAGE)
    assert dict(found.fields)["coins"] == "SOL"


def test_repairs_of_two_bars_are_both_told(world: World) -> None:
    """The hour's own run comes some minutes after the one that a deployment woke."""
    run(world, NOW)
    world.decisions.add([decision(each, NOW) for each in COINS[:2]])
    world.decisions.add([decision(each, NOW + HOUR) for each in COINS[1:]])
    assert run(world, NOW + 89 * MINUTE, "UPDATE_COMPLETE") == []
    assert run(world, NOW + 91 * MINUTE) == []
    assert [dict(each.fields)["coins"] for each in told(world, AlertKind.COVERAGE)] == ["SOL", "BTC"]


def test_muted_repair_of_one_bar_is_told_later(world: World) -> None:
    run(world, NOW)
    world.decisions.add([decision(each, NOW) for each in COINS[:2]])
    run(world, NOW + 40 * MINUTE)
    lose(NOW, "BTC")
    assert len(run(world, NOW + 45 * MINUTE)) == 1
    assert run(world, NOW + 56 * MINUTE) == []
    assert [dict(each.fields)["coins"] for each in told(world, AlertKind.COVERAGE)] == ["SOL", "BTC"]


def test_kept_news_comes_back_as_it_was() -> None:
    news = (alert(1), alert(2, Severity.CRITICAL))
    assert remembered({"untold": json.loads(json.dumps(kept(news)))}) == news
    assert (late(news[0], NOW + HOUR).at, late(news[0], NOW + HOUR).fields) == (NOW + HOUR, news[0].fields)


def test_record_never_grows_and_keeps_critical_news() -> None:
    news = [alert(0, Severity.CRITICAL), *(alert(each) for each in range(1, KEPT + 5))]
    found = remembered({"untold": kept(news)})
    assert (len(found), found[0], found[-1]) == (KEPT, news[0], news[-1])


@pytest.mark.parametrize("memory", [None, 4, "text", {"kind": "health"}, [4], [None], [{"kind": "health"}], [{}]])
def test_damaged_memory_of_news_is_left_out(memory: Any) -> None:
    assert remembered({"untold": memory}) == ()
