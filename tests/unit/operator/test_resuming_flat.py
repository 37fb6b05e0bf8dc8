"""The way back from K3: the account must be flat, and what can never end does not keep it shut."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.control_trading.pages import page_of
from functions.control_trading.payloads import parse_request
from functions.control_trading.resuming import resume
from tests.unit.control.records import NOW, entry, filled, position, venue_position
from tests.unit.operator.scene import RULES, World, desk_of
from trading.errors import InvalidInput, StoreConflict
from trading.model.control import Guard, KillLevel, RiskDay
from trading.model.instruments import InstrumentId
from trading.model.orders import IntentState
from trading.model.positions import Position, PositionState
from trading.model.units import NOTHING, Money

ASKED: dict[str, Any] = {"action": "resume", "operator": "anna", "reason": "looked at it"}
SURE = timedelta(seconds=RULES.reconciliation.confirm_after_s * 2)


def ask(world: World, **more: str) -> dict[str, Any]:
    request: Any = parse_request(ASKED | more)
    return resume(desk_of(world), request)


def refusal(world: World, **more: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        ask(world, **more)
    return str(caught.value)


def damaged(world: World, code: str = "SOL") -> None:
    world.ledger.adopt_position(position(code))
    world.tables.corrupt_position(InstrumentId(code), "{")


def not_shown(**changes: object) -> Position:
    made = replace(filled(position("ETH")), quantity=NOTHING)
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def flattened(world: World) -> World:
    world.set_level(KillLevel.FLATTEN)
    return world


def test_records_that_can_never_end_are_shown_and_accepted(flattened: World) -> None:
    damaged(flattened)
    flattened.ledger.adopt_position(not_shown(missing_since=NOW - SURE))
    shown = ask(flattened)
    left = ["ETH: closed, its record has not ended", "SOL: its record cannot be read"]
    assert shown["records_left"] == left
    assert ask(flattened, token=shown["token"])["kill_level"] == 0


def test_token_is_good_for_the_records_that_were_shown(flattened: World) -> None:
    damaged(flattened)
    token = ask(flattened)["token"]
    damaged(flattened, "BTC")
    said = "more is left than was shown: BTC: its record cannot be read; ask again without token"
    assert refusal(flattened, token=token) == said
    assert flattened.control.control(NOW).level is KillLevel.FLATTEN
    del flattened.tables.positions[InstrumentId("SOL")], flattened.tables.positions[InstrumentId("BTC")]
    assert ask(flattened, token=token)["kill_level"] == 0


def test_token_of_an_empty_ledger_covers_nothing_new(flattened: World) -> None:
    token = ask(flattened)["token"]
    damaged(flattened)
    damaged(flattened, "BTC")
    left = "BTC: its record cannot be read; SOL: its record cannot be read"
    assert refusal(flattened, token=token) == f"more is left than was shown: {left}; ask again without token"


def waiting(state: IntentState) -> Position:
    made = replace(position("ETH", PositionState.OPENING), quantity=NOTHING)
    return made.with_intent(replace(entry(made), state=state))


@pytest.mark.parametrize(
    ("made", "open_"),
    [
        (waiting(IntentState.LIVE), True),
        (waiting(IntentState.UNKNOWN), True),
        (waiting(IntentState.CANCELLED), False),
        (not_shown(intents=waiting(IntentState.FILLED).intents), True),
        (not_shown(intents=waiting(IntentState.FILLED).intents, missing_since=NOW - SURE), False),
        (replace(position("ETH", PositionState.FOREIGN), quantity=NOTHING), True),
        (replace(position("ETH", PositionState.FOREIGN), quantity=NOTHING, missing_since=NOW - SURE), False),
    ],
    ids=["works", "unknown", "gone", "lags", "missing twice", "adopted lags", "adopted missing twice"],
)
def test_what_may_be_held_or_fill_is_not_flat(flattened: World, made: Position, open_: bool) -> None:
    """Also what the venue's view of positions may not show yet."""
    flattened.ledger.adopt_position(made)
    if open_:
        assert refusal(flattened) == "level is K3 and ETH is not closed yet; expected no open position"
    else:
        assert ask(flattened)["records_left"] == ["ETH: closed, its record has not ended"]


