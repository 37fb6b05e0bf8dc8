"""Each exit rule: cases in which it fires and its switch stops it, in which it must not, in which it cannot judge."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.records import NOW, filled, levels, quote, rules_with
from tests.unit.exits.exit_cases import CONTRACT, after_target, case, fired, hourly, rules_of, shaken, trace, watch
from trading.exits.case import ExitCase, NoInput, Silent
from trading.exits.registry import REGISTRY, decide_exit
from trading.model.candles import CandleSeries
from trading.model.decisions import Bias
from trading.model.disorder import EVERYWHERE, MarketWatch
from trading.model.instruments import Side
from trading.model.positions import Position
from trading.model.times import Timeframe
from trading.model.units import Price

LONG, SHORT = Side.LONG, Side.SHORT
UP, DOWN, NEUTRAL = Bias.UP, Bias.DOWN, Bias.NEUTRAL
AT_11 = NOW + timedelta(hours=1)
BARELY = Decimal("0.00001")
"""Hourly funding that is 24 bps in 24 hours; 0.0000125 is 30."""


def young(side: Side = LONG, mark: Any = "100.75", minutes: float = 5, **more: Any) -> ExitCase:
    """Filled some minutes ago; the index is at 100, so that the mark is the basis."""
    quoted = {"index": Price(100)} | more.pop("quoted", {})
    return case(filled(side=side), mark=mark, hours=minutes / 60, quoted=quoted, **more)


def bias(daily: Bias | None, structure: Bias | None, side: Side = LONG, **more: Any) -> ExitCase:
    hours_ago = more.pop("hours_ago", 0)
    return case(filled(side=side), trace=trace(AT_11, daily, structure, hours_ago), **more)


def funded(rate: Any, side: Side = LONG, **more: Any) -> ExitCase:
    return case(filled(side=side), quoted={"hourly_funding": rate}, **more)


def disorder(mark: Any = 101, position: Position | None = None, *pauses: Any, **more: Any) -> ExitCase:
    return case(position, mark=mark, watch=watch(AT_11, *(pauses or (shaken(AT_11),))), **more)


def runner(*newest: tuple[float, float], mark: Any = 104, side: Side = LONG, **more: Any) -> ExitCase:
    """Past its first target, with these newest 1h bars; bars before have a true range of 1."""
    stop = Price("100.4") if side is LONG else Price("99.6")
    position = after_target(side, **({"stop": stop} | more.pop("position", {})))
    return case(position, mark=mark, **({"bars": hourly(AT_11, *newest)} | more))


# A step of 5 after thirteen bars of range 1: ATR 18 / 14 = 1.2857, x 1.5 = 1.9286
STEP = (105.0, 104.0)
FIRING = [
    ("basis_after_fill", young(mark="100.76"), "Close"),
    ("basis_after_fill", young(mark="99.24"), "Close"),
    ("basis_after_fill", young(SHORT, mark="100.76"), "Close"),
    ("basis_after_fill", young(SHORT, mark="99.24", minutes=0), "Close"),
    ("basis_after_fill", young(mark="102", age_s=10), "Close"),
    ("premise", case(last_close=98.4), "Close"),
    ("premise", case(filled(side=SHORT), mark=99, last_close=101.6), "Close"),
    ("abandon_ship", bias(DOWN, UP), "Close"),
    ("abandon_ship", bias(NEUTRAL, DOWN), "Close"),
    ("abandon_ship", bias(UP, DOWN, SHORT, mark=99), "Close"),
    ("abandon_ship", bias(NEUTRAL, UP, SHORT, mark=99), "Close"),
    ("abandon_ship", case(trace=trace(NOW, DOWN, DOWN, hours_ago=-1), hours=2.99), "Close"),
    ("funding", funded(Decimal("0.0001251")), "Close"),
    ("funding", funded(Decimal("-0.0001251"), SHORT, mark=99), "Close"),
    ("time_exit", case(hours=5), "Close"),
    ("maximum_hold", case(after_target(stop=Price("100.5")), hours=72), "Close"),
    ("break_even", case(after_target(), mark="101.5"), "100.4"),
    ("break_even", case(after_target(stop=Price("100.3"))), "100.4"),
    ("break_even", case(after_target(SHORT), mark=99), "99.6"),
    ("market_disorder", disorder(), "100.4"),
    ("market_disorder", disorder(99, filled(side=SHORT)), "99.6"),
    ("market_disorder", case(watch=watch(AT_11, shaken(AT_11), age=30)), "100.4"),
    ("market_disorder", case(watch=watch(AT_11, shaken(AT_11), marks={}), age_s=10), "100.4"),
    ("trailing", runner(STEP), "103.0"),
    ("trailing", runner((96.0, 95.0), mark=96, side=SHORT), "97.0"),
    ("trailing", runner(STEP, mark=103), "Close"),
    ("trailing", runner(STEP, mark="102.9", age_s=10), "Close"),
    ("trailing", runner((96.0, 95.0), mark="97", side=SHORT), "Close"),
    ("trailing", runner(STEP, hours=3.99), "103.0"),
]
SILENT = [
    ("basis_after_fill", young(mark="100.75")),
    ("basis_after_fill", young(mark="99.25")),
    ("basis_after_fill", young(SHORT, mark="100.75")),
    ("basis_after_fill", young(mark="102", minutes=5.01)),
    ("premise", case(last_close=98.5)),
    ("premise", case(filled(side=SHORT), mark=99, last_close=101.5)),
    ("abandon_ship", bias(UP, DOWN)),
    ("abandon_ship", bias(NEUTRAL, UP)),
    ("abandon_ship", bias(NEUTRAL, NEUTRAL)),
    ("abandon_ship", bias(DOWN, UP, SHORT)),
    ("abandon_ship", bias(DOWN, DOWN, hours_ago=1)),
    ("abandon_ship", bias(DOWN, DOWN, rules=rules_with('{"bias": {"enabled": false}}'))),
    ("funding", funded(Decimal("0.000125"))),
    ("funding", funded(Decimal("-0.01"))),
    ("funding", funded(Decimal("0.01"), SHORT)),
    ("time_exit", case(hours=4.99)),
    ("time_exit", case(after_target(), hours=50)),
    ("maximum_hold", case(hours=71.99)),
    ("break_even", case()),
    ("break_even", case(after_target(stop=Price("100.4")))),
    ("break_even", case(after_target(), mark="100.4")),
    ("break_even", case(after_target(SHORT), mark="99.6")),
    ("market_disorder", case()),
    ("market_disorder", disorder("100.4")),
    ("market_disorder", disorder(99)),
    ("market_disorder", disorder(101, filled(stop=Price("100.4")))),
    ("market_disorder", disorder(101, None, shaken(AT_11, shaken_at=None))),
    ("market_disorder", disorder(101, None, shaken(AT_11, minutes=0))),
    ("market_disorder", disorder(101, None, shaken(AT_11, "PF_OTHERUSD"), shaken(AT_11, EVERYWHERE))),
    ("market_disorder", case(watch=watch(AT_11, shaken(AT_11, shaken_at=None), marks={}))),
    ("trailing", case(bars=hourly(AT_11, STEP))),
    ("trailing", runner(STEP, position={"stop": Price(103)})),
    ("trailing", runner((96.0, 95.0), mark=98, side=SHORT, position={"stop": Price(97)})),
    ("trailing", runner(STEP, position={"first_target_at": AT_11})),
    ("trailing", runner(bars=hourly(AT_11, *[(100.0, 1.0)] * 16))),
]
WITHOUT_INPUT = [
    ("basis_after_fill", young(mark="102", quoted={"index": None})),
    ("basis_after_fill", young(mark=None)),
    ("basis_after_fill", young(mark="102", age_s=11)),
    ("basis_after_fill", young(mark="102", age_s=-11)),
    ("basis_after_fill", case(filled(opened_at=None), mark=102, quoted={"index": Price(100)}, hours=0)),
    ("premise", case(last_close=None)),
    ("abandon_ship", case(trace=None)),
    ("abandon_ship", case(trace=trace(NOW, DOWN, DOWN), hours=2)),
    ("abandon_ship", bias(None, DOWN)),
    ("abandon_ship", bias(DOWN, None)),
    ("funding", case(mark=None)),
    ("funding", funded(None)),
    ("funding", funded(Decimal(1), age_s=11)),
    ("time_exit", case(filled(opened_at=None), hours=50)),
    ("maximum_hold", case(filled(opened_at=None), hours=100)),
    ("break_even", case(after_target(), mark=None)),
    ("break_even", case(after_target(), age_s=11)),
    ("break_even", case(after_target(fills=()))),
    ("market_disorder", disorder(None)),
    ("market_disorder", disorder(101, age_s=11)),
    ("market_disorder", case(watch=watch(AT_11, marks={}))),
    ("market_disorder", case(watch=watch(AT_11, shaken(AT_11, minutes=0), marks={"PF_OTHERUSD": Price(1)}))),
    ("market_disorder", disorder(101, filled(fills=()))),
    ("market_disorder", case(watch=None)),
    ("market_disorder", case(watch=MarketWatch(pauses=(shaken(AT_11),)))),
    ("market_disorder", case(watch=watch(AT_11, shaken(AT_11), age=30.1))),
    ("market_disorder", case(watch=watch(AT_11, shaken(AT_11), unreadable="{"))),
    ("trailing", runner(STEP, mark=None)),
    ("trailing", runner(STEP, age_s=11)),
    ("trailing", runner(STEP, mark="102.9", age_s=11)),
    ("trailing", runner(bars=None)),
    ("trailing", runner(bars=CandleSeries(Timeframe.H1))),
    ("trailing", runner(bars=hourly(AT_11, STEP, count=14))),
    ("trailing", runner(bars=hourly(AT_11, STEP, late=4))),
    ("trailing", runner(bars=hourly(AT_11, *[(100.0, 100.0)] * 16))),
]


@pytest.mark.parametrize(("rule", "given", "asked"), FIRING)
def test_rule_fires_and_its_switch_stops_it(rule: str, given: ExitCase, asked: str) -> None:
    alone = decide_exit(replace(given, rules=rules_of(rule)))
    assert fired(alone) == (rule, asked)
    assert alone.evaluated == (rule,)
    off = decide_exit(replace(given, rules=rules_of()))
    assert (fired(off), off.evaluated) == ((None, ""), ())


@pytest.mark.parametrize(("rule", "given"), SILENT)
def test_rule_stays_silent_when_it_must(rule: str, given: ExitCase) -> None:
    verdict = decide_exit(replace(given, rules=replace(given.rules, exits=rules_of(rule).exits)))
    ((_, found),) = verdict.answers
    assert isinstance(found, Silent), found
    assert fired(verdict) == (None, "")


@pytest.mark.parametrize(("rule", "given"), WITHOUT_INPUT)
def test_rule_says_when_it_cannot_judge(rule: str, given: ExitCase) -> None:
    verdict = decide_exit(replace(given, rules=rules_of(rule)))
    assert (verdict.without_input, verdict.evaluated) == ((rule,), (rule,))
    ((_, found),) = verdict.answers
    assert isinstance(found, NoInput)
    assert fired(verdict) == (None, "")


@pytest.mark.parametrize("rule", [name for name, _ in REGISTRY if name != "progressive_tightening"])
def test_every_rule_has_all_kinds_of_cases(rule: str) -> None:
    for cases in (FIRING, SILENT, WITHOUT_INPUT):
        assert rule in {each[0] for each in cases}


@pytest.mark.parametrize(
    "override", ['{"exits": {"basis_after_fill_minutes": 4}}', '{"risk": {"basis_maximum_pct": 0.8}}']
)
def test_basis_after_fill_reads_its_bounds(override: str) -> None:
    assert decide_exit(young(mark="100.76", rules=rules_with(override))).fired is None


@pytest.mark.parametrize(
    ("override", "given"),
    [
        ('{"exits": {"abandon_ship_hours": 1}}', case(trace=trace(NOW, DOWN, DOWN, hours_ago=-1), hours=2.5)),
        ('{"exits": {"funding_hours": 23}}', funded(Decimal("0.0001251"))),
        ('{"exits": {"funding_maximum_bps": 31}}', funded(Decimal("0.0001251"))),
        ('{"exits": {"time_exit_bars": 21}}', case(hours=5)),
        ('{"exits": {"maximum_hold_hours": 73}}', case(after_target(stop=Price("100.5")), hours=72)),
        ('{"risk": {"disorder_pause_minutes": 29}}', case(watch=watch(AT_11, shaken(AT_11), age=30))),
        ('{"exits": {"trailing_maximum_age_hours": 2}}', runner(STEP, hours=3.99)),
    ],
)
def test_rule_reads_its_own_numbers(override: str, given: ExitCase) -> None:
    assert decide_exit(given).fired is not None
    assert decide_exit(replace(given, rules=rules_with(override))).fired is None


def test_break_even_rounds_in_favour_of_the_position() -> None:
    assert fired(decide_exit(case(after_target(cost_bps=Decimal(21)), mark=102))) == ("break_even", "100.5")
    short = case(after_target(SHORT, cost_bps=Decimal(21)), mark=98)
    assert fired(decide_exit(short)) == ("break_even", "99.5")


def test_trailing_is_in_prices_of_the_contract() -> None:
    """The contract stands 1 % above the spot price that the bars are in."""
    above = levels(entry=101, stop="98.98", invalidation="99.485", target_1="103.02", target_2="106.05")
    position = {"levels": above, "spot_invalidation": Price("98.5")}
    given = runner(STEP, mark=106, position=position, rules=rules_of("trailing"))
    assert fired(decide_exit(given)) == ("trailing", "104.1")


def test_only_bars_since_the_first_target_count() -> None:
    early = (110.0, 104.0)
    given = runner(early, STEP, mark=104, rules=rules_of("trailing"))
    later = runner(STEP, early, mark=109, rules=rules_of("trailing"))
    assert "from the best price 105:" in dict(decide_exit(given).details)["trailing"]
    assert "from the best price 110:" in dict(decide_exit(later).details)["trailing"]


@pytest.mark.parametrize(("side", "best"), [(LONG, "106"), (SHORT, "94")])
def test_best_of_several_bars_is_followed(side: Side, best: str) -> None:
    """Two bars have closed since the target; the first of them reached further."""
    now = NOW + timedelta(hours=2)
    rows = [(106.0, 105.0), (105.5, 104.0)] if side is LONG else [(95.0, 94.0), (96.0, 94.5)]
    given = runner(mark=None, side=side, bars=hourly(now, *rows), hours=2)
    far = replace(given, quote=quote(CONTRACT, 120 if side is LONG else 80, at=now))
    assert f"from the best price {best}: stop to" in dict(decide_exit(far).details)["trailing"]


@pytest.mark.parametrize("height", [0.25, 0.5])
def test_small_range_is_followed_too(height: float) -> None:
    given = runner(mark=102, bars=hourly(AT_11, *[(101.0 + height, 101.0)] * 16), rules=rules_of("trailing"))
    assert fired(decide_exit(given)) == ("trailing", {0.25: "100.8", 0.5: "100.7"}[height])


def test_age_of_the_newest_bar_is_inclusive() -> None:
    at_noon = NOW.replace(second=0) + timedelta(hours=4)
    bars = hourly(at_noon, STEP, late=3)
    given = replace(runner(bars=bars, hours=4, age_s=30), now=at_noon, rules=rules_of("trailing"))
    assert decide_exit(given).without_input == ()
    assert decide_exit(replace(given, now=at_noon + timedelta(seconds=1))).without_input == ("trailing",)


def test_decision_of_two_hours_ago_is_too_old() -> None:
    at_noon = NOW.replace(second=0) + timedelta(hours=3)
    given = replace(case(trace=trace(AT_11, DOWN)), now=at_noon, rules=rules_of("abandon_ship"))
    assert decide_exit(given).without_input == ("abandon_ship",)
    assert decide_exit(replace(given, now=at_noon - timedelta(seconds=1))).fired == "abandon_ship"


def test_target_at_a_full_hour_is_after_its_bar() -> None:
    full_hour = NOW.replace(minute=0, second=0) + timedelta(hours=1)
    given = runner(STEP, position={"first_target_at": full_hour}, rules=rules_of("trailing"))
    assert fired(decide_exit(given)) == (None, "")
    before = {"first_target_at": full_hour - timedelta(seconds=1)}
    assert fired(decide_exit(runner(STEP, position=before, rules=rules_of("trailing")))) == ("trailing", "103.0")


def test_bar_that_is_still_open_is_not_seen() -> None:
    open_too = hourly(AT_11 + timedelta(hours=1), STEP, (140.0, 104.0))
    closed = open_too.until(int(AT_11.timestamp()))
    assert len(closed) == len(open_too) - 1
    assert decide_exit(runner(bars=open_too)).answers == decide_exit(runner(bars=closed)).answers


def test_contract_of_the_cases_is_the_positions() -> None:
    assert filled().contract == CONTRACT
