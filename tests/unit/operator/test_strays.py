"""What the venue holds and no record of ours stands for gets one, and goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.control_trading.flatten import confirm, preview
from functions.control_trading.payloads import parse_request
from functions.control_trading.strays import adopt
from tests.unit.control.records import NOW, instrument, position, quote, venue_position
from tests.unit.operator.scene import World, desk_of
from trading.model.instruments import InstrumentId, Side, Universe
from trading.model.positions import PositionState
from trading.model.units import Quantity


def stray(world: World, code: str = "SOL") -> None:
    world.venue.held = (venue_position(code),)
    world.venue.tickers = {f"PF_{code}USD": quote(code)}


def test_stray_gets_a_record_and_goes(world: World) -> None:
    stray(world)
    assert desk_of(world).close("ALL") == {
        "closing": ["SOL: market exit of 0.5"],
        "failures": [],
        "orders_sent": 2,
        "without_record": ["PF_SOLUSD"],
    }
    (record,) = world.ledger.open_positions()
    assert (record.state, record.close_reason, record.quantity) == (PositionState.CLOSING, "flatten", Quantity("0.5"))


def test_stray_without_a_price_is_told(world: World) -> None:
    stray(world)
    world.venue.tickers = {}
    answer = desk_of(world).close("ALL")
    assert answer["failures"] == ["PF_SOLUSD: no price is known by which it could get a stop"]
    assert (answer["without_record"], world.venue.sent) == (["PF_SOLUSD"], [])


def test_stray_that_the_venue_does_not_list_is_told(world: World) -> None:
    stray(world, "DOGE")
    world.venue.contracts = lambda: ()  # type: ignore[attr-defined]
    answer = desk_of(world).close("ALL")
    assert answer["failures"] == ["PF_DOGEUSD: the venue holds PF_DOGEUSD and does not list it"]


def test_record_that_reconcile_made_first_is_taken(world: World) -> None:
    stray(world)
    theirs = world.ledger.adopt_position(position("SOL"))
    assert adopt(world.trading_desk(), venue_position("SOL"), ()) == theirs


def test_second_record_on_a_contract_stands_beside(world: World) -> None:
    """The owner's position the other way round: ours keeps its place."""
    ours = world.ledger.adopt_position(position("SOL"))
    stray(world)
    assert adopt(world.trading_desk(), venue_position("SOL"), (ours,)).instrument == "PF_SOLUSD"


def test_unreadable_record_keeps_its_place(world: World) -> None:
    stray(world)
    world.ledger.adopt_position(position("SOL"))
    world.tables.corrupt_position(InstrumentId("SOL"), "{")
    assert adopt(world.trading_desk(), venue_position("SOL"), ()).instrument == "PF_SOLUSD"


def test_two_unreadable_records_keep_their_places(world: World) -> None:
    stray(world)
    for name in ("SOL", "PF_SOLUSD"):
        world.ledger.adopt_position(position("SOL", market=replace(instrument("SOL"), id=InstrumentId(name))))
        world.tables.corrupt_position(InstrumentId(name), "{")
    made = adopt(world.trading_desk(), venue_position("SOL"), ())
    assert (made.instrument, made.contract) == ("PF_SOLUSD-long", "PF_SOLUSD")


def test_stray_is_refused_where_every_name_is_taken(world: World) -> None:
    stray(world)
    for name in ("SOL", "PF_SOLUSD", "PF_SOLUSD-long"):
        world.ledger.adopt_position(position("SOL", market=replace(instrument("SOL"), id=InstrumentId(name))))
        world.tables.corrupt_position(InstrumentId(name), "{")
    answer = desk_of(world).close("ALL")
    assert answer["failures"][0] == "PF_SOLUSD: every name under which PF_SOLUSD could get a record is taken"
    assert world.venue.sent == []


def test_record_of_the_other_side_is_not_taken(world: World) -> None:
    """Somebody else made it meanwhile: an exit of that side would close nothing."""
    stray(world)
    theirs = world.ledger.adopt_position(replace(position("SOL"), side=Side.SHORT))
    made = adopt(world.trading_desk(), venue_position("SOL"), ())
    assert (made.side, made.instrument, theirs.instrument) == (Side.LONG, "PF_SOLUSD", "SOL")


@pytest.mark.parametrize(("scope", "closed"), [("SOL", True), ("PF_SOLUSD", True), ("BTC", False)])
def test_stray_belongs_to_its_own_scope(world: World, scope: str, closed: bool) -> None:
    stray(world)
    assert desk_of(world).close(scope)["without_record"] == (["PF_SOLUSD"] if closed else [])


def named_by_the_universe(world: World) -> str:
    """A coin whose contract does not say its name."""
    named = replace(instrument("KILO"), contract="PF_FOOUSD")
    stored = world.cloud.market.universe()
    world.cloud.market.save_universe(Universe(instruments=(named,)), NOW, stored)
    return named.contract


def test_stray_goes_by_the_name_of_the_universe(world: World) -> None:
    contract = named_by_the_universe(world)
    world.venue.held = (replace(venue_position("FOO"), contract=contract),)
    world.venue.tickers = {contract: replace(quote("FOO"), contract=contract)}
    assert desk_of(world).close("KILO")["without_record"] == [contract]


def test_order_reaches_its_record_by_the_universes_name(world: World) -> None:
    """The record stands under its contract's name, and the venue is silent: the order must lie in it."""
    market = replace(instrument("PF_FOOUSD"), contract=named_by_the_universe(world))
    world.ledger.adopt_position(replace(position("PF_FOOUSD"), market=market))
    asked = {"action": "flatten", "scope": "KILO", "operator": "anna", "reason": "looked"}
    first: Any = parse_request(asked)
    second: Any = parse_request(asked | {"token": preview(desk_of(world), first)["token"]})
    world.venue.silent = True
    confirm(desk_of(world), second)
    (record,) = world.ledger.open_positions()
    assert record.close_reason == "flatten"
