"""Texts on a drawing keep away from each other, and from what is drawn as long as there is another place."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from trading.reporting.labels import Box, LabelMap, spread

AREA = Box(0, 0, 400, 200)


@given(st.lists(st.floats(0, 400), min_size=1, max_size=12))
def test_spread_values_keep_order_and_distance(wanted: list[float]) -> None:
    found = spread(wanted, 18, 0, 400)
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    assert all(found[after] - found[before] >= 18 - 1e-9 for before, after in pairwise(order))
    assert min(found) >= 0
    assert max(found) <= 400


def test_values_far_apart_are_not_moved() -> None:
    assert spread([10, 90, 50], 18, 0, 400) == [10, 90, 50]


@given(st.lists(st.tuples(st.floats(0, 350), st.floats(0, 200)), min_size=1, max_size=40))
def test_placed_texts_never_cover_each_other(spots: list[tuple[float, float]]) -> None:
    labels = LabelMap(AREA)
    placed = [labels.place("BOS", 10, [spot]) for spot in spots]
    assert len(labels.taken) == sum(each is not None for each in placed)
    assert not any(one.meets(other) for one, other in combinations(labels.taken, 2))
    assert all(box.within(AREA) for box in labels.taken)


def test_busy_place_is_taken_only_at_last() -> None:
    labels = LabelMap(AREA, busy=[Box(0, 0, 100, 200)])
    assert labels.place("OB", 10, [(20, 50), (200, 50)]) == (200, 50)
    assert labels.place("OB", 10, [(20, 50)], must=False) is None
    assert labels.place("OB", 10, [(20, 50)]) == (20, 50)
    assert labels.place("OB", 10, [(20, 50)]) is None
