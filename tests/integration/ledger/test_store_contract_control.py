"""Contract of the switch, the risk day and the small records: DynamoDB and its twin in memory behave alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pynamodb.exceptions import PutError

from shared.storage.codec import to_json
from shared.storage.control import RunRecord, claimed_mark
from tests.fakes.records import NOW, control, risk_day, seconds
from tests.simulation.memory.either import KINDS, Stores, stores_of
from trading.errors import StoreConflict
from trading.model.control import Guard, KillLevel, LossStreak, RiskDay
from trading.model.signals import Regime
from trading.model.units import Money


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    with stores_of(request.param, monkeypatch) as either:
        yield either


FULL_DAY = risk_day(
    week=NOW.date(),
    week_peak_equity=Money("10100.5"),
    highest_equity=Money(12_000),
    rejections=2,
    reached=(Guard.DRAWDOWN,),
    implausible=Money("-3.25"),
    streaks=(LossStreak(regime=Regime.TIGHT_SMC, losses=2, paused_until=NOW),),
)


# the switch


@pytest.mark.parametrize("level", list(KillLevel))
def test_switch_reads_back_at_every_level(stores: Stores, level: KillLevel) -> None:
    first = stores.control.set_control(control(level))
    assert stores.control.control(NOW) == first == control(level, version=1)
    second = stores.control.set_control(replace(first, reason="again"))
    assert stores.control.control(NOW) == second == replace(first, reason="again", version=2)


def test_missing_switch_says_so_at_now(stores: Stores) -> None:
    found = stores.control.control(NOW + seconds(5))
    assert (found.level, found.version, found.changed_at) == (KillLevel.NO_ENTRIES, 0, NOW + seconds(5))
    assert found.reason == "no control record yet: an operator must resume"


@pytest.mark.parametrize("version", [0, 1, 3])
def test_switch_that_moved_is_not_replaced(stores: Stores, version: int) -> None:
    stored = stores.control.set_control(stores.control.set_control(control()))
    with pytest.raises(StoreConflict, match=f"control record is no longer at version {version}"):
        stores.control.set_control(control(KillLevel.LOCK, version=version))
    assert stores.control.control(NOW) == stored


def test_absent_switch_is_not_set_at_a_version(stores: Stores) -> None:
    with pytest.raises(StoreConflict):
        stores.control.set_control(control(version=1))
    assert stores.control.control(NOW).version == 0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"level": 17}'])
@pytest.mark.parametrize("level", [None, *KillLevel])
def test_damaged_switch_stops_entries_until_replaced(stores: Stores, text: str, level: KillLevel | None) -> None:
    """A flatten or a lock, whose level stands beside the text, is not lifted by damage."""
    if level is not None:
        stores.control.set_control(control(level))
    stores.damage.control(text)
    found = stores.control.control(NOW)
    assert (found.level, found.version) == (max(level or 0, KillLevel.NO_ENTRIES), int(level is not None))
    assert found.reason.startswith("control record unreadable: stored Control does not decode")
    again = stores.control.set_control(replace(found, reason="mended"))
    assert stores.control.control(NOW) == again


def test_audit_of_what_leaves_the_switch_alone(stores: Stores) -> None:
    """It collides neither with the switch's own records nor with another request's."""
    first = stores.control.set_control(control())
    for request in ("request-1", "request-2", "request-2"):
        stores.control.add_audit(replace(first, reason=request), request)
    assert stores.control.control(NOW) == first
    assert stores.control.set_control(first).version == 2


# the risk day


def test_risk_day_reads_back_with_every_field(stores: Stores) -> None:
    assert stores.control.risk_day() is None
    stored = stores.control.save_risk_day(FULL_DAY)
    assert stores.control.risk_day() == stored == replace(FULL_DAY, version=1)


@pytest.mark.parametrize("version", [0, 1, 3])
def test_risk_day_that_moved_is_not_saved(stores: Stores, version: int) -> None:
    stored = stores.control.save_risk_day(stores.control.save_risk_day(risk_day()))
    with pytest.raises(StoreConflict, match=f"risk day is no longer at version {version}"):
        stores.control.save_risk_day(replace(FULL_DAY, version=version))
    assert stores.control.risk_day() == stored


def test_absent_risk_day_is_not_saved_at_a_version(stores: Stores) -> None:
    with pytest.raises(StoreConflict):
        stores.control.save_risk_day(risk_day(version=1))
    assert stores.control.risk_day() is None


NEWER = to_json(risk_day()).replace("{", '{"a_field_of_later":1,', 1)


@pytest.mark.parametrize("text", ["", "{nonsense", '{"day":"2024-05-01"}', NEWER, '{"' + 400 * "x" + '":1}'])
@pytest.mark.parametrize("present", [False, True])
def test_damaged_day_is_unreadable_until_forgotten(stores: Stores, text: str, present: bool) -> None:
    if present:
        stores.control.save_risk_day(risk_day())
    stores.damage.risk_day(text)
    day = stores.control.risk_day()
    assert day is not None
    assert (day.version, day.halted) == (int(present), True)
    assert day.unreadable.startswith("stored RiskDay does not decode")
    assert len(day.unreadable) <= 300
    stores.control.note_entry_answer(False, limit=1)
    assert stores.control.risk_day() == day
    stores.control.forget_unreadable_day(day, NOW)
    assert stores.control.risk_day() is None
    assert stores.control.save_risk_day(risk_day()).version == 1


@pytest.mark.parametrize("version", [0, 1])
def test_day_that_moved_is_not_forgotten(stores: Stores, version: int) -> None:
    stored = stores.control.save_risk_day(stores.control.save_risk_day(risk_day()))
    with pytest.raises(StoreConflict, match=f"risk day is no longer at version {version}"):
        stores.control.forget_unreadable_day(RiskDay.unknown("lost", version), NOW)
    assert stores.control.risk_day() == stored


def test_forgotten_day_is_kept_once_per_moment(stores: Stores) -> None:
    stores.control.forget_unreadable_day(RiskDay.unknown("never was", 0), NOW)
    with pytest.raises(StoreConflict):
        stores.control.forget_unreadable_day(RiskDay.unknown("never was", 0), NOW)
    stores.control.forget_unreadable_day(RiskDay.unknown("never was", 0), NOW + seconds(1))


def test_answers_of_the_venue_are_counted(stores: Stores) -> None:
    stores.control.note_entry_answer(False, limit=2)
    assert stores.control.risk_day() is None
    stores.control.save_risk_day(risk_day())
    found = []
    for accepted in (True, False, False, True):
        stores.control.note_entry_answer(accepted, limit=2)
        day = stores.control.risk_day()
        assert day is not None
        found.append((day.rejections, day.reached, day.version))
    assert found == [(0, (), 1), (1, (), 2), (2, (Guard.REJECTIONS,), 3), (0, (Guard.REJECTIONS,), 4)]


# runs and health


@pytest.mark.parametrize(
    ("proof", "stored"),
    [
        ({}, {}),
        ({"b": 1, "a": None, "c": True, "d": 1.5}, {"a": None, "b": 1, "c": True, "d": 1.5}),
        (
            {"net": Decimal("1.50"), "at": NOW, "many": (1, 2)},
            {"at": "2024-05-01 10:00:30+00:00", "many": [1, 2], "net": "1.50"},
        ),
        ({"level": KillLevel.LOCK, "regime": Regime.TIGHT_SMC}, {"level": 4, "regime": "tight_smc"}),
        ({"inner": {"b": 1, "a": [{"c": 2}]}}, {"inner": {"a": [{"c": 2}], "b": 1}}),
    ],
)
def test_proof_reads_back_as_json_has_it(stores: Stores, proof: dict[str, Any], stored: dict[str, Any]) -> None:
    stores.control.record_run("manage_exits", NOW, proof)
    run = RunRecord(function="manage_exits", at=NOW, proof=stored)
    assert stores.control.last_run("manage_exits") == run
    assert stores.control.last_runs() == {"manage_exits": run}
    assert list(run.proof) == sorted(proof)


@pytest.mark.parametrize("proof", [{"count": 1}, {"inner": {"count": 1}}])
def test_proof_is_a_copy_both_ways(stores: Stores, proof: dict[str, Any]) -> None:
    given = {name: dict(each) if isinstance(each, dict) else each for name, each in proof.items()}
    stores.control.record_run("manage_exits", NOW, given)
    for _ in range(2):
        found = stores.control.last_run("manage_exits")
        assert found is not None
        assert found.proof == proof
        for changed in (given, found.proof):
            changed["more"] = 1
            changed.get("inner", {})["more"] = 1


def test_newest_run_stays_and_equal_replaces(stores: Stores) -> None:
    for number, offset in enumerate((0, -1, 2, 1, 2)):
        stores.control.record_run("manage_exits", NOW + seconds(offset), {"number": number})
    found = stores.control.last_run("manage_exits")
    assert found is not None
    assert (found.at, found.proof) == (NOW + seconds(2), {"number": 4})
    assert stores.control.last_run("other") is None


def test_runs_come_in_the_order_of_names(stores: Stores) -> None:
    for name in ("score", "exit", "check"):
        stores.control.record_run(name, NOW, {})
    assert list(stores.control.last_runs()) == ["check", "exit", "score"]


def test_health_is_the_run_of_its_function(stores: Stores) -> None:
    assert stores.control.health() is None
    stores.control.save_health('{"ok":1}', NOW)
    assert stores.control.health() == ('{"ok":1}', NOW)
    assert stores.control.last_runs() == {"check_health": RunRecord(function="check_health", at=NOW, proof={"ok": 1})}
    stores.control.record_run("check_health", NOW + seconds(1), {"b": 1, "a": 2})
    assert stores.control.health() == ('{"a": 2, "b": 1}', NOW + seconds(1))


def test_older_health_is_refused_by_the_store(stores: Stores) -> None:
    stores.control.save_health("{}", NOW)
    with pytest.raises(PutError) as refused:
        stores.control.save_health("[]", NOW - seconds(1))
    assert refused.value.cause_response_code == "ConditionalCheckFailedException"
    assert stores.control.health() == ("{}", NOW)


# small records


def test_observation_keeps_its_first_moment(stores: Stores) -> None:
    assert [stores.control.first_observed("b", NOW + seconds(at)) for at in (2, 1, 3)] == [NOW + seconds(2)] * 3
    stores.control.first_observed("a", NOW)
    assert list(stores.control.observations().items()) == [("a", NOW), ("b", NOW + seconds(2))]
    for _ in range(2):
        stores.control.forget_observation("b")
    assert stores.control.observations() == {"a": NOW}
    assert stores.control.first_observed("b", NOW + seconds(9)) == NOW + seconds(9)


def test_token_is_added_once_and_spent_once(stores: Stores) -> None:
    expires = NOW + seconds(120)
    stores.control.add_token("one", "all", expires)
    with pytest.raises(PutError) as refused:
        stores.control.add_token("one", "more", NOW)
    assert refused.value.cause_response_code == "ConditionalCheckFailedException"
    assert stores.control.read_token("one") == ("all", expires)
    assert stores.control.spend_token("one") == ("all", expires)
    assert stores.control.read_token("one") is None
    assert stores.control.spend_token("one") is None
    stores.control.add_token("one", "", NOW)
    assert stores.control.spend_token("one") == ("", NOW)


def test_window_opens_again_at_its_length(stores: Stores) -> None:
    window = timedelta(minutes=10)
    moments = (0, 0, -60, 599, 599.999, 600, 601, 1199.999, 1200)
    told = [stores.control.tell_once("naked", NOW + seconds(at), window) for at in moments]
    assert told == [True, False, False, False, False, True, False, False, True]
    assert stores.control.tell_once("other", NOW, window)
    assert stores.control.tell_once("other", NOW, timedelta(0))


def test_claimed_window_opens_again_after_its_lease(stores: Stores) -> None:
    window, lease = timedelta(minutes=10), seconds(45)
    told = [stores.control.tell_once("naked", NOW + seconds(at), window, lease) for at in (0, 0, 44.999, 45, 60)]
    assert told == [True, False, False, True, False]


def test_settled_claim_mutes_for_the_whole_window(stores: Stores) -> None:
    window, lease = timedelta(minutes=10), seconds(45)
    assert stores.control.tell_once("naked", NOW, window, lease)
    stores.control.tell_once_settle("naked", claimed_mark(NOW, window, lease), NOW)
    told = [stores.control.tell_once("naked", NOW + seconds(at), window, lease) for at in (45, 599.999, 600)]
    assert told == [False, False, True]


def test_claim_given_back_is_free_at_once(stores: Stores) -> None:
    window, lease = timedelta(minutes=10), seconds(45)
    assert stores.control.tell_once("naked", NOW, window, lease)
    stores.control.tell_once_settle("naked", claimed_mark(NOW, window, lease), NOW - window)
    assert stores.control.tell_once("naked", NOW, window, lease)


def test_late_settling_never_touches_anothers_claim(stores: Stores) -> None:
    window, lease = timedelta(minutes=10), seconds(45)
    assert stores.control.tell_once("naked", NOW, window, lease)
    assert stores.control.tell_once("naked", NOW + seconds(50), window, lease)
    stores.control.tell_once_settle("naked", claimed_mark(NOW, window, lease), NOW - window)
    assert not stores.control.tell_once("naked", NOW + seconds(60), window, lease)
    stores.control.tell_once_settle("nobody", NOW, NOW)
    assert stores.control.tell_once("nobody", NOW, window)
