"""The switch fails safe; days, tokens and runs have one winner each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.storage.codec import to_json
from shared.storage.control import ControlStore
from shared.storage.tables import LedgerItem
from tests.fakes.cloud import Cloud, write_raw
from tests.fakes.records import NOW, control, risk_day, seconds
from trading.errors import StoreConflict
from trading.model.control import Guard, KillLevel, RiskDay
from trading.model.units import Money


def test_missing_switch_reads_as_no_entries(cloud: Cloud) -> None:
    found = cloud.control.control(NOW)
    assert (found.level, found.version) == (KillLevel.NO_ENTRIES, 0)
    assert "resume" in found.reason


@pytest.mark.parametrize("body", ["", "{", "[]", '{"level": 0}', '{"level": 17}'])
def test_corrupt_switch_reads_as_no_entries(cloud: Cloud, body: str) -> None:
    write_raw("CONTROL", "CURRENT", body=body, state="0")
    found = cloud.control.control(NOW)
    assert found.level is KillLevel.NO_ENTRIES
    assert "unreadable" in found.reason


def test_corrupt_switch_can_be_set_again(cloud: Cloud) -> None:
    stored = cloud.control.set_control(control(KillLevel.FLATTEN))
    write_raw("CONTROL", "CURRENT", body="{", state="0")
    found = cloud.control.control(NOW)
    again = cloud.control.set_control(replace(found, level=KillLevel.NORMAL, changed_at=NOW + seconds(1)))
    assert cloud.control.control(NOW).level is KillLevel.NORMAL
    assert again.version == found.version + 1
    assert stored.version == 1


def test_switch_has_one_winner_per_version(cloud: Cloud) -> None:
    cloud.control.set_control(control())
    cloud.control.set_control(control(KillLevel.FLATTEN, version=1))
    with pytest.raises(StoreConflict, match="version 1"):
        cloud.control.set_control(control(KillLevel.NORMAL, version=1))
    assert cloud.control.control(NOW).level is KillLevel.FLATTEN


def test_lost_switch_leaves_no_audit_record(cloud: Cloud) -> None:
    cloud.control.set_control(control())
    with pytest.raises(StoreConflict):
        cloud.control.set_control(control(KillLevel.FLATTEN, version=7))
    assert [item.state or item.body for item in LedgerItem.query("CONTROL_AUDIT")] == [
        LedgerItem.get("CONTROL", "CURRENT").body
    ]


def test_risk_day_keeps_every_field(cloud: Cloud) -> None:
    full = risk_day(
        week=NOW.date(),
        week_peak_equity=Money("10100.5"),
        highest_equity=Money(12_000),
        rejections=2,
        reached=(Guard.DRAWDOWN, Guard.REJECTIONS),
        implausible=Money("-3.25"),
    )
    stored = cloud.control.save_risk_day(full)
    assert cloud.control.risk_day() == stored == replace(full, version=1)


def test_risk_day_of_the_version_before_decodes(cloud: Cloud) -> None:
    body = (
        '{"day":"2024-05-01","halted_on":null,"last_equity":"9900","peak_equity":"10000","start_equity":"10000",'
        '"streaks":[{"losses":2,"paused_until":null,"regime":"tight_smc"}],"version":3}'
    )
    write_raw("RISK_DAY", "CURRENT", body=body, state="OPEN")
    day = cloud.control.risk_day()
    assert day is not None
    assert (day.week, day.week_peak_equity, day.highest_equity, day.rejections, day.implausible) == (
        None, None, None, 0, None,
    )  # fmt: skip


def test_answers_of_entries_are_counted_in_a_row(cloud: Cloud) -> None:
    cloud.control.save_risk_day(risk_day())
    for accepted, expected in ((False, 1), (False, 2), (True, 0), (False, 1)):
        cloud.control.note_entry_answer(accepted, limit=5)
        assert stored_day(cloud).rejections == expected


def test_row_at_its_limit_survives_an_accepted_entry(cloud: Cloud) -> None:
    cloud.control.save_risk_day(risk_day())
    for accepted, reached in ((False, ()), (False, (Guard.REJECTIONS,)), (True, (Guard.REJECTIONS,))):
        cloud.control.note_entry_answer(accepted, limit=2)
        assert stored_day(cloud).reached == reached
    assert stored_day(cloud).rejections == 0


def damage_day(body: str | None) -> None:
    """The stored day as a broken writer, or a newer version of the code, would leave it."""
    item = LedgerItem.get("RISK_DAY", "CURRENT")
    item.body = body
    item.save()


NEWER = to_json(risk_day()).replace("{", '{"a_field_of_later":1,', 1)


@pytest.mark.parametrize("body", ["{nonsense", None, '{"day":"2024-05-01"}', "[]", NEWER])
def test_damaged_day_reads_as_unreadable_at_its_version(cloud: Cloud, body: str | None) -> None:
    cloud.control.save_risk_day(cloud.control.save_risk_day(risk_day()))
    damage_day(body)
    day = stored_day(cloud)
    assert "does not decode" in day.unreadable
    assert (day.version, day.halted, len(day.unreadable) <= 300) == (2, True, True)


def test_day_damaged_at_length_is_described_in_short(cloud: Cloud) -> None:
    cloud.control.save_risk_day(risk_day())
    damage_day('{"' + 400 * "x" + '":1}')
    assert len(stored_day(cloud).unreadable) == 300


def test_answer_on_an_unreadable_day_changes_nothing(cloud: Cloud) -> None:
    cloud.control.save_risk_day(risk_day())
    damage_day("{nonsense")
    cloud.control.note_entry_answer(False, limit=5)
    assert LedgerItem.get("RISK_DAY", "CURRENT").body == "{nonsense"


def test_forgotten_unreadable_day_is_kept_aside(cloud: Cloud) -> None:
    cloud.control.save_risk_day(risk_day())
    damage_day("{nonsense")
    cloud.control.forget_unreadable_day(stored_day(cloud), NOW)
    assert cloud.control.risk_day() is None
    assert [item.body for item in LedgerItem.query("RISK_DAY_UNREADABLE")] == ["{nonsense"]


@pytest.mark.parametrize("version", [0, 1])
def test_day_that_moved_meanwhile_is_not_forgotten(cloud: Cloud, version: int) -> None:
    cloud.control.save_risk_day(cloud.control.save_risk_day(risk_day()))
    with pytest.raises(StoreConflict, match=f"no longer at version {version}"):
        cloud.control.forget_unreadable_day(RiskDay.unknown("lost", version), NOW)
    assert stored_day(cloud).version == 2
    assert list(LedgerItem.query("RISK_DAY_UNREADABLE")) == []


def test_accepted_entry_after_another_writes_nothing(cloud: Cloud) -> None:
    cloud.control.save_risk_day(risk_day())
    cloud.control.note_entry_answer(True, limit=5)
    assert stored_day(cloud).version == 1


def test_answer_before_the_first_day_creates_nothing(cloud: Cloud) -> None:
    cloud.control.note_entry_answer(False, limit=5)
    assert cloud.control.risk_day() is None


class Overtaken(ControlStore):
    """Between its read and its write of the day somebody else writes, as often as it says."""

    times = 1

    def risk_day(self) -> RiskDay | None:
        day = super().risk_day()
        if day is not None and self.times:
            self.times -= 1
            super().save_risk_day(day)
        return day


def test_overtaken_answer_is_counted_on_the_newer_day(cloud: Cloud) -> None:
    cloud.control.save_risk_day(risk_day(rejections=1))
    Overtaken(LedgerItem.Meta.table_name).note_entry_answer(False, limit=5)
    assert (stored_day(cloud).rejections, stored_day(cloud).version) == (2, 3)


def test_answer_that_is_always_overtaken_says_so(cloud: Cloud) -> None:
    cloud.control.save_risk_day(risk_day())
    store = Overtaken(LedgerItem.Meta.table_name)
    store.times = 3
    with pytest.raises(StoreConflict, match="3 times meanwhile"):
        store.note_entry_answer(False, limit=5)
    assert stored_day(cloud).rejections == 0


def stored_day(cloud: Cloud) -> RiskDay:
    day = cloud.control.risk_day()
    assert day is not None
    return day


def test_risk_day_has_one_winner_per_version(cloud: Cloud) -> None:
    assert cloud.control.risk_day() is None
    first = cloud.control.save_risk_day(risk_day())
    cloud.control.save_risk_day(replace(first, halted_on=first.day))
    with pytest.raises(StoreConflict):
        cloud.control.save_risk_day(replace(first, last_equity=Money(1)))
    stored = cloud.control.risk_day()
    assert stored is not None
    assert stored.halted


def test_token_can_be_spent_once(cloud: Cloud) -> None:
    expires = NOW + seconds(120)
    cloud.control.add_token("token-1", "all", expires)
    assert cloud.control.spend_token("token-1") == ("all", expires)
    assert cloud.control.spend_token("token-1") is None
    assert cloud.control.spend_token("never-made") is None


def test_condition_is_told_once_per_window(cloud: Cloud) -> None:
    window = timedelta(minutes=10)
    told = [cloud.control.tell_once("naked", NOW + seconds(at), window) for at in (0, 1, 599, 600, 601)]
    assert told == [True, False, False, True, False]
    assert cloud.control.tell_once("other", NOW, window)


def test_first_observation_is_remembered(cloud: Cloud) -> None:
    assert cloud.control.first_observed("drift", NOW) == NOW
    assert cloud.control.first_observed("drift", NOW + seconds(60)) == NOW
    assert cloud.control.observations() == {"drift": NOW}
    cloud.control.forget_observation("drift")
    assert cloud.control.first_observed("drift", NOW + seconds(90)) == NOW + seconds(90)


def test_older_run_never_overwrites_a_newer(cloud: Cloud) -> None:
    cloud.control.record_run("manage_exits", NOW, {"positions": 2})
    cloud.control.record_run("manage_exits", NOW - seconds(60), {"positions": 1})
    run = cloud.control.last_run("manage_exits")
    assert run is not None
    assert (run.at, run.proof) == (NOW, {"positions": 2})
    assert set(cloud.control.last_runs()) == {"manage_exits"}
    assert cloud.control.last_run("other") is None
