"""How a coin loses trust and wins it back: the table edge by edge, the limits, and laws that hold for any history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import IllegalTransition, InvalidInput
from trading.model.quality import QUALITY_TRANSITIONS, CoinQuality, QualityState
from trading.quality.states import after_failure, after_flaws, after_pass, is_awaited, is_due
from trading.rules import QualityRules, load_rules

RULES = load_rules().quality
START = datetime(2024, 5, 1, 12, tzinfo=UTC)
MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)
HEALTHY, DEGRADED, SUSPENDED = QualityState
EDGES = {(HEALTHY, DEGRADED), (DEGRADED, HEALTHY), (DEGRADED, SUSPENDED), (SUSPENDED, DEGRADED)}


def a_coin(state: QualityState, **changes: object) -> CoinQuality:
    probe = START + timedelta(minutes=RULES.probe_minutes) if state is SUSPENDED else None
    return replace(CoinQuality.new(START), state=state, probe_at=probe, **changes)  # type: ignore[arg-type]


def failing(runs: int, quality: CoinQuality | None = None, since: datetime = START) -> CoinQuality:
    """A coin after this many failed runs, one a minute."""
    quality = quality or CoinQuality.new(START)
    for run in range(runs):
        quality = after_failure(quality, "no answer", since + run * MINUTE, RULES)
    return quality


@pytest.mark.parametrize(("start", "end"), list(product(QualityState, QualityState)))
def test_quality_takes_only_listed_edges(start: QualityState, end: QualityState) -> None:
    quality, later = a_coin(start), START + MINUTE
    probe = later if end is SUSPENDED else None
    if start is end or (start, end) in EDGES:
        moved = quality.moved(end, later, probe_at=probe)
        assert (moved.state, moved.since) == (end, START if start is end else later)
        return
    with pytest.raises(IllegalTransition, match=f"from {start} to {end}"):
        quality.moved(end, later, probe_at=probe)


def test_every_quality_state_has_its_row() -> None:
    assert set(QUALITY_TRANSITIONS) == set(QualityState)


def test_third_failed_run_degrades_a_coin() -> None:
    assert [failing(runs).state for runs in (1, 2, 3)] == [HEALTHY, HEALTHY, DEGRADED]
    degraded = failing(3)
    assert (degraded.since, degraded.failing_since) == (START + 2 * MINUTE, START)
    assert (degraded.failures, degraded.reason) == (3, "no answer")


def test_bar_between_failures_starts_the_count_again() -> None:
    passed = after_pass(failing(2), START + 2 * MINUTE, RULES)
    assert (passed.failures, passed.failing_since, passed.reason) == (0, None, "")
    assert failing(2, passed, START + QUARTER).state is HEALTHY


def test_run_delivered_twice_fails_only_once() -> None:
    moments = [START, START + timedelta(seconds=40), START + MINUTE, START]
    quality = CoinQuality.new(START)
    for moment in moments:
        quality = after_failure(quality, "no answer", moment, RULES)
    assert (quality.failures, quality.state) == (2, HEALTHY)


def test_one_flaw_degrades_at_once() -> None:
    flawed = after_flaws(CoinQuality.new(START), ("it jumps", "it stands"), START, RULES)
    assert (flawed.state, flawed.reason, flawed.failing_since) == (DEGRADED, "it jumps; it stands", START)
    with pytest.raises(InvalidInput, match="at least one"):
        after_flaws(CoinQuality.new(START), (), START, RULES)


@pytest.mark.parametrize(("minutes", "state"), [(359, DEGRADED), (360, SUSPENDED)])
@pytest.mark.parametrize("flawed", [True, False])
def test_six_hours_of_failing_suspend(minutes: int, state: QualityState, flawed: bool) -> None:
    later = START + minutes * MINUTE
    degraded = failing(3)
    if flawed:
        quality = after_flaws(degraded, ("frozen",), later, RULES)
    else:
        quality = after_failure(degraded, "no answer", later, RULES)
    assert quality.state is state
    assert quality.probe_at == (later + timedelta(minutes=30) if state is SUSPENDED else None)


def test_passed_close_ends_the_hours_of_failing() -> None:
    passed = after_pass(failing(300), START + 300 * MINUTE, RULES)
    assert (passed.state, passed.failing_since) == (DEGRADED, None)
    assert failing(100, passed, START + 301 * MINUTE).state is DEGRADED


@pytest.mark.parametrize(("minutes", "due"), [(0, False), (29, False), (30, True), (300, True)])
def test_suspended_coin_waits_for_its_probe(minutes: int, due: bool) -> None:
    assert is_due(a_coin(SUSPENDED), START + minutes * MINUTE) is due
    assert is_due(a_coin(HEALTHY), START)
    assert is_due(a_coin(DEGRADED), START)


@pytest.mark.parametrize("flawed", [True, False])
def test_failed_probe_sets_the_next_one(flawed: bool) -> None:
    probed = START + timedelta(minutes=31)
    suspended = a_coin(SUSPENDED)
    if flawed:
        quality = after_flaws(suspended, ("frozen",), probed, RULES)
    else:
        quality = after_failure(suspended, "no answer", probed, RULES)
    assert (quality.state, quality.since) == (SUSPENDED, START)
    assert quality.probe_at == probed + timedelta(minutes=30)


def test_only_healthy_coins_hold_up_a_close() -> None:
    assert [is_awaited(a_coin(state)) for state in QualityState] == [True, False, False]


def closes_until_healthy(quality: CoinQuality, rules: QualityRules = RULES) -> int:
    for count in range(1, 20):
        quality = after_pass(quality, START + 1000 * QUARTER + count * QUARTER, rules)
        if quality.state is HEALTHY:
            return count
    raise AssertionError(f"{quality} is never released")


@pytest.mark.parametrize(("state", "closes"), [(HEALTHY, 1), (DEGRADED, 3), (SUSPENDED, 3)])
def test_three_passes_in_a_row_release(state: QualityState, closes: int) -> None:
    assert closes_until_healthy(a_coin(state, reason="no answer")) == closes


def test_passed_probe_only_degrades_at_first() -> None:
    once = replace(RULES, release_after_passes=1)
    probed = after_pass(a_coin(SUSPENDED, reason="frozen"), START, once)
    assert (probed.state, probed.probe_at, probed.reason) == (DEGRADED, None, "frozen")
    released = after_pass(probed, START + QUARTER, once)
    assert (released.state, released.reason, released.passes) == (HEALTHY, "", 0)


def test_flaw_breaks_a_row_of_passes() -> None:
    passed = after_pass(a_coin(DEGRADED, passes=1), START, RULES)
    flawed = after_flaws(passed, ("frozen",), START + QUARTER, RULES)
    assert (passed.passes, flawed.passes) == (2, 0)


@pytest.mark.parametrize(("failures", "closes"), [(2, 3), (3, None)])
def test_late_bar_does_not_break_a_row_of_passes(failures: int, closes: int | None) -> None:
    quality = a_coin(DEGRADED)
    for close in range(1, 10):
        at = START + close * QUARTER
        quality = after_pass(failing(failures, quality, at), at + 5 * MINUTE, RULES)
        if quality.state is HEALTHY:
            assert close == closes
            return
    assert closes is None


def test_close_is_the_newest_quarter_unless_given() -> None:
    late = START + timedelta(minutes=14)
    assert after_pass(a_coin(DEGRADED), late, RULES).passed_close == START
    assert after_pass(a_coin(DEGRADED), late, RULES, START - QUARTER).passed_close == START - QUARTER


def test_known_absence_survives_every_step() -> None:
    quality = replace(CoinQuality.new(START), absent_until=1_714_564_800)
    for step in range(400):
        quality = after_failure(quality, "no answer", START + step * MINUTE, RULES)
        assert quality.absent_until == 1_714_564_800
    assert quality.state is SUSPENDED
    assert after_pass(quality, START + 500 * MINUTE, RULES).absent_until == 1_714_564_800


@pytest.mark.parametrize(
    "changes",
    [{"probe_at": START}, {"state": SUSPENDED}, {"failures": -1}, {"passes": -1}, {"since": datetime(2024, 5, 1)}],  # noqa: DTZ001
)
def test_impossible_quality_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        replace(CoinQuality.new(START), **changes)  # type: ignore[arg-type]


# What happens in one minute of a history: a failed run, bars with a flaw, a sound close, or nothing.
STEPS = st.lists(
    st.tuples(st.sampled_from(["fail", "flaw", "pass", "none"]), st.integers(min_value=1, max_value=240)), max_size=60
)


def lived(steps: list[tuple[str, int]], rules: QualityRules = RULES) -> list[tuple[datetime, str, CoinQuality]]:
    """A coin through these steps, each so many minutes after the one before."""
    quality, now, history = CoinQuality.new(START), START, []
    for step, minutes in steps:
        now += minutes * MINUTE
        if step == "fail":
            quality = after_failure(quality, "no answer", now, rules)
        elif step == "flaw":
            quality = after_flaws(quality, ("frozen",), now, rules)
        elif step == "pass":
            quality = after_pass(quality, now, rules)
        history.append((now, step, quality))
    return history


@given(STEPS)
def test_nothing_is_suspended_without_hours_of_failure(steps: list[tuple[str, int]]) -> None:
    first_failure, passed_close = None, None
    for now, step, quality in lived(steps):
        if step in ("fail", "flaw"):
            first_failure = first_failure or now
        elif step == "pass" and quality.passed_close != passed_close:
            first_failure, passed_close = None, quality.passed_close
        if quality.state is SUSPENDED and quality.since == now:
            assert first_failure is not None
            assert now - first_failure >= RULES.suspended_after_minutes * MINUTE


@given(STEPS, st.integers(min_value=1, max_value=5))
def test_coin_that_keeps_passing_becomes_healthy(steps: list[tuple[str, int]], needed: int) -> None:
    rules = replace(RULES, release_after_passes=needed)
    quality = lived(steps, rules)[-1][2] if steps else CoinQuality.new(START)
    assert closes_until_healthy(quality, rules) <= needed + 1


@given(
    st.sampled_from(QualityState),
    st.lists(st.integers(min_value=0, max_value=5), max_size=12),
    st.integers(min_value=1, max_value=6),
)
def test_duplicate_closes_change_nothing_in_any_order(state: QualityState, again: list[int], count: int) -> None:
    once = twice = a_coin(state, reason="frozen")
    for number in range(count):
        close = START + number * QUARTER
        once, twice = after_pass(once, close, RULES), after_pass(twice, close, RULES)
        for older in again:
            twice = after_pass(twice, close + MINUTE, RULES, START + min(older, number) * QUARTER)
    assert twice == once


@given(STEPS)
def test_nothing_leaves_healthy_while_switched_off(steps: list[tuple[str, int]]) -> None:
    off = replace(RULES, enabled=False)
    assert {quality.state for _, _, quality in lived(steps, off)} <= {HEALTHY}


@pytest.mark.parametrize("state", QualityState)
def test_switching_off_releases_every_coin(state: QualityState) -> None:
    off, later = replace(RULES, enabled=False), START + MINUTE
    quality = a_coin(state, reason="frozen", absent_until=900)
    for released in (
        after_pass(quality, later, off),
        after_failure(quality, "no answer", later, off),
        after_flaws(quality, ("frozen",), later, off),
    ):
        assert (released.state, released.reason, released.absent_until) == (HEALTHY, "", 900)
        assert is_due(released, later)
        assert released.since == (START if state is HEALTHY else later)
