"""Market disorder of one contract: what one look finds beside what is remembered, and how long it pauses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.records import NOW, quote, rules_with, seconds
from tests.unit.risk.market_sights import HALF_AN_HOUR, MAJOR, RISK, looked, paused, sight, torn
from trading.model.disorder import EVERYWHERE, DisorderPause, MarketWatch
from trading.model.units import Price
from trading.model.venue import ContractStress, Quote
from trading.risk.disorder import watch_quotes


def jumped(spacing: float, mark: Any = 105, contract: str = "A") -> MarketWatch:
    """Five calm looks, then one in which the mark is elsewhere."""
    calm = [sight(NOW + seconds(spacing * number)) for number in range(5)]
    return looked(*calm, sight(NOW + seconds(spacing * 5), {contract: mark}))


@pytest.mark.parametrize("spacing", [1, 20, 44, 45, 60, 62, 90, 119, 120, 170, 180])
@pytest.mark.parametrize("mark", [95, 105])
def test_jump_is_seen_at_any_spacing(spacing: int, mark: int) -> None:
    watch = jumped(spacing, mark)
    (found,) = watch.pauses
    assert (found.contract, found.until) == ("A", NOW + seconds(spacing * 5) + HALF_AN_HOUR)
    assert found.why.startswith(f"mark {mark} is 5.00 % from 100 of")


@pytest.mark.parametrize("mark", ["95.01", "100", "104.99"])
def test_smaller_move_pauses_nothing(mark: str) -> None:
    assert jumped(60, mark).pauses == ()


@pytest.mark.parametrize("spacing", [180.001, 240, 3600])
def test_marks_older_than_window_are_not_compared(spacing: float) -> None:
    assert jumped(spacing, 150).pauses == ()


@pytest.mark.parametrize("late", [0.5, 17, 59])
def test_jump_is_seen_after_a_missed_run(late: float) -> None:
    calm = [sight(NOW + seconds(60 * number)) for number in range(3)]
    assert paused(looked(*calm, sight(NOW + seconds(240 + late - 0.5), {"A": 106}))) == ["A"]


def test_slow_fall_within_window_is_a_jump() -> None:
    watch = looked(*(sight(NOW + seconds(60 * number), {"A": 100 - 2 * number}) for number in range(4)))
    assert [each.why for each in watch.pauses] == ["mark 94 is 6.00 % from 100 of 180 s ago"]


@given(st.lists(st.integers(1, 90), min_size=45, max_size=60))
def test_an_older_mark_is_always_remembered(gaps: list[int]) -> None:
    """However irregular the runs, up to 90 s apart: one mark of 45 s to 180 s before is there to compare with."""
    at, watch = NOW, watch_quotes(None, sight(), RISK)
    for gap in gaps:
        at += seconds(gap)
        ages = [at - each.at for each in watch.seen]
        assert at - NOW < seconds(45) or any(seconds(45) <= age <= seconds(180) for age in ages)
        assert len(ages) <= 5
        watch = watch_quotes(watch, sight(at), RISK)


@pytest.mark.parametrize("mark", ["98.5", "101.5"])
def test_torn_basis_pauses_its_contract(mark: str) -> None:
    watch = looked(sight(A=torn("A", mark)))
    assert paused(watch) == ["A"]
    assert watch.pauses[0].why == f"mark {mark} is 1.50 % from its index 100"


@pytest.mark.parametrize("odd", [torn("A", "98.51"), torn("A", "101.49"), quote("A", 150, index=None)])
def test_smaller_or_unknown_basis_pauses_nothing(odd: Quote) -> None:
    assert looked(sight(A=odd)).pauses == ()


@pytest.mark.parametrize("change", [{"suspended": True}, {"post_only": True}])
def test_halted_contract_is_paused_alone(change: dict[str, bool]) -> None:
    watch = looked(sight(A=quote("A", **change)))
    assert paused(watch) == ["A"]
    assert watch.pauses[0].shaken_at is None


@pytest.mark.parametrize(
    ("dislocated", "volatile", "word"), [(True, False, "dislocation"), (False, True, "extreme volatility")]
)
def test_reported_stress_pauses_its_contract(dislocated: bool, volatile: bool, word: str) -> None:
    report = ContractStress(
        contract="A", dislocated=dislocated, extreme_volatility=volatile, margin_multiplier=Decimal(2)
    )
    watch = looked(sight(stress=(report,)))
    assert paused(watch) == ["A"]
    assert word in watch.pauses[0].why


def test_calm_stress_report_pauses_nothing() -> None:
    calm = ContractStress(contract="A", dislocated=False, extreme_volatility=False, margin_multiplier=Decimal(2))
    unwatched = ContractStress(contract="Z", dislocated=True, extreme_volatility=False, margin_multiplier=Decimal(2))
    assert looked(sight(stress=(calm, unwatched))).pauses == ()


def test_all_reasons_stand_in_words() -> None:
    odd = replace(torn("A", 110), suspended=True)
    watch = looked(sight(), sight(NOW + seconds(60), A=odd))
    assert watch.pauses[0].why == (
        "mark 110 is 10.00 % from 100 of 60 s ago; mark 110 is 10.00 % from its index 100; "
        "it is suspended or takes resting orders only"
    )


def test_pause_is_renewed_while_it_lasts() -> None:
    times = [NOW + seconds(60 * number) for number in range(40)]
    watch = looked(*(sight(at, A=torn("A", 102)) for at in times))
    assert [(each.until, each.shaken_at) for each in watch.pauses] == [(times[-1] + HALF_AN_HOUR, NOW)]


def test_pause_holds_until_its_last_second() -> None:
    first = looked(sight(A=torn("A", 102)))
    for offset, holds in ((1799, True), (1800, False)):
        at = NOW + seconds(offset)
        watch = watch_quotes(first, sight(at), RISK)
        assert (paused(watch) == ["A"]) is holds
        assert (watch.pause("A", at) is not None) is holds
        assert watch.pause("B", at) is None


@pytest.mark.parametrize(("apart", "remembered"), [(44.999, 1), (45, 2)])
def test_looks_too_near_are_not_remembered(apart: float, remembered: int) -> None:
    watch = looked(sight(), sight(NOW + seconds(apart)))
    assert len(watch.seen) == remembered


def test_switched_off_disorder_pauses_nothing() -> None:
    off = rules_with('{"risk": {"disorder": false}}').risk
    held = looked(sight(MAJOR=torn(MAJOR, 150)))
    watch = watch_quotes(replace(held, version=3), sight(NOW + seconds(60), MAJOR=torn(MAJOR, 150)), off)
    assert watch == MarketWatch(version=3)


@pytest.mark.parametrize(
    "override",
    [
        '{"risk": {"disorder_move_pct": 6.1}}',
        '{"risk": {"disorder_window_s": 59}}',
        '{"risk": {"disorder_market_wide": 4}}',
    ],
)
def test_each_bound_is_read_from_the_rules(override: str) -> None:
    fell = sight(NOW + seconds(60), dict.fromkeys("ABC", 94))
    assert EVERYWHERE not in paused(looked(sight(), fell, rules=rules_with(override).risk))
    assert EVERYWHERE in paused(looked(sight(), fell))


def test_basis_and_length_are_read_from_the_rules() -> None:
    odd = sight(A=torn("A", "101.6"))
    wider = rules_with('{"risk": {"disorder_basis_pct": 1.7}}').risk
    assert looked(odd, rules=wider).pauses == ()
    shorter = rules_with('{"risk": {"disorder_pause_minutes": 5}}').risk
    assert looked(odd, rules=shorter).pauses[0].until == NOW + timedelta(minutes=5)


def test_empty_answer_is_not_remembered() -> None:
    nothing = replace(sight(NOW + seconds(60)), quotes={})
    watch = looked(sight(), nothing, sight(NOW + seconds(120), {"A": 106}))
    assert paused(watch) == ["A"]
    assert [each.at for each in watch.seen] == [NOW + seconds(120), NOW]


def test_marks_are_remembered_in_six_digits() -> None:
    watch = looked(sight(marks={"A": "84004.11362574516", "B": "0.12345678"}))
    assert (watch.seen[0].marks["A"], watch.seen[0].marks["B"]) == (Price("84004.1"), Price("0.123457"))


def test_contract_whose_report_cannot_be_read_is_paused() -> None:
    blind = ContractStress(
        contract="A",
        dislocated=False,
        extreme_volatility=False,
        margin_multiplier=Decimal(1),
        unreadable="multiplier is None",
    )
    watch = looked(sight(stress=(blind,)))
    assert paused(watch) == ["A"]
    assert watch.pauses[0].why == "what the venue reports about it cannot be read: multiplier is None"
    assert watch.pauses[0].shaken_at is None, "what cannot be read shakes no price"


def test_jump_beside_an_unreadable_report_is_shaken() -> None:
    blind = ContractStress(
        contract="A", dislocated=False, extreme_volatility=False, margin_multiplier=Decimal(1), unreadable="no flag"
    )
    watch = looked(sight(A=torn("A", 102), stress=(blind,)))
    assert watch.pauses[0].why == (
        "mark 102 is 2.00 % from its index 100; what the venue reports about it cannot be read: no flag"
    )
    assert watch.pauses[0].shaken_at == NOW


def test_largest_move_counts_not_the_largest_mark() -> None:
    watch = looked(sight(marks={"A": 94}), sight(NOW + seconds(60), marks={"A": 99}), sight(NOW + seconds(120)))
    assert paused(watch) == ["A"]
    assert watch.pauses[0].why == "mark 100 is 6.38 % from 94 of 120 s ago"


def test_longer_pause_is_not_shortened_by_a_look() -> None:
    later = NOW + timedelta(hours=2)
    before = MarketWatch(pauses=(DisorderPause(contract="A", until=later, why="before"),))
    watch = watch_quotes(before, sight(A=torn("A", 110)), RISK)
    assert [each.until for each in watch.pauses] == [later]


def test_words_of_the_venue_stand_as_they_are() -> None:
    torn_apart = ContractStress(contract="A", dislocated=True, extreme_volatility=False, margin_multiplier=Decimal(1))
    wild = replace(torn_apart, contract="B", dislocated=False, extreme_volatility=True)
    watch = looked(sight(stress=(torn_apart, wild)))
    assert [each.why for each in watch.pauses] == [
        "the venue reports a dislocation",
        "the venue reports extreme volatility",
    ]
