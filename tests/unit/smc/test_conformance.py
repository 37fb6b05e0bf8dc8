"""External cases: what smartmoneyconcepts calls a swing and a gap on a year of EURUSD, each when it was known."""

from __future__ import annotations

import csv

import pytest

from tests.unit.smc.bars import CASES, NO_CASES, euro_bars, events_of, parameters
from trading.smc.events import RawEvent

pytestmark = pytest.mark.skipif(not CASES.exists(), reason=NO_CASES)


@pytest.fixture(scope="module")
def events() -> list[RawEvent]:
    return events_of(euro_bars(), parameters(scales=(5,), age=10**9, definitions="peer"))


def _rows(name: str) -> list[dict[str, str]]:
    with (CASES / name).open() as file:
        return list(csv.DictReader(file))


def test_all_accepted_swings_match_the_peer(events: list[RawEvent]) -> None:
    ours = [(e[4], -e[1], e[5], e[3]) for e in events if e[0] == "swing"]
    rows = [row for row in _rows("swings_L5.csv") if row["accepted"] == "1"]
    theirs = [(int(row["bar"]), int(row["kind"]), float(row["level"]), int(row["known_at"])) for row in rows]
    assert len(theirs) == 2_922
    assert ours == theirs


def test_all_superseded_swings_match_the_peer(events: list[RawEvent]) -> None:
    ours = [(e[4], e[3]) for e in events if e[0] == "swing_superseded"]
    rows = [row for row in _rows("swings_L5.csv") if row["accepted"] == "1" and row["superseded_at"] != "-1"]
    assert len(rows) == 216
    assert ours == [(int(row["bar"]), int(row["superseded_at"])) for row in rows]


def test_all_gaps_match_touch_and_fill_row_for_row(events: list[RawEvent]) -> None:
    ours: dict[tuple[object, ...], list[float]] = {}
    for event in events:
        if event[0] == "fvg":
            ours[event[:5]] = [event[4], event[1], event[5], event[6], event[3], -1, -1]
        elif event[0] == "fvg_touched":
            ours[event[7][0]][5] = event[3]
        elif event[0] == "fvg_filled":
            ours[event[7][0]][6] = event[3]
    columns = ("bar", "side", "top", "bottom", "known_at", "touched_at", "filled_at")
    theirs = [[float(row[name]) for name in columns] for row in _rows("fvg.csv")]
    assert len(theirs) == 5_020
    assert list(ours.values()) == theirs
