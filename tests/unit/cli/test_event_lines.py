"""Event lines: complete, named, and the same however much of the file is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.cli.events import EventsWanted, detail_named, event_lines, scales_of
from tests.unit.strategy.markets import hours
from trading.errors import InvalidInput
from trading.model.times import from_epoch, to_text
from trading.rules import load_rules
from trading.smc.events import INITIAL, OUTSIDE, PLAIN, WITH_DISPLACEMENT

FIRST, COUNT = 1_704_067_200, 700


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bars") / "bars.csv"
    rows = (f"{FIRST + 3600 * number},{','.join(map(str, bar))}" for number, bar in enumerate(hours(5, count=COUNT)))
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def lines(file: Path, **wanted: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in event_lines(EventsWanted(path=file, timeframe="1h", **wanted))]


def test_lines_come_in_order_with_their_times(file: Path) -> None:
    found = lines(file)
    assert len(found) > 500
    assert [each["known_at"] for each in found] == sorted(each["known_at"] for each in found)
    for each in found:
        assert each["known_time"] == to_text(from_epoch(FIRST + 3600 * (each["known_at"] + 1)))
        assert each["ref_time"] == to_text(from_epoch(FIRST + 3600 * each["ref_bar"]))
        assert ("level" in each) is not ("top" in each)
        assert each["id"].startswith(f"{each['kind']}.{each['side']}.")


def test_every_cause_was_printed_before_it_is_named(file: Path) -> None:
    printed: set[str] = set()
    bars: dict[int, set[str]] = {}
    for each in lines(file):
        bars.setdefault(each["known_at"], set()).add(each["id"])
        printed.add(each["id"])
        assert all(name in printed or name in bars[each["known_at"]] for name in each["rests_on"]), each
    assert len(printed) == len(lines(file))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, COUNT - 1))
def test_last_bar_read_changes_no_earlier_line(file: Path, last: int) -> None:
    assert lines(file, to_bar=last) == [each for each in lines(file) if each["known_at"] <= last]


def test_first_bar_only_leaves_out_earlier_lines(file: Path) -> None:
    wanted = [each for each in lines(file) if 300 <= each["known_at"] <= 400]
    assert lines(file, from_bar=300, to_bar=400) == wanted != []


def test_lines_before_a_bad_row_are_told(file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    good = file.read_text(encoding="utf-8").splitlines()
    broken.write_text("\n".join([*good[:300], "oops", *good[300:]]), encoding="utf-8")
    told = event_lines(EventsWanted(path=broken, timeframe="1h"))
    found: list[str] = []
    with pytest.raises(InvalidInput, match=r"broken\.csv line 301: 'oops' has 1 columns"):
        found.extend(told)
    assert found == list(event_lines(EventsWanted(path=file, timeframe="1h", to_bar=299))) != []


def test_scales_decide_which_swings_are_told(file: Path) -> None:
    assert {each["scale"] for each in lines(file, scales="3,8") if each["kind"] == "swing"} == {3, 8}
    assert {each["scale"] for each in lines(file) if each["kind"] == "swing"} == {5, 20}


@pytest.mark.parametrize("text", ["5,", "20,5", "1,5", "x", "5,5", "5.5"])
def test_impossible_scales_are_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidInput, match="--scales is"):
        scales_of(text, load_rules().detector)


@pytest.mark.parametrize(
    ("kind", "detail", "named"),
    [
        ("bos", INITIAL, {"initial": True}),
        ("choch", WITH_DISPLACEMENT, {"market_structure_shift": True}),
        ("choch", PLAIN, {}),
        ("order_block_touched", 1, {"touches": 1}),
        ("fvg_retouched", 3, {"touches": 3}),
        ("order_block_reinforced", 2, {"breaks": 2}),
        ("sweep", 3 + OUTSIDE, {"members": 3, "outside_bar": True}),
        ("equal_levels", 2, {"members": 2}),
        ("swing", PLAIN, {}),
    ],
)
def test_detail_is_told_by_its_name(kind: str, detail: int, named: dict[str, Any]) -> None:
    assert detail_named(kind, detail) == named


def test_wrong_timeframe_and_bars_are_refused(file: Path) -> None:
    with pytest.raises(InvalidInput, match="--timeframe is '7m'; expected 15m, 1h, 4h, 1d"):
        next(event_lines(EventsWanted(path=file, timeframe="7m")))
    with pytest.raises(InvalidInput, match="--to-bar is 3; expected at least --from-bar, which is 5"):
        EventsWanted(path=file, timeframe="1h", from_bar=5, to_bar=3)
