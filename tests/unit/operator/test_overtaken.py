"""Somebody else writes first, or the store and the venue fail: the operator's word is kept, or its failure is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from functions.control_trading.closing import ATTEMPTS, Reach
from functions.control_trading.control import pause
from functions.control_trading.flatten import confirm, preview
from functions.control_trading.payloads import FlattenRequest, PauseRequest, ResumeRequest
from functions.control_trading.resuming import resume
from shared.failures import FAILURES
from tests.unit.control.records import NOW, entry, position, venue_position, with_live
from tests.unit.operator.scene import World, desk_of
from trading.errors import InvalidInput, StoreConflict, VenueUnavailable
from trading.model.alerts import AlertKind, Severity
from trading.model.control import Guard, KillLevel, RiskDay, count_rejection
from trading.model.orders import OrderRequest
from trading.model.positions import PositionState
from trading.model.units import NOTHING, Money
from trading.model.venue import SendAnswer

WHO = {"operator": "anna", "reason": "looked at it"}
PAUSE = PauseRequest.model_validate({"action": "pause", **WHO})
RESUME = ResumeRequest.model_validate({"action": "resume", **WHO})
FLAT = FlattenRequest.model_validate({"action": "flatten", "scope": "ALL", **WHO})


def raises(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def made(kind: type[BaseException]) -> BaseException:
    try:
        return kind("planted")
    except TypeError:
        return ClientError({"Error": {"Code": "planted"}}, "y") if issubclass(kind, ClientError) else kind()


def conflicts(patch: pytest.MonkeyPatch, owner: object, name: str, count: int) -> list[int]:
    """The first `count` calls lose against somebody else. Returns a list that grows with every call."""
    calls, real = [], getattr(owner, name)

    def method(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) <= count:
            raise StoreConflict("somebody was first")
        return real(*arguments)

    patch.setattr(owner, name, method)
    return calls


def day_of(**changes: Any) -> RiskDay:
    money = Money(100)
    values: dict[str, Any] = {"day": NOW.date(), "start_equity": money, "peak_equity": money, "last_equity": money}
    return RiskDay(**(values | {"halted_on": None} | changes))


@pytest.mark.parametrize("count", [2, 3])
def test_switch_is_written_at_the_third_try(world: World, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = conflicts(monkeypatch, world.control, "set_control", count)
    if count == 2:
        assert pause(desk_of(world), PAUSE)["kill_level"] == 1
    else:
        with pytest.raises(StoreConflict, match="changed 3 times meanwhile; nothing was changed, try again"):
            pause(desk_of(world), PAUSE)
    assert len(calls) == 3
    assert len(world.told()) == (1 if count == 2 else 0)


@pytest.mark.parametrize("unreadable", [True, False])
@pytest.mark.parametrize("count", [2, 3])
def test_risk_day_is_resumed_at_the_third_try(
    world: World, count: int, unreadable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.control.save_risk_day(day_of(rejections=2))
    if unreadable:
        world.tables.corrupt_risk_day("{")
    calls = conflicts(monkeypatch, world.control, "forget_unreadable_day" if unreadable else "save_risk_day", count)
    if count == 2:
        assert len(resume(desk_of(world), RESUME)["measured_anew"]) == 1
    else:
        with pytest.raises(StoreConflict, match="the risk day changed 3 times meanwhile; nothing was changed"):
            resume(desk_of(world), RESUME)
        assert world.control.control(NOW).version == 0
    assert len(calls) == 3


@pytest.mark.parametrize("count", [ATTEMPTS - 1, ATTEMPTS])
def test_record_is_written_at_the_fourth_try(world: World, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world.ledger.adopt_position(position())
    token = preview(desk_of(world), FLAT)["token"]
    desk = desk_of(world)
    object.__setattr__(desk, "close", raises(VenueUnavailable("no answer")))
    calls = conflicts(monkeypatch, world.ledger, "save_position", count)
    answer = confirm(desk, FLAT.model_copy(update={"token": token}))
    assert len(calls) == ATTEMPTS
    lost = ["BTC: somebody was first"] if count == ATTEMPTS else []
    assert answer == {
        "ok": True,
        "scope": "ALL",
        "kill_level": 3,
        "closing": [],
        "failures": [*lost, "no answer"],
        "orders_sent": 0,
        "without_record": [],
    }


def test_record_that_ended_meanwhile_is_not_written_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    held = world.ledger.adopt_position(position())

    def ended(_: Any) -> Any:
        world.tables.positions.clear()
        raise StoreConflict("it has ended")

    monkeypatch.setattr(world.ledger, "save_position", ended)
    assert desk_of(world).close("ALL")["failures"] == ["BTC: it has ended"]
    assert held.state is PositionState.PROTECTED


def test_record_of_another_position_is_not_taken_for_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The coin is held anew by the time of the second look."""
    world.ledger.adopt_position(position())
    saves = []

    def replaced(_: Any) -> Any:
        saves.append(1)
        world.tables.positions.clear()
        world.ledger.adopt_position(replace(position(), id="another"))  # type: ignore[arg-type]
        raise StoreConflict("it is another one")

    monkeypatch.setattr(world.ledger, "save_position", replaced)
    assert desk_of(world).close("ALL")["failures"] == ["BTC: it is another one"]
    assert len(saves) == 1


