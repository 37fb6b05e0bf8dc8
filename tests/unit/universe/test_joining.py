"""Which markets come together, and why the others do not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.futures_market import a_contract, a_pair, a_quote
from trading.model.instruments import MarginLevel, Tier, Universe
from trading.model.units import BasisPoints, Quantity
from trading.rules import UniverseRules, load_rules
from trading.universe.joining import Markets, join

RULES = load_rules().universe


def joined(contracts, pairs, quotes=None, rules: UniverseRules = RULES) -> Universe:
    if quotes is None:
        quotes = {each.contract: a_quote(each.contract) for each in contracts}
    return join(Markets(pairs=pairs, contracts=contracts, quotes=quotes), rules)


def a_level(start: int, initial: str = "0.02") -> MarginLevel:
    return MarginLevel(from_notional=Decimal(start), initial=Decimal(initial), maintenance=Decimal("0.01"))


def reasons(universe: Universe) -> dict[str, str]:
    return dict(universe.left_out)


def test_bitcoin_joins_although_venue_names_differ() -> None:
    universe = joined([a_contract("BTC", contract="PF_XBTUSD")], [a_pair("BTC", pair="XXBTZUSD")])
    (btc,) = universe.instruments
    assert (btc.id, btc.contract, btc.spot_pair) == ("BTC", "PF_XBTUSD", "XXBTZUSD")


def test_lower_case_contract_id_is_kept_exactly() -> None:
    universe = joined([a_contract("ADA", contract="pf_adausd")], [a_pair("ADA")])
    assert universe.instruments[0].contract == "pf_adausd"


def test_similar_names_of_different_coins_never_join() -> None:
    universe = joined([a_contract("LUNA", contract="PF_LUNAUSD")], [a_pair("LUNA2", pair="LUNAUSD")])
    assert universe.instruments == ()
    assert reasons(universe) == {
        "PF_LUNAUSD": "no online spot pair LUNA/USD",
        "LUNAUSD": "no tradeable perpetual of LUNA2",
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "futures_inverse"}, "inverse"),
        ({"perpetual": False}, "dated"),
        ({"tradeable": False}, "not tradeable"),
        ({"quote": "EUR"}, "quoted in EUR"),
        ({"margin_levels": ()}, "no margin levels"),
    ],
)
def test_unusable_contract_is_left_out_with_reason(change: dict[str, object], reason: str) -> None:
    universe = joined([a_contract("BTC", **change)], [a_pair("BTC")])
    assert universe.instruments == ()
    assert reason in reasons(universe)["PF_BTCUSD"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tick": Decimal(0)}, "BTC has tick 0; expected a number above 0"),
        ({"maximum_position": Quantity(0)}, "BTC has maximum position 0; expected a number above 0"),
        ({"maximum_position": Quantity("0.0001")}, "expected at least its minimum 0.001"),
        ({"taker_fee": BasisPoints(101)}, "BTC has taker fee 101 bps; expected 0 to 100"),
        ({"maker_fee": BasisPoints(-101)}, "BTC has maker fee -101 bps"),
        ({"margin_levels": (a_level(500),)}, "margin levels from 500 USD on"),
        ({"margin_levels": (a_level(0), a_level(500, "0.01"))}, "demands 0.01 and 0.01 from 500 USD on"),
    ],
)
def test_contract_of_nonsense_is_left_out_alone(change: dict[str, object], reason: str) -> None:
    contracts, pairs = [a_contract("BTC", **change), a_contract("ETH")], [a_pair("BTC"), a_pair("ETH")]
    universe = joined(contracts, pairs)
    assert [each.id for each in universe.instruments] == ["ETH"]
    assert reasons(universe)["PF_BTCUSD"].startswith("nonsense: ")
    assert reason in reasons(universe)["PF_BTCUSD"]


def test_contract_that_could_not_be_read_is_named() -> None:
    markets = Markets(pairs=[], contracts=[], quotes={}, refused=(("PF_ODDUSD", "tickSize is missing"),))
    assert reasons(join(markets, RULES)) == {"PF_ODDUSD": "nonsense: tickSize is missing"}


@pytest.mark.parametrize("base", ["USDT", "EUR"])
def test_fiat_and_stablecoin_bases_are_excluded(base: str) -> None:
    universe = joined([a_contract(base)], [a_pair(base)])
    assert reasons(universe) == {f"PF_{base}USD": "fiat or stablecoin base"}


def test_block_list_beats_pinned_list() -> None:
    rules = replace(RULES, blocked=("BTC",))
    assert reasons(joined([a_contract("BTC")], [a_pair("BTC")], rules=rules)) == {"PF_BTCUSD": "blocked by the rules"}


def test_allow_list_leaves_out_all_others() -> None:
    contracts, pairs = [a_contract("BTC"), a_contract("ADA")], [a_pair("BTC"), a_pair("ADA")]
    only_ada = joined(contracts, pairs, rules=replace(RULES, pinned=("BTC",), allowed=("ADA",)))
    assert [each.id for each in only_ada.instruments] == ["ADA"]
    assert reasons(only_ada) == {"PF_BTCUSD": "not on the allow list"}
    everything = joined(contracts, pairs, rules=replace(RULES, allowed=()))
    assert [each.id for each in everything.instruments] == ["ADA", "BTC"]


def test_block_list_beats_the_allow_list() -> None:
    rules = replace(RULES, blocked=("BTC",), allowed=("BTC", "USDT"))
    universe = joined([a_contract("BTC"), a_contract("USDT")], [a_pair("BTC"), a_pair("USDT")], rules=rules)
    assert reasons(universe) == {"PF_BTCUSD": "blocked by the rules", "PF_USDTUSD": "fiat or stablecoin base"}


@pytest.mark.parametrize(
    ("volume", "spread", "tier"),
    [
        ("5000000", "10", Tier.A),
        ("4999999", "10", Tier.B),
        ("5000000", "10.2", Tier.B),
        ("500000", "25", Tier.B),
        ("499999", "25", Tier.C),
        ("250000", "50", Tier.C),
        ("249999", "5", None),
        ("9000000", "50.2", None),
    ],
)
def test_tier_needs_both_volume_and_spread(volume: str, spread: str, tier: Tier | None) -> None:
    quotes = {"PF_ADAUSD": a_quote("PF_ADAUSD", volume=volume, spread=spread)}
    universe = joined([a_contract("ADA")], [a_pair("ADA")], quotes)
    assert [each.tier for each in universe.instruments] == ([tier] if tier else [])
    assert ("PF_ADAUSD" in reasons(universe)) == (tier is None)


def test_pinned_coin_needs_no_ticker_at_all() -> None:
    contracts, pairs = [a_contract("BTC"), a_contract("ADA")], [a_pair("BTC"), a_pair("ADA")]
    universe = joined(contracts, pairs, quotes={})
    assert [(each.id, each.tier) for each in universe.instruments] == [("BTC", Tier.A)]
    assert reasons(universe) == {"PF_ADAUSD": "no valid ticker"}
    unpinned = joined(contracts, pairs, quotes={}, rules=replace(RULES, pinned=()))
    assert unpinned.instruments == ()


def test_empty_book_side_leaves_market_out() -> None:
    quotes = {"PF_ADAUSD": a_quote("PF_ADAUSD", bid=None)}
    assert reasons(joined([a_contract("ADA")], [a_pair("ADA")], quotes)) == {"PF_ADAUSD": "no bid or no ask"}


def test_every_listed_market_is_used_or_explained() -> None:
    contracts = [a_contract("BTC"), a_contract("BTC", contract="PI_XBTUSD", kind="futures_inverse"), a_contract("ZRX")]
    pairs = [a_pair("BTC"), a_pair("BTC", pair="XBTUSDC", quote="USDC"), a_pair("KSM"), a_pair("ZRX", online=False)]
    universe = joined(contracts, pairs)
    used = {name for each in universe.instruments for name in (each.contract, each.spot_pair)}
    listed = {each.contract for each in contracts} | {each.pair for each in pairs}
    assert used | set(reasons(universe)) == listed
    assert not used & set(reasons(universe))


def test_second_pair_of_coin_is_chosen_independent_of_order() -> None:
    pairs = [a_pair("BTC", pair="B"), a_pair("BTC", pair="A")]
    for order in (pairs, pairs[::-1]):
        universe = joined([a_contract("BTC")], order)
        assert universe.instruments[0].spot_pair == "A"
        assert reasons(universe) == {"B": "another market of BTC is used"}


def test_smallest_order_is_one_step() -> None:
    universe = joined([a_contract("PEPE", step=Decimal(1000))], [a_pair("PEPE")])
    assert universe.instruments[0].minimum == 1000
