"""From one universe to the next."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.futures_market import a_contract, a_pair, a_quote
from trading.model.instruments import InstrumentId, Universe
from trading.rules import load_rules
from trading.universe.changing import change_between, keep_held, shrink_refusal
from trading.universe.joining import Markets, join

RULES = load_rules().universe


def universe_of(*bases: str) -> Universe:
    contracts = [a_contract(base) for base in bases]
    quotes = {each.contract: a_quote(each.contract) for each in contracts}
    return join(Markets(pairs=[a_pair(base) for base in bases], contracts=contracts, quotes=quotes), RULES)


@pytest.mark.parametrize(("after", "refused"), [(1, True), (2, False), (4, False)])
def test_universe_under_half_is_refused(after: int, refused: bool) -> None:
    proposed = universe_of(*"ABCD"[:after])
    assert (shrink_refusal(universe_of(*"ABCD"), proposed, RULES) is not None) == refused


def test_shrink_guard_can_be_turned_off() -> None:
    before, after = universe_of(*"ABCD"), universe_of("A")
    assert shrink_refusal(before, after, RULES)
    assert shrink_refusal(before, after, replace(RULES, shrink_guard_ratio=Decimal(0))) is None


def test_empty_universe_is_always_refused() -> None:
    empty, off = Universe(instruments=()), replace(RULES, shrink_guard_ratio=Decimal(0))
    assert shrink_refusal(None, empty, RULES) == "the new universe is empty"
    assert shrink_refusal(universe_of("A"), empty, off) == "the new universe is empty"


def test_first_universe_needs_no_predecessor() -> None:
    assert shrink_refusal(None, universe_of("A"), RULES) is None


def test_listings_and_delistings_are_named() -> None:
    change = change_between(universe_of("A", "B"), universe_of("B", "C", "D"))
    assert (change.added, change.removed) == (("C", "D"), ("A",))
    assert not change_between(universe_of("A"), universe_of("A"))


def test_coin_with_open_position_stays_in_universe() -> None:
    before, after = universe_of("A", "B", "C"), universe_of("B")
    kept = keep_held(after, before, {InstrumentId("C")})
    assert [each.id for each in kept.instruments] == ["B", "C"]
    assert kept.get(InstrumentId("C")) == before.get(InstrumentId("C"))
