"""A coin's name always closes what the venue holds of it: whatever of universe and records can be read, and whoever
else knows the contract only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.control_trading.closing import order_closing
from functions.control_trading.flatten import confirm, preview
from functions.control_trading.payloads import parse_request
from functions.control_trading.scopes import NO_UNIVERSE, Scope, coin_inside, scope_of
from functions.control_trading.strays import adopt
from tests.unit.control.records import instrument, position, quote, universe, venue_position
from tests.unit.operator.scene import World, desk_of
from trading.errors import InvalidInput, VenueUnavailable
from trading.model.instruments import InstrumentId, Side, Universe
from trading.model.orders import OrderType
from trading.model.positions import Position, PositionState

WHO = {"operator": "anna", "reason": "looked at it"}


def first_step(world: World, scope: str) -> dict[str, Any]:
    request: Any = parse_request({"action": "flatten", "scope": scope, **WHO})
    return preview(desk_of(world), request)


def both_steps(world: World, scope: str) -> dict[str, Any]:
    token = first_step(world, scope)["token"]
    request: Any = parse_request({"action": "flatten", "scope": scope, "token": token, **WHO})
    return confirm(desk_of(world), request)


def exits(world: World) -> list[str]:
    return [each.contract for each in world.venue.sent if each.type is OrderType.MARKET]


@pytest.fixture
def held(world: World) -> World:
    """The venue holds SOL and another coin."""
    world.venue.held = (venue_position("SOL"), venue_position("BTC"))
    world.venue.tickers = {f"PF_{code}USD": quote(code) for code in ("SOL", "BTC")}
    world.ledger.adopt_position(position("BTC"))
    return world


def without_record(_: World) -> None:
    """Nobody has looked yet."""


def damaged(world: World) -> None:
    world.ledger.adopt_position(position("SOL"))
    world.tables.corrupt_position(InstrumentId("SOL"), "{")


def beside_a_damaged_one(world: World) -> None:
    """As reconcile does within a minute."""
    damaged(world)
    assert adopt(world.trading_desk(), venue_position("SOL"), ()).instrument == "PF_SOLUSD"


def test_coin_of_a_damaged_record_beside_may_be_named(world: World) -> None:
    """Only its key is left of it, and the universe is unreadable."""
    world.tables.universe = None
    world.ledger.adopt_position(replace(position("SOL"), market=replace(instrument("SOL"), id="PF_SOLUSD")))  # type: ignore[arg-type]
    world.tables.corrupt_position(InstrumentId("PF_SOLUSD"), "{")
    for scope in ("SOL", "PF_SOLUSD"):
        assert first_step(world, scope)["ok"]
    assert both_steps(world, "SOL")["failures"][0].startswith("the record cannot be read: PF_SOLUSD: ")


def test_third_name_of_a_record_is_understood(held: World) -> None:
    """The place of one more stranger on the contract, when two are taken."""
    for name in ("SOL", "PF_SOLUSD", "PF_SOLUSD-long"):
        world_record = replace(position("SOL"), market=replace(instrument("SOL"), id=InstrumentId(name)))
        held.ledger.adopt_position(world_record)
    held.tables.corrupt_position(InstrumentId("PF_SOLUSD-long"), "{")
    assert both_steps(held, "SOL")["failures"][0].startswith("the record cannot be read: PF_SOLUSD-long: ")
    assert both_steps(held, "BTC")["failures"] == []


@pytest.mark.parametrize("scope", ["SOL", "PF_SOLUSD"])
def test_record_under_the_third_name_hides_no_coin(held: World, scope: str) -> None:
    """Neither a universe nor another record names it."""
    held.tables.universe = None
    sided = replace(instrument("SOL"), id=InstrumentId("PF_SOLUSD-long"))
    held.ledger.adopt_position(replace(position("SOL"), market=sided))
    assert both_steps(held, scope)["closing"] == ["PF_SOLUSD-long: market exit of 0.5"]


@pytest.mark.parametrize("known", [True, False], ids=["universe", "no universe"])
@pytest.mark.parametrize("scope", ["SOL", "PF_SOLUSD"])
@pytest.mark.parametrize("recorded", [without_record, damaged, beside_a_damaged_one])
def test_one_coin_is_closed_however_it_is_known(held: World, recorded: Any, scope: str, known: bool) -> None:
    if not known:
        held.tables.universe = None
        held.venue.contracts = lambda: (instrument("SOL"),)  # type: ignore[attr-defined]
    recorded(held)
    held.venue.sent.clear()
    closing = [each.partition(":")[2] for each in both_steps(held, scope)["closing"]]
    assert (closing, exits(held)) == ([" market exit of 0.5"], ["PF_SOLUSD"])


@pytest.mark.parametrize("scope", ["SOL", "PF_SOLUSD"])
def test_damaged_record_is_told_under_either_name(held: World, scope: str) -> None:
    beside_a_damaged_one(held)
    assert both_steps(held, scope)["failures"][0].startswith("the record cannot be read: SOL: ")
    assert both_steps(held, "BTC")["failures"] == []


def test_order_is_written_into_the_record_beside(held: World) -> None:
    """Before anything is sent, so that an outage only delays it."""
    beside_a_damaged_one(held)
    order_closing(held.ledger, "SOL", universe("SOL"))
    states = {each.instrument: each.state for each in held.ledger.readable_positions()[0]}
    assert states == {"PF_SOLUSD": PositionState.CLOSING, "BTC": PositionState.PROTECTED}


@pytest.mark.parametrize(
    ("contract", "coin"),
    [("PF_XBTUSD", "BTC"), ("PF_XDGUSD", "DOGE"), ("PF_ETHUSD", "ETH"), ("FI_ETHUSD", ""), ("PF_ETHEUR", "")],
)
def test_coin_is_read_from_a_perpetuals_name(contract: str, coin: str) -> None:
    assert coin_inside(contract) == coin


def named(code: str, contract: str) -> Universe:
    return Universe(instruments=(replace(instrument(code), contract=contract),))


def other_name(code: str, contract: str) -> Position:
    return replace(position(code), market=replace(instrument(code), contract=contract))


def test_name_of_the_universe_wins_over_the_code_inside() -> None:
    """A coin whose contract is spelled like another coin's must not be closed in its place."""
    meant = scope_of("DOGE", named("OTHER", "PF_DOGEUSD"), ())
    assert not meant.covers("PF_DOGEUSD")
    assert scope_of("OTHER", named("OTHER", "PF_DOGEUSD"), ()).covers("PF_DOGEUSD")


