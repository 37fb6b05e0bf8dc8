"""The liquidation model: by hand, and against the engine that liquidates in the sandbox."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.records import account, coin, filled, planned, quote, waiting
from tests.unit.risk.cases import SCENE, Scene
from tests.unit.risk.limit_cases import levels_of, risk
from tests.unit.risk.risk_strategies import LADDERS
from trading.model.instruments import MarginLevel, Side
from trading.model.risk import LimitCheck, RefusalReason
from trading.model.units import Money, Quantity
from trading.model.venue import ContractStress
from trading.risk.liquidation import Holding, liquidation_distance, liquidation_distance_of

R = RefusalReason


def steps(*levels: tuple[int, str]) -> tuple[MarginLevel, ...]:
    """Margin levels as (from USD, maintenance); initial is twice that."""
    return tuple(
        MarginLevel(from_notional=Decimal(start), initial=Decimal(rate) * 2, maintenance=Decimal(rate))
        for start, rate in levels
    )


def holding(side: Side, levels: tuple[MarginLevel, ...], multiplier: int = 1) -> Holding:
    """Ten coins at 100 USD."""
    ten = Decimal(10)
    return Holding(side=side, size=ten, price=ten * 10, levels=levels, multiplier=Decimal(multiplier))


ONE = steps((0, "0.01"))
TWO = steps((0, "0.01"), (900, "0.05"))
ABOVE = steps((0, "0.01"), (1100, "0.05"))
FOUR = steps((0, "0.01"), (600, "0.02"), (800, "0.05"), (950, "0.1"))
UP = steps((0, "0.01"), (1050, "0.02"), (1200, "0.05"), (1500, "0.1"))
LONG, SHORT = Side.LONG, Side.SHORT

BY_HAND = {
    # room - 10 d = (1000 -+ 10 d) x rate, solved for d.
    "long": (holding(LONG, ONE), 50, "40 / 9.9"),
    "short": (holding(SHORT, ONE), 50, "40 / 10.1"),
    "long within the dear level": (holding(LONG, TWO), 60, "10 / 9.5"),
    "long into the cheap level": (holding(LONG, TWO), 200, "190 / 9.9"),
    "long saved by the cheap level": (holding(LONG, TWO), 145, "95 / 9.5"),
    "short below the dear level": (holding(SHORT, ABOVE), 80, "70 / 10.1"),
    # At 110 USD 20 are left of the room, and 55 are suddenly due.
    "short at the dear level's edge": (holding(SHORT, ABOVE), 120, "10 / 1"),
    "short within the dear level": (holding(SHORT, ABOVE), 200, "150 / 10.5"),
    "long through four levels": (holding(LONG, FOUR), 500, "490 / 9.9"),
    "long ends in the third": (holding(LONG, FOUR), 240, "190 / 9.5"),
    "long ends in the second": (holding(LONG, FOUR), 300, "280 / 9.8"),
    "short through four levels": (holding(SHORT, UP), 800, "700 / 11"),
    "short ends in the third": (holding(SHORT, UP), 300, "250 / 10.5"),
    "multiplied maintenance": (holding(LONG, ONE, 3), 50, "20 / 9.7"),
    "multiplied, short": (holding(SHORT, ONE, 3), 50, "20 / 10.3"),
    "liquidated at once": (holding(LONG, ONE), 10, "0 / 1"),
    "below maintenance already": (holding(SHORT, ONE), -5, "0 / 1"),
    "long almost to nothing": (holding(LONG, ONE), 999, "989 / 9.9"),
    "all of it is paid for": (holding(LONG, ONE), 1000, "100 / 1"),
}


@pytest.mark.parametrize(("held", "room", "answer"), BY_HAND.values(), ids=list(BY_HAND))
def test_distance_is_what_the_hand_computes(held: Holding, room: int, answer: str) -> None:
    over, under = (Decimal(each) for each in answer.split(" / "))
    found = liquidation_distance_of(held, Decimal(room))
    assert found is not None
    assert abs(found - over / under) < Decimal("1e-20")


NEVER = {
    "more than paid for": (holding(LONG, FOUR), 5000),
    "more is due than is lost": (holding(LONG, ONE, 150), 1600),
}


@pytest.mark.parametrize(("held", "room"), NEVER.values(), ids=list(NEVER))
def test_long_that_is_paid_for_is_never_liquidated(held: Holding, room: int) -> None:
    assert liquidation_distance_of(held, Decimal(room)) is None
    short = replace(held, side=SHORT)
    assert liquidation_distance_of(short, Decimal(room)) is not None


def headroom(held: Holding, room: Decimal, way: Decimal) -> Decimal:
    """Margin equity less maintenance after this move against it, level looked up anew."""
    worth = held.size * (held.price - held.side.sign * way)
    rate = next(each.maintenance for each in reversed(held.levels) if worth >= each.from_notional)
    return room - held.size * way - worth * rate * held.multiplier


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(Side),
    st.sampled_from(LADDERS),
    st.integers(1, 3000),
    st.integers(-100, 200_000),
    st.sampled_from([Decimal(1), Decimal("1.5"), Decimal(4)]),
)
def test_walking_the_price_finds_the_same(
    side: Side, levels: tuple[MarginLevel, ...], size: int, room: int, multiplier: Decimal
) -> None:
    held = Holding(side=side, size=Decimal(size), price=Decimal(100), levels=levels, multiplier=multiplier)
    found = liquidation_distance_of(held, Decimal(room))
    if found:
        assert headroom(held, Decimal(room), found * (1 + Decimal("1e-9"))) <= 0
    end = min(found if found is not None else Decimal(10**6), Decimal("99.99") if side is LONG else Decimal(10**6))
    for part in range(100):
        assert headroom(held, Decimal(room), end * part / 100) > 0 or found == 0


def distance_of(scene: Scene, quantity: str) -> LimitCheck:
    """The check of this quantity, whatever the sizing would make of it."""
    case = scene.case()
    found = liquidation_distance(replace(case, sizing=replace(case.sizing, quantity=Quantity(quantity))))
    assert found is not None
    return found


def test_limit_takes_its_share_of_the_distance() -> None:
    """1000 coins: 10 000 - 1000 d = (100 - d) x 10, and 65 % of that d; the stop is 2 USD away."""
    found = distance_of(SCENE, "1000")
    assert abs(found.bound - Decimal(9_000) / 990 * Decimal("0.65")) < Decimal("1e-18")
    assert (found.value, found.passed) == (Decimal(2), True)
    assert distance_of(SCENE, "10").bound == 65


def test_margin_of_other_positions_shortens_the_distance() -> None:
    used = SCENE.but(account=account(maintenance_margin=Money(4_000)))
    assert abs(distance_of(used, "1000").bound - Decimal(5_000) / 990 * Decimal("0.65")) < Decimal("1e-18")
    # 30 coins on their way at 1 % of 3000 USD; the half that is filled is the account's own.
    coming = SCENE.but(positions=(replace(waiting("O1"), planned=Quantity(30)),))
    assert abs(distance_of(coming, "1000").bound - Decimal(8_970) / 990 * Decimal("0.65")) < Decimal("1e-18")
    assert distance_of(SCENE.but(positions=(filled("O1"),)), "1000").bound == distance_of(SCENE, "1000").bound


def test_filling_up_into_a_dearer_level_is_due() -> None:
    """500 of 1000 USD are filled at 1 %, which the account shows; at 800 USD the whole is at 5 %."""
    half = replace(
        planned("O1"), quantity=Quantity(5), market=coin("O1", margin_levels=steps((0, "0.01"), (800, "0.05")))
    )
    found = distance_of(SCENE.but(positions=(half,)), "1000")
    assert abs(found.bound - Decimal(9_000 - 45) / 990 * Decimal("0.65")) < Decimal("1e-18")


def wild(multiplier: str) -> tuple[ContractStress, ...]:
    return tuple(
        ContractStress(contract=name, dislocated=False, extreme_volatility=True, margin_multiplier=Decimal(multiplier))
        for name in ("PF_COINUSD", "PF_O1USD")
    )


def test_multiplier_of_the_venue_shortens_the_distance() -> None:
    found = distance_of(SCENE.but(stress=wild("5")), "1000")
    assert abs(found.bound - Decimal(5_000) / 950 * Decimal("0.65")) < Decimal("1e-18")


def buffer_of(scene: Scene) -> LimitCheck:
    found = scene.check(R.LIQUIDATION_BUFFER)
    assert found is not None
    return found


def test_buffer_is_what_the_hand_computes() -> None:
    """The order: 23.8 coins to 98 and 0.70 beyond; a short of 100 coins from 99 to 102 and 0.70 beyond, 20 bps."""
    alone = buffer_of(SCENE)
    assert alone.value == Decimal("23.8") * Decimal("97.3") * Decimal("0.01")
    assert alone.bound == 10_000 - Decimal("49.98") - Decimal("23.8") * Decimal("0.7")
    short = filled("O1", SHORT, quantity=Quantity(100))
    both = buffer_of(SCENE.but(positions=(short,), other_quotes=(quote("PF_O1USD", 99),)))
    assert both.value - alone.value == 100 * Decimal("102.7") * Decimal("0.01")
    assert alone.bound - both.bound == 100 * Decimal("3.7") + 100 * 100 * Decimal("0.002")
    assert buffer_of(SCENE.but(stress=wild("5"))).value == alone.value * 5


def test_buffer_counts_the_dear_level_on_the_way() -> None:
    """A long of 9 900 USD at 40 % that falls to 9 633 USD, where 1 % is due, is liquidated on the way if at all."""
    dear = steps((0, "0.01"), (9_800, "0.4"))
    long = filled("O1", quantity=Quantity(99), market=coin("O1", margin_levels=dear), cost_bps=Decimal(0))
    alone, both = buffer_of(SCENE), buffer_of(SCENE.but(positions=(long,)))
    assert both.value - alone.value == 99 * Decimal("97.3") * Decimal("0.4")
    own = buffer_of(SCENE.but(instrument=coin(margin_levels=steps((0, "0.01"), (2_330, "0.4")))))
    assert own.value == alone.value * 40


@pytest.mark.parametrize("stop", ["98", "99", "100"])
def test_position_in_profit_counts_what_it_gives_back(stop: str) -> None:
    long = filled("O1", cost_bps=Decimal(0), stop=quote(mark=stop).mark)
    found = buffer_of(SCENE.but(positions=(long,), other_quotes=(quote("PF_O1USD", 103),)))
    given = 10 * (103 - Decimal(stop) + Decimal("0.7"))
    assert buffer_of(SCENE).bound - found.bound == given


def test_profit_beyond_the_mark_is_not_counted() -> None:
    """A stop above the mark (it is being hit) loses nothing more, and wins nothing either."""
    long = filled("O1", cost_bps=Decimal(0))
    found = buffer_of(SCENE.but(positions=(long,), other_quotes=(quote("PF_O1USD", 90),)))
    assert found.bound == buffer_of(SCENE).bound


def test_nothing_sized_needs_no_distance() -> None:
    case = SCENE.case()
    assert liquidation_distance(replace(case, sizing=replace(case.sizing, quantity=Quantity(0)))) is None
    off = SCENE.but(rules=risk(liquidation_buffer=False))
    assert (off.check(R.LIQUIDATION_BUFFER), off.check(R.LIQUIDATION_DISTANCE)) == (None, None)
    assert levels_of("0.01")[0].maintenance == Decimal("0.01")
