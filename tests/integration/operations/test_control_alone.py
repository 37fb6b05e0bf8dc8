"""The operator's function while everything else fails: each thing that it can do without, it does without."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from pynamodb.exceptions import PutError

import functions.control_trading.handler as control_trading
from functions.control_trading.flatten import confirm, preview
from functions.control_trading.handler import handler
from shared import runtime
from shared.failures import CONTRADICTIONS, FAILURES
from shared.storage.market_data import MarketDataStore
from shared.storage.tables import LedgerItem
from tests.integration.operations.conftest import CONTEXT, DECISIONS, MARKET, World, _create_table
from tests.integration.operations.test_flatten import desk_of, request
from tests.unit.control.records import NOW, position, venue_position
from trading.errors import CorruptRecord, StoreConflict, VenueUnavailable
from trading.model.control import KillLevel
from trading.model.orders import OrderRequest, Purpose
from trading.model.positions import PositionState
from trading.model.venue import SendAnswer

ANNA = {"operator": "anna", "reason": "everything fails"}
BROKEN = '{"risk": {"no_such_rule": 1}}'


@pytest.fixture(autouse=True)
def environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMC_SPOT_URL", "SMC_FUTURES_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("SMC_TRADING_SECRET_ID", "no-such-secret")
    monkeypatch.setenv("SMC_MODE", "live")
    monkeypatch.delenv("SMC_RULES_OVERRIDE", raising=False)
    world.set_level(KillLevel.NORMAL)
    for code in ("BTC", "ETH"):
        world.ledger.adopt_position(position(code))


def ask(**payload: Any) -> dict[str, Any]:
    return dict(handler({**ANNA, **payload}, CONTEXT))  # type: ignore[arg-type]


def flattened(scope: str = "ALL") -> dict[str, Any]:
    asked = {"action": "flatten", "scope": scope}
    return ask(**asked, token=ask(**asked)["token"])


def rules_broken(_: World, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SMC_RULES_OVERRIDE", BROKEN)


def market_data_gone(_: World, patch: pytest.MonkeyPatch) -> None:
    boto3.client("dynamodb").delete_table(TableName=MARKET)
    patch.setattr(MarketDataStore, "universe", _raises(ClientError({"Error": {"Code": "Down"}}, "GetItem")))


def universe_corrupt(_: World, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MarketDataStore, "universe", _raises(CorruptRecord("the universe does not decode")))


def topic_failing(world: World, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SMC_ALERTS_TOPIC_ARN", world.topic_arn + "-that-is-gone")


def run_records_failing(world: World, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(type(world.control), "record_run", _raises(PutError("no capacity")))


def traces_gone(_: World, patch: pytest.MonkeyPatch) -> None:
    boto3.client("dynamodb").delete_table(TableName=DECISIONS)
    patch.setattr(control_trading, "status", _raises(AssertionError("status is not needed")))


def _raises(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


BREAKS = (rules_broken, market_data_gone, universe_corrupt, topic_failing, run_records_failing, traces_gone)


@pytest.fixture
def broken(world: World, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    request.param(world, monkeypatch)
    yield world
    runtime.rules_of.cache_clear()
    tables = boto3.client("dynamodb").list_tables()["TableNames"]
    for name in {MARKET, DECISIONS} - set(tables):
        _create_table(name)


@pytest.mark.parametrize("broken", BREAKS, indirect=True)
def test_pause_and_flatten_work_while_something_is_broken(broken: World) -> None:
    """The account is out of reach as well: the orders to close stand in the records, and in the switch."""
    assert (ask(action="pause", level=2)["kill_level"], broken.control.control(NOW).level) == (2, 2)
    answer = flattened("ETH")
    assert (answer["ok"], answer["kill_level"]) == (True, 2)
    states = {str(each.instrument): each.state for each in broken.ledger.open_positions()}
    assert states == {"BTC": PositionState.PROTECTED, "ETH": PositionState.CLOSING}
    assert flattened()["kill_level"] == 3
    assert broken.control.control(NOW).level is KillLevel.FLATTEN
    assert {each.state for each in broken.ledger.open_positions()} == {PositionState.CLOSING}


@pytest.mark.parametrize("broken", [rules_broken], indirect=True)
def test_nothing_is_resumed_under_unreadable_rules(broken: World) -> None:
    answer = ask(action="pause")
    assert "no_such_rule" in answer["rules_problem"]
    refused = ask(action="resume")
    assert (refused["ok"], broken.control.control(NOW).level) == (False, KillLevel.NO_ENTRIES)
    assert "the rules of this deployment cannot be read, so nothing is resumed" in refused["error"]


@pytest.mark.parametrize("broken", [run_records_failing], indirect=True)
def test_answer_survives_a_run_that_cannot_be_recorded(broken: World) -> None:
    assert ask(action="pause")["run_not_recorded"] == "PutError: no capacity"


@pytest.mark.parametrize(
    "error", [ClientError({"Error": {"Code": "x"}}, "y"), EndpointConnectionError(endpoint_url="z")]
)
def test_key_out_of_reach_reads_as_outage(world: World, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_trading, "open_desk", _raises(error))
    shown = ask(action="flatten", scope="ALL")["would_close"]
    assert shown["venue_positions"] is None
    assert shown["venue_problem"] == f"the trading key cannot be read ({type(error).__name__})"


def made(kind: type[BaseException]) -> BaseException:
    try:
        return kind("planted")
    except TypeError:
        return ClientError({"Error": {"Code": "planted"}}, "y") if issubclass(kind, ClientError) else kind()


@pytest.mark.parametrize("kind", FAILURES, ids=lambda each: each.__name__)
def test_failing_position_keeps_no_other_open(world: World, kind: type[BaseException]) -> None:
    place, failing = world.venue.place, position("BTC").contract

    def planted(asked: OrderRequest) -> SendAnswer:
        if asked.contract == failing:
            raise made(kind)
        return place(asked)

    world.venue.place = planted  # type: ignore[assignment,method-assign]
    world.venue.held = (venue_position("BTC"), venue_position("ETH"))
    found = close_positions_of(world)
    assert [each.contract for each in world.venue.sent] == ["PF_ETHUSD"]
    assert found["failures"][0].startswith("BTC: ")
    assert found["closing"] == ["ETH: market exit of 0.5"]


@pytest.mark.parametrize("kind", [VenueUnavailable, StoreConflict, *CONTRADICTIONS], ids=lambda each: each.__name__)
def test_order_to_close_stands_whatever_the_desk_raises(world: World, kind: type[BaseException]) -> None:
    desk = desk_of(world)
    token = preview(desk, request(scope="ETH"))["token"]
    object.__setattr__(desk, "close", _raises(made(kind)))  # type: ignore[arg-type]
    answer = confirm(desk, request(token, scope="ETH"))
    assert (answer["ok"], answer["closing"], len(answer["failures"])) == (True, [], 1)
    left = world.ledger.position(position("ETH").instrument)
    assert left is not None
    assert (left.state, left.close_reason) == (PositionState.CLOSING, "flatten")


def test_unwritten_order_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store fails for one record, and the venue is out of reach."""
    monkeypatch.setattr(type(world.ledger), "save_position", _raises(StoreConflict("the store is away")))
    answer = flattened()
    assert answer["failures"][:2] == ["BTC: the store is away", "ETH: the store is away"]
    assert answer["kill_level"] == 3