def test_name_in_a_record_is_known_beside_the_universe() -> None:
    """The universe has given the coin another name since."""
    for asked in ("OLD", "NEW", "PF_DOGEUSD"):
        assert scope_of(asked, named("NEW", "PF_DOGEUSD"), [other_name("OLD", "PF_DOGEUSD")]).covers("PF_DOGEUSD")
    both = scope_of("OLD", named("NEW", "PF_DOGEUSD"), [other_name("OLD", "PF_DOGEUSD")])
    assert both.names == {"PF_DOGEUSD": "NEW"}
    assert scope_of("OLD", NO_UNIVERSE, [other_name("OLD", "PF_DOGEUSD")]).names == {"PF_DOGEUSD": "OLD"}


def test_scope_of_everything_covers_what_nobody_knows() -> None:
    assert scope_of("ALL", NO_UNIVERSE, ()) == Scope(asked="ALL", names={}, contracts=frozenset())
    assert scope_of("ALL", NO_UNIVERSE, ()).covers("anything")


def test_coin_that_nobody_knows_is_still_refused(held: World) -> None:
    held.tables.universe = None
    with pytest.raises(InvalidInput, match=r"scope is 'PEPE'; expected ALL or one of BTC$"):
        first_step(held, "PEPE")


# where nothing could be ordered


def test_silent_venue_refuses_a_coin_without_record(held: World) -> None:
    """Nobody would carry it out later: better said at once."""
    held.venue.silent = True
    with pytest.raises(VenueUnavailable) as caught:
        first_step(held, "SOL")
    assert str(caught.value) == (
        "venue does not answer: nothing is recorded for SOL that could be closed later; ask again"
    )
    assert held.tables.tokens == {}
    assert first_step(held, "BTC")["ok"]
    assert first_step(held, "ALL")["ok"]


def test_stray_without_a_price_is_refused_for_one_coin(held: World) -> None:
    held.venue.tickers = {}
    with pytest.raises(VenueUnavailable) as caught:
        both_steps(held, "SOL")
    assert str(caught.value) == (
        "PF_SOLUSD: no price is known by which it could get a stop: "
        "nothing is recorded for SOL that could be closed later; ask again"
    )
    answer = both_steps(held, "ALL")
    assert (answer["ok"], len(answer["failures"])) == (True, 1)


def test_refusal_names_everything_that_failed(held: World) -> None:
    held.venue.tickers = {}
    long = venue_position("SOL")
    held.venue.held = (long, replace(long, side=Side.SHORT))
    with pytest.raises(VenueUnavailable) as caught:
        both_steps(held, "SOL")
    alone = "PF_SOLUSD: no price is known by which it could get a stop"
    assert str(caught.value).startswith(f"{alone}; {alone}: nothing is recorded")
