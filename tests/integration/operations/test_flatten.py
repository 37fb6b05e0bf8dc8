from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.control_trading.closing import Reach
from functions.control_trading.control import change_level
from functions.control_trading.desk import ControlDesk
from functions.control_trading.flatten import confirm, preview
from functions.control_trading.payloads import FlattenRequest, PauseRequest, ResumeRequest
from functions.control_trading.resuming import resume
from shared.observability import telemetry_for
from shared.storage.market_watch import MarketWatchStore
from shared.storage.tables import LedgerItem
from shared.trading_desk import TradingDesk
from tests.integration.operations.conftest import LEDGER, RULES, StoppedClock, World
from tests.unit.control.records import NOW, entry, position, universe, venue_position, with_live
from trading.errors import InvalidInput, VenueUnavailable
from trading.model.control import Control, KillLevel
from trading.model.orders import IntentState, OrderType, Purpose
from trading.model.positions import PositionState
from trading.model.units import Quantity


def trading_desk_of(world: World, after: timedelta = timedelta(0)) -> TradingDesk:
    return TradingDesk(
        venue=world.venue,  # type: ignore[arg-type]
        spot=None,  # type: ignore[arg-type]
        ledger=world.ledger,
        control=world.control,
        decisions=world.decisions,
        market=world.market,
        alerts=world.alerts,
        orders=world.orders(),
        watch=MarketWatchStore(LEDGER),
        clock=StoppedClock(world.now + after),
        rules=RULES,
        telemetry=telemetry_for("control_trading"),
        now=world.now + after,
        code_version="test",
    )


def desk_of(world: World, after: timedelta = timedelta(0)) -> ControlDesk:
    reach = Reach(lambda: trading_desk_of(world, after))
    return ControlDesk(
        control=world.control,
        ledger=world.ledger,
        alerts=world.alerts,
        rules=RULES,
        now=world.now + after,
        request_id="request-7",
        universe=lambda: universe("BTC", "ETH", "SOL"),
        venue_positions=reach.positions,
        close=reach.close,
        cancel_entries=reach.cancel_entries,
    )


def request(token: str | None = None, scope: str = "ALL", operator: str = "anna") -> FlattenRequest:
    return FlattenRequest(action="flatten", operator=operator, reason="maintenance", scope=scope, token=token)


@pytest.fixture
def holding(world: World) -> World:
    """BTC and ETH are held, at the venue and in the ledger."""
    for code in ("BTC", "ETH"):
        world.ledger.adopt_position(position(code))
    world.venue.held = (venue_position("BTC"), venue_position("ETH"))
    world.set_level(KillLevel.NORMAL)
    return world


def audit() -> list[dict[str, Any]]:
    return [json.loads(item.body or "{}") for item in LedgerItem.query("CONTROL_AUDIT")]


def test_request_shows_positions_and_changes_nothing(holding: World) -> None:
    answer = preview(desk_of(holding), request())
    shown = {"instrument": "BTC", "contract": "PF_BTCUSD", "side": "long", "quantity": "0.5"}
    assert answer["would_close"]["venue_positions"][0] == shown
    assert len(answer["would_close"]["ledger_positions"]) == 2
    assert answer["expires_at"] == "2026-11-22T12:02:00.000Z"
    assert holding.control.control(NOW).level is KillLevel.NORMAL
    assert holding.venue.sent == []


def test_confirmed_flatten_closes_everything_and_keeps_stops(holding: World) -> None:
    token = preview(desk_of(holding), request())["token"]
    answer = confirm(desk_of(holding), request(token))
    assert (answer["ok"], answer["kill_level"], answer["failures"]) == (True, 3, [])
    assert holding.control.control(NOW).level is KillLevel.FLATTEN
    assert [(each.contract, each.type, each.reduce_only) for each in holding.venue.sent] == [
        ("PF_BTCUSD", OrderType.MARKET, True),
        ("PF_ETHUSD", OrderType.MARKET, True),
    ]
    assert holding.venue.cancelled == []
    for held in holding.ledger.open_positions():
        assert (held.state, held.close_reason) == (PositionState.CLOSING, "flatten")
        assert len(held.resting(Purpose.STOP)) == 1


def test_one_instrument_is_closed_without_stopping_others(holding: World) -> None:
    token = preview(desk_of(holding), request(scope="ETH"))["token"]
    answer = confirm(desk_of(holding), request(token, scope="ETH"))
    assert (answer["kill_level"], answer["orders_sent"]) == (0, 1)
    assert [each.contract for each in holding.venue.sent] == ["PF_ETHUSD"]
    other = holding.ledger.position(position("BTC").instrument)
    assert other is not None
    assert other.state is PositionState.PROTECTED
    (record,) = [each for each in audit() if each["reason"] == "flatten ETH: maintenance"]
    assert (record["changed_by"], record["changed_at"]) == ("anna (request request-7)", "2026-11-22T12:00:00.000Z")
    assert "ETH is being closed by a person" in " ".join(each["Body"] for each in holding.published())


