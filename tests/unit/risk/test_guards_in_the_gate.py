"""What the gate sees by itself before anybody has raised the switch, and what it cannot see."""

from __future__ import annotations

from tests.fakes.records import NOW, control, filled, planned, risk_day
from tests.unit.risk.cases import SCENE
from tests.unit.risk.limit_cases import R, risk
from trading.model.control import KillLevel
from trading.model.units import Money


def test_guard_at_its_bound_stops_before_it_is_raised() -> None:
    lost = SCENE.but(day=risk_day(week=NOW.date(), week_peak_equity=Money("11111.11")))
    just = SCENE.but(day=risk_day(week=NOW.date(), week_peak_equity=Money("11111.12")))
    assert lost.refused_by() == set()
    assert just.refused_by() == {R.KILL_LEVEL}
    assert just.but(rules=risk(weekly_loss_limit=False)).refused_by() == set()


def test_higher_switch_stands_above_a_guard() -> None:
    day = risk_day(rejections=5)
    assert SCENE.but(day=day, control=control(KillLevel.LOCK)).check(R.KILL_LEVEL).value == KillLevel.LOCK
    assert SCENE.but(day=day).check(R.KILL_LEVEL).value == KillLevel.NO_ENTRIES


def test_position_without_a_quote_hides_its_risk() -> None:
    silent = SCENE.but(silent=frozenset({"PF_O1USD"}))
    assert silent.but(positions=(filled("O1"),)).refused_by() == {R.QUOTE_COMPLETE}
    assert silent.but(positions=(planned("O1"),)).refused_by() == set()
    assert SCENE.but(positions=(filled("O1"),)).refused_by() == set()
