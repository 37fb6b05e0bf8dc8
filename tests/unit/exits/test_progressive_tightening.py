"""The trailing distance by the multiples of the first risk: R is 2 here, from an entry at 100."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.records import NOW, rules_with
from tests.unit.exits.exit_cases import after_target, case, fired, hourly, rules_of
from trading.exits.case import ExitCase
from trading.exits.registry import decide_exit
from trading.model.instruments import Side
from trading.model.units import Price

AT_11 = NOW + timedelta(hours=1)
ONLY = rules_of("progressive_tightening")
BOTH = rules_of("trailing", "progressive_tightening")


def gone(best: float, mark: Any, side: Side = Side.LONG, **more: Any) -> ExitCase:
    """The newest bar reaches `best` within a range of 1, so that the ATR grows with the step to it."""
    newest = (best, best - 1) if side is Side.LONG else (best + 1, best)
    stop = Price("100.4") if side is Side.LONG else Price("99.6")
    position = after_target(side, **({"stop": stop} | more.pop("position", {})))
    values: dict[str, Any] = {"bars": hourly(AT_11, newest), "rules": ONLY} | more
    return case(position, mark=None if mark is None else Decimal(str(mark)), **values)


@pytest.mark.parametrize(
    ("best", "asked"),
    [
        (105.9, ""),
        # ATR (13 + 6) / 14 = 1.3571, x 1.3 = 1.7643
        (106.0, "104.2"),
        # 109.9: ATR 1.6357, x 1.3 = 2.1264; 110: ATR 1.6429, x 1.1 = 1.8071
        (109.9, "107.7"),
        (110.0, "108.1"),
        # 115.9: ATR 2.0643, x 1.1 = 2.2707; 116: ATR 2.0714, x 0.8 = 1.6571
        (115.9, "113.6"),
        (116.0, "114.3"),
    ],
)
def test_distance_shrinks_with_the_gain(best: float, asked: str) -> None:
    assert fired(decide_exit(gone(best, mark=best))) == ("progressive_tightening" if asked else None, asked)


def test_short_is_the_mirror_of_the_long() -> None:
    assert fired(decide_exit(gone(94.0, mark=94, side=Side.SHORT))) == ("progressive_tightening", "95.8")


def test_switch_of_the_rule_stops_it() -> None:
    off = decide_exit(gone(106.0, mark=106, rules=rules_of("trailing")))
    assert fired(off) == ("trailing", "103.9")
    assert fired(decide_exit(gone(106.0, mark=106, rules=BOTH))) == ("progressive_tightening", "104.2")


def test_passed_level_leaves_it_to_trailing() -> None:
    """Between 104.2 (1.3 ATR) and 103.9 (1.5 ATR) the looser stop stands; below it the position is closed."""
    assert fired(decide_exit(gone(106.0, mark="104", rules=BOTH))) == ("trailing", "103.9")
    assert fired(decide_exit(gone(106.0, mark="103.9", rules=BOTH))) == ("trailing", "Close")
    assert fired(decide_exit(gone(106.0, mark="104"))) == (None, "")


def test_stop_that_is_tighter_stays() -> None:
    assert fired(decide_exit(gone(106.0, mark=106, position={"stop": Price("104.2")}))) == (None, "")


@pytest.mark.parametrize(
    "given",
    [
        gone(106.0, mark=None),
        gone(106.0, mark=106, age_s=11),
        gone(106.0, mark=106, bars=None),
        gone(106.0, mark=106, position={"fills": ()}),
    ],
)
def test_missing_input_is_said(given: ExitCase) -> None:
    verdict = decide_exit(given)
    assert verdict.without_input == ("progressive_tightening",)
    assert fired(verdict) == (None, "")


def test_nothing_is_asked_before_the_first_target() -> None:
    verdict = decide_exit(gone(106.0, mark=106, position={"first_target_at": None}))
    assert (verdict.without_input, fired(verdict)) == ((), (None, ""))


@pytest.mark.parametrize(
    ("best", "key"),
    [
        (106.0, '"progressive_1_r": 3.1'),
        (106.0, '"progressive_1_atr": 1.2'),
        (110.0, '"progressive_2_r": 5.1'),
        (110.0, '"progressive_2_atr": 1.2'),
        (116.0, '"progressive_3_r": 8.1'),
        (116.0, '"progressive_3_atr": 0.7'),
    ],
)
def test_every_step_is_a_rule(best: float, key: str) -> None:
    found = fired(decide_exit(gone(best, mark=best)))
    changed = rules_with(f'{{"exits": {{{key}, "trailing": false}}}}')
    assert fired(decide_exit(replace(gone(best, mark=best), rules=changed))) != found