def test_overtaken_cancel_of_an_entry_looks_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = replace(position("ETH", PositionState.OPENING), quantity=NOTHING)
    world.ledger.adopt_position(with_live(waiting, entry(waiting)))
    calls = conflicts(monkeypatch, world.ledger, "save_position", 1)
    assert desk_of(world).cancel_entries() == {"cancelled": ["ETH: entry cancelled"], "failures": []}
    assert len(calls) == 2


@pytest.mark.parametrize(("scope", "told"), [("ALL", True), ("BTC", True), ("ETH", False)])
@pytest.mark.parametrize("reached", [True, False])
def test_unreadable_record_is_told_in_its_scope(world: World, scope: str, told: bool, reached: bool) -> None:
    """Also where the venue is out of reach, and only the order to close could be written."""
    world.tables.corrupt_position(position().instrument, "{")
    ((fault,), unreachable) = world.ledger.readable_positions()[1], [] if reached else ["no answer"]
    asked = FLAT.model_copy(update={"scope": scope})
    desk = desk_of(world)
    if not reached:
        object.__setattr__(desk, "close", raises(VenueUnavailable("no answer")))
    answer = confirm(desk, asked.model_copy(update={"token": preview(desk, asked)["token"]}))
    assert fault.startswith("BTC: stored Position does not decode: ")
    assert answer["failures"] == [*([f"the record cannot be read: {fault}"] if told else []), *unreachable]


@pytest.mark.parametrize("kind", FAILURES, ids=lambda each: each.__name__)
def test_failing_position_keeps_no_other_open(world: World, kind: type[BaseException]) -> None:
    for code in ("BTC", "ETH"):
        world.ledger.adopt_position(position(code))
    place = world.venue.place

    def planted(asked: OrderRequest) -> SendAnswer:
        if asked.contract == "PF_BTCUSD":
            raise made(kind)
        return place(asked)

    world.venue.place = planted  # type: ignore[assignment,method-assign]
    world.venue.held = (venue_position("BTC"), venue_position("ETH"))
    answer = desk_of(world).close("ALL")
    assert [each.contract for each in world.venue.sent] == ["PF_ETHUSD"]
    assert [each.partition(":")[0] for each in answer["failures"]] == ["BTC"]
    assert answer["closing"] == ["ETH: market exit of 0.5"]


@pytest.mark.parametrize("kind", FAILURES, ids=lambda each: each.__name__)
def test_first_answer_tells_that_the_venue_fails(world: World, kind: type[BaseException]) -> None:
    world.ledger.adopt_position(position())
    world.venue.positions = raises(made(kind))  # type: ignore[method-assign]
    shown = preview(desk_of(world), FLAT)["would_close"]
    assert (shown["venue_positions"], len(shown["ledger_positions"])) == (None, 1)
    assert shown["venue_problem"] == str(made(kind))