def test_cancel_of_entries_answers_during_an_outage(world: World) -> None:
    answer = ask(action="pause", level=2)
    assert (answer["ok"], answer["cancelled"]) == (True, [])
    assert "secret no-such-secret has no value" in answer["failures"][0]


def test_stop_of_a_closing_position_is_never_cancelled(world: World) -> None:
    world.venue.held = (venue_position("BTC"), venue_position("ETH"))
    close_positions_of(world)
    for each in world.ledger.open_positions():
        stop = each.intent(Purpose.STOP)
        assert stop is not None
        assert stop.state.works
    assert world.venue.cancelled == []


def close_positions_of(world: World) -> dict[str, Any]:
    return dict(desk_of(world).close("ALL"))


def test_audit_names_who_when_why_of_every_change(world: World) -> None:
    ask(action="pause")
    ask(action="pause", level=2)
    flattened("ETH")
    flattened()
    bodies = [json.loads(item.body or "{}") for item in LedgerItem.query("CONTROL_AUDIT")]
    of_anna = [each for each in bodies if each["changed_by"] == "anna (request request-7)"]
    assert sorted(each["reason"] for each in of_anna) == [
        "everything fails",
        "everything fails",
        "flatten ALL: everything fails",
        "flatten ETH: everything fails",
    ]
    assert {each["changed_at"] for each in of_anna} == {"2026-11-22T12:00:00.000Z"}
