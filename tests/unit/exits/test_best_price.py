"""From when on a bar's best price is the position's own: never one from before the entry or before the first target."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.fakes.records import BAR, NOW, quote
from tests.unit.exits.exit_cases import CONTRACT, HIT, after_target, case, fired, hourly, rules_of
from trading.exits.case import ExitCase
from trading.exits.registry import decide_exit
from trading.model.instruments import Side

LONG, SHORT = Side.LONG, Side.SHORT
SECOND = timedelta(seconds=1)
ONLY = rules_of("trailing", "progressive_tightening")


def seen(side: Side, *rows: tuple[float, float], mark: Any = None, **position: Any) -> ExitCase:
    """After as many hours as there are bars, given as the long sees them; the mark is at the first target."""
    hours = len(rows)
    turned = rows if side is LONG else [(200 - low, 200 - high) for high, low in rows]
    bars = hourly(NOW + timedelta(hours=hours), *turned)
    at = mark or (102 if side is LONG else 98)
    return case(after_target(side, **position), mark=at, hours=hours, bars=bars, rules=ONLY)


def trailing(given: ExitCase) -> str:
    return dict(decide_exit(given).details)["trailing"]


@pytest.mark.parametrize("side", [LONG, SHORT])
@pytest.mark.parametrize("best", [104.0, 116.0])
def test_best_price_before_the_entry_closes_nothing(side: Side, best: float) -> None:
    """Entered at 100 on the way back from it, with the target's own bar already open."""
    given = seen(side, (best, 99.8), opened_at=NOW)
    assert "Close" not in fired(decide_exit(given))
    assert f"from the best price {102 if side is LONG else 98}" in trailing(given)
    assert dict(decide_exit(given).details)["progressive_tightening"].endswith("1.0 R")


@pytest.mark.parametrize("side", [LONG, SHORT])
def test_bar_that_opened_with_the_position_counts(side: Side) -> None:
    far = {"mark": 104 if side is LONG else 96}
    assert f"best price {105 if side is LONG else 95}:" in trailing(seen(side, (105.0, 104.0), **far, opened_at=BAR))
    late = seen(side, (105.0, 104.0), **far, opened_at=BAR + SECOND)
    assert f"best price {102 if side is LONG else 98}:" in trailing(late)


def test_bar_that_ended_with_the_target_does_not_count() -> None:
    """Its best price came before the target did."""
    ended = {"opened_at": BAR, "first_target_at": BAR + timedelta(hours=1)}
    given = seen(LONG, (105.0, 99.8), (103.0, 101.0), **ended)
    assert "best price 103" in trailing(given)


@pytest.mark.parametrize(("opened", "best"), [(HIT, "102"), (None, "102"), (BAR - SECOND, "104")])
def test_position_without_its_time_trails_from_the_target(opened: datetime | None, best: str) -> None:
    assert f"best price {best}" in trailing(seen(LONG, (104.0, 99.8), opened_at=opened))


def test_bars_after_the_first_target_count_as_before() -> None:
    """Target in the second hour: the bar of the entry does not count, the target's own and the next do."""
    second_hour = {"opened_at": NOW, "first_target_at": HIT + timedelta(hours=1)}
    two = seen(LONG, (120.0, 99.8), (105.0, 101.0), **second_hour)
    three = seen(LONG, (120.0, 99.8), (105.0, 101.0), (106.0, 103.0), **second_hour)
    assert "best price 105" in trailing(two)
    assert "best price 106" in trailing(three)


def test_later_bars_go_on_from_the_target() -> None:
    lower = seen(LONG, (120.0, 99.8), (101.5, 101.0), opened_at=NOW)
    assert "best price 102" in trailing(lower)
    higher = replace(lower, bars=hourly(lower.now, (120.0, 99.8), (103.0, 101.0)))
    assert "best price 103" in trailing(higher)


def test_stop_never_follows_an_old_quote() -> None:
    """One hour old: neither a close nor a move, also where the mark of then has passed the level."""
    given = seen(LONG, (106.0, 103.0), mark=104)
    for mark in (101, 106):
        old = replace(given, quote=quote(CONTRACT, mark, at=given.now - timedelta(hours=1)))
        verdict = decide_exit(old)
        assert fired(verdict) == (None, "")
        assert verdict.without_input == ("trailing", "progressive_tightening")
        assert decide_exit(replace(old, quote=quote(CONTRACT, mark, at=old.now))).fired is not None
