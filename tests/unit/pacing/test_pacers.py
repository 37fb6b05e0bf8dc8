"""Two readings of one limit: a budget per pair, and one for all pairs."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.pacing import LATE_S, Pacer, PairPacer, SharedPacer, spacing_s, starts
from tests.unit.pacing.virtual_time import VirtualTime
from trading.errors import InvalidInput

THREADS = 8


def turns(pacer: Pacer, clock: VirtualTime, *pairs: str) -> list[float]:
    """When the turns of these pairs come, asked for one after the other."""
    return [clock.seconds for pair in pairs if pacer.take_turn(pair)]


def in_threads(task: Callable[[int], object]) -> list[object]:
    with ThreadPoolExecutor(THREADS) as executor:
        return list(executor.map(task, range(THREADS), timeout=5))


def test_one_pair_is_called_once_per_spacing() -> None:
    clock = VirtualTime()
    pacer = PairPacer(1.5, clock.now, clock.wait)

    assert turns(pacer, clock, "A", "A", "A") == [0.0, 1.5, 3.0]


def test_pairs_do_not_wait_for_one_another() -> None:
    clock = VirtualTime()
    pacer = PairPacer(1.5, clock.now, clock.wait)

    assert turns(pacer, clock, "A", "B", "C") == [0.0, 0.0, 0.0]


def test_first_complaint_makes_all_pairs_share_one_pace() -> None:
    clock = VirtualTime()
    pacer = PairPacer(1.5, clock.now, clock.wait)
    turns(pacer, clock, "A")
    pacer.slow_down()

    assert turns(pacer, clock, "B", "C", "A") == [1.5, 3.0, 4.5]


def test_each_further_complaint_doubles_the_pace() -> None:
    clock = VirtualTime()
    pacer = PairPacer(1.5, clock.now, clock.wait)
    gaps = []
    for pair in "ABCDE":
        before = clock.seconds
        pacer.slow_down()
        gaps += [start - before for start in turns(pacer, clock, pair)]

    assert gaps == [1.5, 3.0, 6.0, 8.0, 8.0]


def test_refusals_of_calls_under_way_count_once() -> None:
    clock, meeting = VirtualTime(), Barrier(THREADS)
    pacer = PairPacer(1.5, clock.now, clock.wait)

    def refused(number: int) -> None:
        pacer.take_turn(f"pair {number}")
        meeting.wait(5)
        pacer.slow_down()

    in_threads(refused)

    assert turns(pacer, clock, "X", "Y", "Z") == [1.5, 3.0, 4.5]


def test_turn_booked_before_a_complaint_is_booked_again() -> None:
    clock, complaints = VirtualTime(), [None]

    def wait(seconds: float) -> None:
        clock.wait(seconds)
        if complaints:
            complaints.pop()
            pacer.slow_down()

    pacer = PairPacer(2.0, clock.now, wait)

    # The second turn was due at 2 s, when the venue complained: the shared pace begins there.
    assert turns(pacer, clock, "A", "A") == [0.0, 4.0]


def test_no_turn_begins_after_the_deadline() -> None:
    clock = VirtualTime()
    pacer = PairPacer(2.0, clock.now, clock.wait, deadline=3.0)

    assert [pacer.take_turn(pair) for pair in "AAAB"] == [True, True, False, True]
    assert clock.waits == [2.0]


def test_standing_clock_lets_every_turn_begin_at_once() -> None:
    asked: list[float] = []
    by_pair, shared = PairPacer(1.0, lambda: 7.0, asked.append), SharedPacer([7.0, 8.0], lambda: 7.0, asked.append)

    assert [pacer.take_turn("A") for pacer in (by_pair, by_pair, by_pair, shared, shared)] == [True] * 5
    assert asked == [1.0, 2.0, 1.0]


def test_shared_turns_come_at_the_reserved_times() -> None:
    clock = VirtualTime(10.0)
    pacer = SharedPacer(iter([10.0, 11.0, 12.0]), clock.now, clock.wait)

    assert turns(pacer, clock, "A", "B", "A") == [10.0, 11.0, 12.0]
    assert not pacer.take_turn("B")


def test_reserved_times_that_passed_are_lost() -> None:
    clock = VirtualTime(12.5)
    pacer = SharedPacer([10.0, 11.0, 12.0, 13.0, 14.0], clock.now, clock.wait)

    assert turns(pacer, clock, "A", "B", "C") == [13.0, 14.0]


def test_reserved_time_may_be_a_moment_late() -> None:
    clock = VirtualTime(10.0 + LATE_S / 2)

    assert turns(SharedPacer([10.0, 11.0], clock.now, clock.wait), clock, "A") == [clock.seconds]
    assert clock.waits == []


def test_complaint_leaves_every_second_reserved_time_unused() -> None:
    clock = VirtualTime()
    pacer = SharedPacer(map(float, range(100)), clock.now, clock.wait)
    gaps = []
    for _ in range(4):
        before, *_ = turns(pacer, clock, "A")
        pacer.slow_down()
        first, second = turns(pacer, clock, "B", "A")
        gaps += [first - before, second - first]

    assert gaps == [2, 2, 4, 4, 8, 8, 8, 8]


def test_rest_of_the_reserved_times_is_known() -> None:
    clock = VirtualTime(1.5)
    pacer = SharedPacer([1.0, 2.0, 3.0, 4.0], clock.now, clock.wait)
    before = pacer.used
    pacer.take_turn("A")

    assert (before, pacer.used) == (0, 2)


def test_closed_pacer_hands_out_no_more_turns() -> None:
    clock = VirtualTime()
    pacer = SharedPacer([0.0, 1.0, 2.0], clock.now, clock.wait)
    pacer.take_turn("A")

    assert pacer.close() == 1
    assert not pacer.take_turn("A")


def test_threads_wait_beside_each_other_for_consecutive_times() -> None:
    slots, meeting, waits = [float(number) for number in range(1, THREADS + 3)], Barrier(THREADS), []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        meeting.wait(5)  # Breaks unless all threads are waiting at once.

    pacer = SharedPacer(slots, lambda: 0.0, wait)

    assert in_threads(lambda _: pacer.take_turn("A")) == [True] * THREADS
    assert sorted(waits) == slots[:THREADS]


def test_no_real_thread_starts_before_its_time() -> None:
    begin = time.monotonic() + 0.05
    slots = [begin + 0.03 * number for number in range(THREADS)]
    pacer = SharedPacer(slots, time.monotonic, time.sleep)
    started = in_threads(lambda _: (pacer.take_turn("A"), time.monotonic())[1])

    assert all(moment >= slot for slot, moment in zip(slots, sorted(map(float, started)), strict=True))  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.floats(0, 3), st.booleans()), max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_two_calls_come_closer_than_allowed(steps: list[tuple[str, float, bool]]) -> None:
    clock, calls, pace = VirtualTime(), [], 0.0
    pacer = PairPacer(1.0, clock.now, clock.wait)
    for pair, passed, refused in steps:
        clock.seconds += passed
        calls += [(pair, start, pace) for start in turns(pacer, clock, pair)]
        if refused:
            pacer.slow_down()
            pace = min(2 * pace, 8.0) or 1.0

    for (_, earlier, _), (_, later, pace) in pairwise(calls):
        assert later - earlier > pace - 1e-6
    for name in "ABC":
        assert all(later - earlier > 1 - 1e-6 for earlier, later in pairwise(t for pair, t, _ in calls if pair == name))


def test_spacing_keeps_a_margin_to_the_limit() -> None:
    assert spacing_s(1) == pytest.approx(1.03)
    assert spacing_s(4) == pytest.approx(0.2575)


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_rate_of_no_calls_is_refused(rate: float) -> None:
    with pytest.raises(InvalidInput, match=f"calls per second is {rate}; expected more than 0"):
        spacing_s(rate)


def test_reserved_utc_times_are_put_on_another_clock() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)

    assert starts([noon + timedelta(seconds=2.5), noon], noon, lambda: 100.0) == [102.5, 100.0]
