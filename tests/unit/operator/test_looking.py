"""What a first answer shows and names, and how long what it has shown is taken for the same."""

from __future__ import annotations

from typing import Any

import pytest

from functions.control_trading.flatten import confirm, preview
from functions.control_trading.payloads import FlattenRequest
from tests.unit.control.records import position, venue_position
from tests.unit.operator.scene import World, desk_of
from trading.errors import InvalidInput
from trading.model.instruments import InstrumentId


def asked(scope: str) -> FlattenRequest:
    payload = {"action": "flatten", "scope": scope, "operator": "anna", "reason": "looked at it"}
    return FlattenRequest.model_validate(payload)


def shown(world: World, scope: str) -> dict[str, Any]:
    answer: dict[str, Any] = preview(desk_of(world), asked(scope))["would_close"]
    return answer


@pytest.fixture
def held(world: World) -> World:
    world.ledger.adopt_position(position("BTC"))
    world.venue.held = (venue_position("BTC"),)
    return world


@pytest.mark.parametrize("silent_first", [True, False])
@pytest.mark.parametrize("changed", [True, False])
def test_ledger_counts_where_the_venue_answered_once(held: World, silent_first: bool, changed: bool) -> None:
    held.venue.silent = silent_first
    token = preview(desk_of(held), asked("ALL"))["token"]
    held.venue.silent = not silent_first
    if changed:
        held.ledger.adopt_position(position("ETH"))
    confirmed = asked("ALL").model_copy(update={"token": token})
    if not changed:
        assert confirm(desk_of(held), confirmed)["ok"]
        return
    with pytest.raises(InvalidInput) as caught:
        confirm(desk_of(held), confirmed)
    assert str(caught.value) == "positions have changed since they were shown; ask again without token"


def test_unreadable_record_outside_the_universe_is_named(held: World) -> None:
    """Neither the universe nor a readable record knows the coin: its key does."""
    held.tables.corrupt_position(InstrumentId("DOGE"), "{")
    (fault,) = shown(held, "DOGE")["unreadable_records"]
    assert fault.startswith("DOGE: stored Position does not decode: ")
    with pytest.raises(InvalidInput) as caught:
        shown(held, "PEPE")
    assert str(caught.value) == "scope is 'PEPE'; expected ALL or one of BTC, DOGE, ETH, SOL"


@pytest.mark.parametrize("scope", ["ALL", "PF_DOGEUSD"])
def test_contract_that_nobody_knows_names_itself(world: World, scope: str) -> None:
    world.venue.held = (venue_position("DOGE"),)
    line = {"instrument": "PF_DOGEUSD", "contract": "PF_DOGEUSD", "side": "long", "quantity": "0.5"}
    assert shown(world, scope) == {"venue_positions": [line], "ledger_positions": []}


def test_side_by_side_are_shown_in_order(world: World) -> None:
    world.venue.held = (venue_position("SOL"), venue_position("DOGE"), venue_position("BTC"))
    found = shown(world, "ALL")["venue_positions"]
    assert [each["instrument"] for each in found] == ["BTC", "PF_DOGEUSD", "SOL"]
