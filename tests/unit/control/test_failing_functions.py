from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.check_health.check import judge
from functions.check_health.failing import REPORTING, SHOWN_CHARACTERS
from functions.check_health.health import Health, Status
from shared.storage.control import HEALTH_FUNCTION, RunRecord
from tests.unit.control.health_facts import WELL, facts, run, runs
from tests.unit.control.records import NOW, position, quote
from trading.model.alerts import Severity
from trading.model.positions import Position
from trading.model.times import to_text

MINUTE = timedelta(minutes=1)
FAILED = NOW - MINUTE


def health(since: object = None, held: tuple[Position, ...] = (), **failures: Any) -> Health:
    """These functions' newest runs, a minute ago, reported these failures; the last health record knew `since`."""
    own = run(HEALTH_FUNCTION, FAILED, failing_since=since)
    failing = {name: run(name, FAILED, failures=found) for name, found in failures.items()}
    return judge(facts(replace(WELL, positions=held, runs=runs() | failing | {own.function: own})))


@pytest.mark.parametrize("function", REPORTING)
def test_reported_failure_is_shown_at_once(function: str) -> None:
    failures: dict[str, Any] = {function: ["stress does\n not answer", "COIN: refused", "OTHER: refused"]}
    found = health(**failures)
    assert found.status is Status.DEGRADED
    assert found.reasons == (
        f"{function} reports failures since 2026-11-22 11:59 UTC: stress does not answer (and 2 more)",
    )
    assert found.failing_since == {function: to_text(FAILED)}
    assert found.alert() is None


@pytest.mark.parametrize("failures", [[], None, 0, "no list"])
def test_run_without_failures_is_no_reason(failures: object) -> None:
    found = health(since={"manage_exits": to_text(NOW)}, manage_exits=failures)
    assert (found.status, found.failing_since) == (Status.OK, {})


@pytest.mark.parametrize(("seconds", "told"), [(0, False), (119, False), (120, True), (86_400, True)])
def test_failure_is_told_when_it_lasts_two_minutes(seconds: int, told: bool) -> None:
    since = FAILED - timedelta(seconds=seconds)
    found = health(since={"manage_exits": to_text(since)}, manage_exits=["COIN: refused"])
    alert = found.alert()
    assert found.failing_since == {"manage_exits": to_text(since)}
    assert (found.unconfirmed == ()) is told is (alert is not None)
    if alert is not None:
        assert (alert.severity, alert.text) == (Severity.WARNING, found.reasons[0])


def test_run_that_is_seen_twice_does_not_last() -> None:
    first = health(manage_exits=["COIN: refused"])
    own = RunRecord(function=HEALTH_FUNCTION, at=NOW, proof=json.loads(first.to_json()))
    failing = run("manage_exits", FAILED, failures=["COIN: refused"])
    stored = replace(WELL, runs=runs(NOW) | {own.function: own, "manage_exits": failing})
    later = NOW + timedelta(seconds=50)
    again = judge(facts(stored, now=later, quotes={"PF_BTCUSD": quote(at=later)}))
    assert again.reasons == first.reasons
    assert again.alert() is None


@pytest.mark.parametrize("since", [None, {}, [], ["manage_exits"], {"manage_exits": 7}, {"manage_exits": "yesterday"}])
def test_unreadable_beginning_begins_anew(since: object) -> None:
    found = health(since=since, manage_exits=["COIN: refused"])
    assert found.failing_since == {"manage_exits": to_text(FAILED)}


def test_other_function_does_not_confirm_a_failure() -> None:
    found = health(since={"execute_signals": to_text(datetime.min.replace(tzinfo=NOW.tzinfo))}, manage_exits=["x"])
    assert found.alert() is None


def test_young_failure_is_told_beside_another_reason() -> None:
    alert = health(held=(replace(position(), intents=()),), manage_exits=["COIN: refused"]).alert()
    assert alert is not None
    assert alert.text.splitlines()[0] == "BTC stands without a stop"
    assert alert.text.splitlines()[1].endswith("UTC: COIN: refused")


def test_lasting_failure_is_told_beside_a_young_one() -> None:
    since = {"manage_exits": to_text(FAILED - 5 * MINUTE)}
    found = health(since=since, execute_signals=["young"], manage_exits=["old"])
    assert (len(found.reasons), len(found.unconfirmed)) == (2, 1)
    assert found.alert() is not None


def test_long_failure_is_shortened() -> None:
    (reason,) = health(manage_exits=["x" * 1000]).reasons
    assert reason.count("x") == SHOWN_CHARACTERS + 1


def test_figures_come_from_the_reconcile_run() -> None:
    newest = run("reconcile_positions", FAILED, equity="98.5", day_loss_pct="1.50")
    found = judge(facts(replace(WELL, runs=runs() | {"reconcile_positions": newest})))
    assert (found.equity, found.day_loss_pct) == ("98.5", "1.50")


def test_account_that_did_not_answer_shows_no_figures() -> None:
    newest = run("reconcile_positions", FAILED, equity="", day_loss_pct=None)
    found = judge(facts(replace(WELL, runs=runs() | {"reconcile_positions": newest})))
    assert (found.equity, found.day_loss_pct) == (None, None)