@pytest.mark.parametrize(
    "error", [ClientError({"Error": {"Code": "x"}}, "y"), EndpointConnectionError(endpoint_url="z")]
)
def test_key_out_of_reach_reads_as_outage(error: Exception) -> None:
    reach, told = Reach(raises(error)), f"the trading key cannot be read ({type(error).__name__})"
    for asked in (reach.positions, lambda: reach.close("ALL")):
        with pytest.raises(VenueUnavailable) as caught:
            asked()
        assert str(caught.value) == told
    assert reach.cancel_entries() == {"cancelled": [], "failures": [told]}


def test_cancelled_entry_is_asked_for_again(world: World) -> None:
    """The first request may have been lost."""
    waiting = replace(position("ETH", PositionState.OPENING), quantity=NOTHING)
    world.ledger.adopt_position(with_live(waiting, entry(waiting)))
    for _ in range(2):
        assert desk_of(world).cancel_entries() == {"cancelled": ["ETH: entry cancelled"], "failures": []}
    assert world.venue.cancelled == [entry(waiting).client_order_id] * 2


def test_flatten_told_to_people_names_coin_and_person(world: World) -> None:
    world.ledger.adopt_position(position())
    world.set_level(KillLevel.NO_ENTRIES)
    world.now = later = NOW + timedelta(minutes=5)
    asked = FLAT.model_copy(update={"scope": "BTC"})
    confirm(desk_of(world), asked.model_copy(update={"token": preview(desk_of(world), asked)["token"]}))
    (alert,) = world.told()
    assert (alert.kind, alert.severity) == (AlertKind.KILL_LEVEL, Severity.WARNING)
    assert alert.subject == "flatten BTC request-7"
    assert alert.title == "BTC is being closed by a person"
    assert alert.text == "looked at it. The kill level stays K1; the other coins go on."
    assert (alert.fields, alert.at) == ((("by", "anna (request request-7)"),), later)
    audit = world.tables.control_audit[later, 1, "request-7"]
    assert (audit.level, audit.reason, audit.changed_at) == (KillLevel.NO_ENTRIES, "flatten BTC: looked at it", later)
    assert audit.changed_by == "anna (request request-7)"
    assert world.control.control(later).changed_by == "test"


def test_resume_is_refused_while_the_venue_holds_something(world: World) -> None:
    world.set_level(KillLevel.FLATTEN)
    world.venue.held = (venue_position("SOL"), venue_position("BTC"))
    with pytest.raises(InvalidInput) as caught:
        resume(desk_of(world), RESUME)
    assert str(caught.value) == "level is K3 and the venue still holds PF_SOLUSD, PF_BTCUSD; expected nothing"


def test_resume_refuses_under_unreadable_rules(world: World) -> None:
    desk = desk_of(world)
    object.__setattr__(desk, "rules_problem", "no such rule")
    with pytest.raises(InvalidInput, match="so nothing is resumed: no such rule"):
        resume(desk, RESUME)


# the risk day's own counts


def test_negative_count_of_rejections_is_refused() -> None:
    with pytest.raises(InvalidInput, match="rejections is -1; expected 0 or more"):
        day_of(rejections=-1)


@pytest.mark.parametrize(("before", "reached"), [(2, ()), (3, (Guard.REJECTIONS,)), (7, (Guard.REJECTIONS,))])
def test_row_of_rejections_is_kept_once_reached(before: int, reached: tuple[Guard, ...]) -> None:
    counted = count_rejection(day_of(rejections=before), True, 4)
    assert (counted.rejections, counted.reached) == (before + 1, reached)
    ended = count_rejection(counted, False, 4)
    assert (ended.rejections, ended.reached) == (0, reached)
    assert count_rejection(replace(counted, rejections=9), True, 4).reached == reached or not reached
