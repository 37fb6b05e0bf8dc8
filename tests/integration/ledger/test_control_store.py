"""The switch fails safe; days, tokens and runs have one winner each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.cloud import Cloud, write_raw
from tests.fakes.records import NOW, control, risk_day, seconds
from trading.errors import StoreConflict
from trading.model.control import KillLevel
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