def test_repeated_confirmation_sends_no_second_exit(holding: World) -> None:
    for _ in range(2):
        token = preview(desk_of(holding), request())["token"]
        confirm(desk_of(holding), request(token))
    assert len(holding.venue.sent) == 2


def test_unknown_scope_is_named_with_known_ones(holding: World) -> None:
    with pytest.raises(InvalidInput, match="scope is 'DOGE'; expected ALL or one of BTC, ETH, SOL"):
        preview(desk_of(holding), request(scope="DOGE"))


def test_flatten_can_be_ordered_during_an_outage(holding: World) -> None:
    holding.venue.silent = True
    shown = preview(desk_of(holding), request())
    assert shown["would_close"]["venue_positions"] is None
    assert "does not answer" in shown["would_close"]["venue_problem"]
    answer = confirm(desk_of(holding), request(shown["token"]))
    assert answer["kill_level"] == 3
    assert {each.state for each in holding.ledger.open_positions()} == {PositionState.CLOSING}


def test_working_entry_is_cancelled_and_planned_one_abandoned(world: World) -> None:
    waiting = replace(position("BTC", PositionState.OPENING), quantity=Quantity(0))
    working = with_live(waiting, entry(waiting))
    planned = replace(position("ETH", PositionState.OPENING), quantity=Quantity(0))
    planned = planned.with_intent(entry(planned))
    world.ledger.adopt_position(working)
    world.ledger.adopt_position(planned)
    token = preview(desk_of(world), request())["token"]
    assert confirm(desk_of(world), request(token))["orders_sent"] == 0
    assert world.venue.cancelled == [entry(waiting).client_order_id]
    left = world.ledger.position(planned.instrument)
    assert left is not None
    given_up = left.intent(Purpose.ENTRY)
    assert given_up is not None
    assert given_up.state is IntentState.ABANDONED


def test_one_failing_position_leaves_no_other_open(holding: World) -> None:
    waiting = position("SOL")
    holding.ledger.adopt_position(with_live(waiting, entry(waiting)))
    token = preview(desk_of(holding), request())["token"]
    holding.venue.cancel = _refuse  # type: ignore[method-assign]
    answer = confirm(desk_of(holding), request(token))
    assert answer["failures"] == ["SOL: no answer"]
    assert sorted(each.contract for each in holding.venue.sent) == ["PF_BTCUSD", "PF_ETHUSD", "PF_SOLUSD"]


def test_flatten_never_lowers_a_lock(holding: World) -> None:
    holding.set_level(KillLevel.LOCK)
    token = preview(desk_of(holding), request())["token"]
    assert confirm(desk_of(holding), request(token))["kill_level"] == KillLevel.LOCK


def test_position_already_closing_keeps_its_reason(world: World) -> None:
    leaving = replace(position(state=PositionState.CLOSING), close_reason="time_exit")
    world.ledger.adopt_position(leaving)
    token = preview(desk_of(world), request())["token"]
    assert confirm(desk_of(world), request(token))["orders_sent"] == 1
    (left,) = world.ledger.open_positions()
    assert left.close_reason == "time_exit"


def test_resume_is_refused_while_venue_holds_something(world: World) -> None:
    world.set_level(KillLevel.FLATTEN)
    world.venue.held = (venue_position("SOL"),)
    asked = ResumeRequest(action="resume", operator="anna", reason="done")
    with pytest.raises(InvalidInput, match="the venue still holds PF_SOLUSD"):
        resume(desk_of(world), asked)
    world.venue.held = ()
    confirmed = asked.model_copy(update={"token": resume(desk_of(world), asked)["token"]})
    assert resume(desk_of(world), confirmed)["kill_level"] == 0


def test_change_of_somebody_else_is_taken_into_account(world: World) -> None:
    world.set_level(KillLevel.NORMAL)
    interrupted: list[bool] = []

    def level(current: Control) -> KillLevel:
        if not interrupted:
            interrupted.append(True)
            world.set_level(KillLevel.LOCK)
        return max(current.level, KillLevel.NO_ENTRIES)

    asked = PauseRequest(action="pause", operator="anna", reason="deployment")
    assert change_level(desk_of(world), asked, level, asked.reason).level is KillLevel.LOCK


def _refuse(client_order_id: str) -> Any:
    raise VenueUnavailable("no answer")