@pytest.mark.parametrize("known", [True, False])
def test_unreadable_record_of_something_held_is_not_flat(flattened: World, known: bool) -> None:
    damaged(flattened)
    flattened.venue.held = (venue_position("SOL"),)
    if not known:
        flattened.tables.universe = None
    assert refusal(flattened) == "level is K3 and SOL is not closed yet; expected no open position"


def test_silent_venue_says_nothing_of_flat(flattened: World) -> None:
    damaged(flattened)
    flattened.venue.silent = True
    assert refusal(flattened) == "level is K3 and the venue does not say what is open: venue does not answer"


# a switch that cannot be read


@pytest.mark.parametrize("level", list(KillLevel))
def test_damaged_switch_keeps_its_level(world: World, level: KillLevel) -> None:
    world.set_level(level)
    world.tables.corrupt_control("{")
    assert world.control.control(NOW).level is max(level, KillLevel.NO_ENTRIES)


def test_damaged_lock_is_not_lifted_in_one_step(world: World) -> None:
    world.set_level(KillLevel.LOCK)
    world.ledger.adopt_position(position())
    world.tables.corrupt_control("{")
    assert refusal(world) == "level is K4 and BTC is not closed yet; expected no open position"
    world.tables.positions.clear()
    assert ask(world, token=ask(world)["token"])["kill_level"] == 1
    assert ask(world)["kill_level"] == 0


# the guards, and a switch that somebody else changes


def guarded(world: World) -> RiskDay:
    money = Money(100)
    day = RiskDay(
        day=NOW.date(), start_equity=money, peak_equity=money, last_equity=Money(85), halted_on=None, week=NOW.date(),
        week_peak_equity=money, highest_equity=Money(110), reached=(Guard.WEEKLY_LOSS, Guard.DRAWDOWN),
    )  # fmt: skip
    world.set_level(KillLevel.NO_ENTRIES)
    return world.control.save_risk_day(day)


def test_overtaken_resume_leaves_the_guards_alone(world: World) -> None:
    """Somebody flattens right after this resume has looked."""
    before, desk = guarded(world), desk_of(world)
    read = world.control.control

    def then_flatten(now: Any) -> Any:
        world.control.control = read  # type: ignore[method-assign]
        found = read(now)
        world.set_level(KillLevel.FLATTEN)
        return found

    world.control.control = then_flatten  # type: ignore[method-assign]
    request: Any = parse_request(ASKED)
    with pytest.raises(InvalidInput, match="level went to K3 meanwhile: test; ask again"):
        resume(desk, request)
    assert world.control.risk_day() == before


@pytest.mark.parametrize("conflict", [True, False])
def test_refusal_tells_that_the_guards_were_reset(world: World, conflict: bool) -> None:
    """Between the day and the switch: what was changed is said, in the answer and on the page."""
    guarded(world)
    saved = world.control.save_risk_day

    def then_flatten(day: RiskDay) -> RiskDay:
        stored = saved(day)
        world.set_level(KillLevel.FLATTEN)
        return stored

    def lose(_: Any) -> Any:
        raise StoreConflict("somebody was first")

    if conflict:
        world.control.set_control = lose  # type: ignore[assignment,method-assign]
    else:
        world.control.save_risk_day = then_flatten  # type: ignore[method-assign]
    answer = ask(world)
    said = [f"{guard} is measured from 85 USD" for guard in (Guard.WEEKLY_LOSS, Guard.DRAWDOWN)]
    assert (answer["ok"], answer["measured_anew"]) == (False, said)
    assert "the guards are measured anew" in answer["error"]
    page = page_of(ASKED, answer, "arn")
    assert "Nothing was changed" not in page
    assert f"Only this was changed: <ul><li>{said[0]}</li>" in page
