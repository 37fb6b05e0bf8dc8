"""When schedules fire on the virtual clock and how far a step goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.local.records import decision_bars, months
from infra.local.schedule import due, minutes_between, next_step, slot

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-05-01T{text}+00:00")


def test_schedule_is_due_at_once_at_first() -> None:
    assert due(HOUR, None, at("10:17:00"))


@pytest.mark.parametrize(
    ("now", "expected"), [("10:59:59", False), ("11:00:00", True), ("11:30:00", True), ("10:17:00", False)]
)
def test_hourly_schedule_is_due_once_per_hour(now: str, expected: bool) -> None:
    assert due(HOUR, at("10:00:00"), at(now)) is expected


def test_minute_schedule_fires_once_after_a_long_step() -> None:
    last, now = at("10:00:00"), at("10:15:00")

    assert due(MINUTE, last, now)
    assert not due(MINUTE, slot(now, MINUTE), now)


def test_four_hour_slots_start_at_midnight() -> None:
    assert slot(at("11:59:59"), 4 * HOUR) == at("08:00:00")


def test_live_step_is_one_minute() -> None:
    assert next_step(at("10:07:00"), live=True) == at("10:08:00")


@pytest.mark.parametrize("now", ["10:00:00", "10:07:00", "10:14:59"])
def test_flat_step_ends_at_the_next_close(now: str) -> None:
    assert next_step(at(now), live=False) == at("10:15:00")


def test_skipped_minutes_are_counted_by_whole_slots() -> None:
    assert minutes_between(at("10:07:00"), at("10:15:00")) == 8
    assert minutes_between(at("10:00:00"), at("10:01:00")) == 1


def test_decision_bars_include_both_ends_on_the_hour() -> None:
    assert decision_bars(at("10:00:00"), at("12:00:00")) == (at("10:00:00"), at("11:00:00"), at("12:00:00"))


def test_decision_bars_start_with_the_first_close() -> None:
    assert decision_bars(at("10:15:00"), at("11:59:00")) == (at("11:00:00"),)


def test_months_of_a_period_across_new_year() -> None:
    start, end = datetime(2023, 12, 30, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)

    assert months(start, end) == ("2023-12", "2024-01", "2024-02")
