from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.records import BAR, RULES, coin, levels, rules_with, signal
from trading.errors import InvalidInput
from trading.model.costs import MarketConditions, projected_funding, round_trip_cost
from trading.model.instruments import MarginLevel, Side, Universe
from trading.model.signals import Regime, Setup
from trading.model.units import BasisPoints, Quantity

MARKET = MarketConditions(spread=BasisPoints(4), hourly_funding=Decimal("0.00001"))


@pytest.mark.parametrize("changes", [{"stop": 100}, {"stop": 101}, {"target_1": 99}, {"target_2": 102}])
@pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
def test_levels_must_stand_in_order(side: Side, changes: dict[str, int]) -> None:
    mirrored = changes if side is Side.LONG else {name: 200 - value for name, value in changes.items()}
    with pytest.raises(InvalidInput, match="in order"):
        levels(side, **mirrored)


def test_same_idea_always_has_one_id() -> None:
    assert signal().id == signal().id
    others: list[dict[str, Any]] = [
        {"name": "OTHER"},
        {"setup": Setup.TREND},
        {"structure_id": "ob-2"},
        {"decision_bar": BAR + timedelta(hours=1)},
    ]
    ids = {signal().id, *(signal(**each).id for each in others)}
    assert len(ids) == len(others) + 1


def test_signal_must_expire_after_its_bar() -> None:
    with pytest.raises(InvalidInput, match="expires"):
        signal(expires_at=BAR)


def test_cost_of_resting_entry_adds_up() -> None:
    cost = round_trip_cost(coin(), MARKET, Side.LONG, Regime.TIGHT_SMC, RULES.cost)
    maker, taker, half_spread, slippage, funding = 2, 5, 2, 2, Decimal("0.1") * 6
    assert cost == maker + (taker + half_spread + slippage) + funding


def test_taking_entry_pays_spread_and_slippage_twice() -> None:
    rules = rules_with('{"cost": {"entry_rests": false}}')
    cost = round_trip_cost(coin(), MARKET, Side.LONG, Regime.TIGHT_SMC, rules.cost)
    assert cost == 2 * (5 + 2 + 2) + Decimal("0.6")


def test_received_funding_is_never_a_gain() -> None:
    short = round_trip_cost(coin(), MARKET, Side.SHORT, Regime.WIDE_STRUCTURE, RULES.cost)
    assert projected_funding(MARKET, Side.SHORT, Regime.WIDE_STRUCTURE, RULES.cost) == Decimal("-3.6")
    assert short == 2 + 5 + 2 + 2


def test_margin_level_is_the_highest_reached() -> None:
    steps = [
        MarginLevel(from_notional=Decimal(n), initial=Decimal(i), maintenance=Decimal(i) / 2)
        for n, i in ((0, "0.02"), (1000, "0.05"), (5000, "0.1"))
    ]
    instrument = coin(margin_levels=tuple(steps))
    found = [instrument.margin_level(Decimal(n)).initial for n in (0, 999, 1000, 4999, 5000, 10**9)]
    assert found == [Decimal(each) for each in ("0.02", "0.02", "0.05", "0.05", "0.1", "0.1")]


def test_quantity_is_cut_never_raised() -> None:
    assert coin().quantity_down(Decimal("0.0199")) == Quantity("0.01")
    assert coin().quantity_down(Decimal("0.0099")) == 0
    assert coin().quantity_down(Decimal("-3")) == 0


@pytest.mark.parametrize("names", [("B", "A"), ("A", "A")])
def test_universe_is_sorted_without_doubles(names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match="in order"):
        Universe(instruments=tuple(map(coin, names)))


def test_universe_finds_by_id_and_contract() -> None:
    universe = Universe(instruments=(coin("A"), coin("B")))
    assert universe.by_contract("PF_BUSD") == universe.get(coin("B").id) == coin("B")
    assert universe.by_contract("PF_CUSD") is None
