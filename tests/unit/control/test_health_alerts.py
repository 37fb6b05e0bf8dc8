"""Which findings are told, as one condition or as another, and when."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from functions.check_health.check import judge
from functions.check_health.facts import Stored
from functions.check_health.health import SUBJECT_CHARACTERS, Health, Status
from functions.check_health.look import Look
from shared.storage.control import HEALTH_FUNCTION, RunRecord
from tests.unit.control.health_facts import (
    COINS,
    IDLE,
    MINUTE,
    WELL,
    control,
    facts,
    failing,
    progress,
    queues,
    run,
    runs,
    seen,
)
from tests.unit.control.records import NOW, position, quote
from trading.model.alerts import Alert, Severity
from trading.model.control import KillLevel
from trading.model.times import to_text

SECOND = timedelta(seconds=1)
NAKED = replace(position(), intents=())
LATE = seen(coins=replace(COINS, candles=progress(0, ("XRP", 45))))


def told(health: Health) -> Alert:
    alert = health.alert()
    assert alert is not None
    return alert


def test_new_reason_beside_a_standing_one_is_another_condition() -> None:
    standing = replace(WELL, positions=(NAKED,))
    first, second = told(judge(facts(standing))), told(judge(facts(standing, look=LATE)))
    assert (first.subject, second.subject) == ("BTC unprotected", "BTC unprotected, candles")
    assert first.text in second.text


def test_reason_that_only_grows_older_is_the_same_condition() -> None:
    subjects = set()
    for age in (45, 46, 120):
        late = seen(coins=replace(COINS, candles=progress(0, ("XRP", age)), decisions=progress(100 + age)))
        subjects.add(told(judge(facts(with_late_run(age), look=late))).subject)
    (subject,) = subjects
    assert subject.split(", ")[0] == "candles"
    assert "score_setups late" in subject


def with_late_run(age: int) -> Stored:
    return replace(WELL, runs=runs() | {"score_setups": run("score_setups", NOW - age * MINUTE)})


def test_reason_that_is_not_told_changes_no_subject() -> None:
    paused = replace(WELL, positions=(NAKED,), control=control(KillLevel.NO_ENTRIES, "pause"))
    alert = told(judge(facts(paused, look=seen(queues=queues(IDLE, runs=2)))))
    assert alert.subject == "BTC unprotected"
    assert len(alert.text.splitlines()) == 3


def test_paused_system_tells_what_comes_up() -> None:
    paused = replace(WELL, control=control(KillLevel.NO_ENTRIES, "holiday"))
    assert judge(facts(paused)).alert() is None
    assert told(judge(facts(paused, look=LATE))).subject == "candles"


def test_many_causes_make_a_short_subject() -> None:
    held = [replace(position(f"C{place:02d}"), intents=()) for place in range(20)]
    subjects = [told(judge(facts(replace(WELL, positions=tuple(each))))).subject for each in (held, held[:-1])]
    assert subjects[0] != subjects[1]
    assert max(map(len, subjects)) <= SUBJECT_CHARACTERS + 12


def test_dead_letters_stay_news_until_an_alert_named_them() -> None:
    found = judge(facts(look=seen(queues=queues(IDLE, runs=2, new_dead=True))))
    assert told(found).subject == "dead letters"
    assert found.look["queues"]["new_dead"] is True
    after = found.told()
    assert (after.look["queues"]["new_dead"], after.look["coins"]) == (False, found.look["coins"])


def test_alert_without_the_dead_letters_leaves_them_news() -> None:
    unread = seen(queues=queues(IDLE, runs=2, new_dead=True), problems=(("queues", "no answer"),))
    found = judge(facts(replace(WELL, positions=(NAKED,)), look=unread))
    assert "dead letters" not in told(found).text
    assert found.told().look["queues"]["new_dead"] is True
    assert judge(facts(replace(WELL, positions=(NAKED,)), look=Look())).told().look["queues"] is None


def seen_again(first: Health, later: datetime, at: datetime) -> Health:
    """The run of `later`, that finds the record of the first one and a venue whose clock says `at`."""
    own = RunRecord(function=HEALTH_FUNCTION, at=first.at, proof=json.loads(first.to_json()))
    stored = replace(WELL, runs=runs(later) | {HEALTH_FUNCTION: own})
    return judge(facts(stored, now=later, quotes={"A": quote(at=at)}))


@pytest.mark.parametrize(("seconds", "is_told"), [(0, False), (29, False), (30, True), (60, True)])
def test_silent_venue_is_told_by_the_next_run(seconds: int, is_told: bool) -> None:
    since = {"venue": to_text(NOW - seconds * SECOND)}
    own = run(HEALTH_FUNCTION, NOW - MINUTE, failing_since=since)
    health = judge(facts(replace(WELL, runs=runs() | {own.function: own}), quotes=None, venue_problem="HTTP 429"))
    assert (health.status, health.reasons) == (Status.DOWN, ("venue does not answer (HTTP 429)",))
    assert health.failing_since == since
    assert (health.alert() is not None) is is_told


def test_first_venue_failure_makes_no_warning_critical() -> None:
    health = judge(facts(replace(WELL, positions=(NAKED,)), quotes=None, venue_problem="HTTP 429"))
    alert = told(health)
    assert (health.status, alert.severity, alert.title) == (Status.DOWN, Severity.WARNING, "System is degraded")
    assert "venue does not answer" in alert.text
    assert told(judge(facts(failing(venue=1), quotes=None))).severity is Severity.CRITICAL


@pytest.mark.parametrize(("theirs", "apart"), [(0, 0.0), (4, 0.0), (8, 0.0), (11, 3.0), (-3, -3.0), (9, 1.0)])
def test_time_between_question_and_answer_is_no_difference(theirs: int, apart: float) -> None:
    asked = NOW + 5 * SECOND
    quoted = {"A": quote(at=asked + theirs * SECOND)}
    health = judge(facts(quotes=quoted, asked=asked, answered=asked + 8 * SECOND))
    assert health.clock_skew_seconds == apart
    assert (health.reasons != ()) is (abs(apart) > 2)


def test_clocks_that_differ_are_told_when_it_lasts() -> None:
    first = judge(facts(quotes={"A": quote(at=NOW + 3 * SECOND)}))
    assert (first.reasons, first.alert()) == (("clocks differ: the venue is +3.0 s from ours",), None)
    later = NOW + 2 * MINUTE
    assert told(seen_again(first, later, later + 3 * SECOND)).subject == "clocks"
    assert seen_again(first, later, later).failing_since == {}


@pytest.mark.parametrize(("minutes", "is_told"), [(0, False), (2, True)])
def test_unreadable_run_record_is_a_reason(minutes: int, is_told: bool) -> None:
    broken = RunRecord(function="forward_alerts", at=NOW, proof={}, unreadable="stored run proof is no JSON")
    stored = failing(**{"forward_alerts record": minutes})
    health = judge(facts(replace(stored, runs=stored.runs | {"forward_alerts": broken})))
    assert health.reasons == ("the run record of forward_alerts cannot be read: stored run proof is no JSON",)
    assert (health.status, health.alert() is not None) == (Status.DEGRADED, is_told)
