"""Every kill level is within a person's reach and has an outcome of its own; nothing automatic goes above K2."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest

from functions.control_trading.control import pause
from functions.control_trading.flatten import confirm, preview
from functions.control_trading.payloads import LockRequest, PauseRequest, ResumeRequest
from functions.control_trading.resuming import resume
from functions.reconcile_positions import marking
from functions.reconcile_positions.report import ReconcileReport
from tests.unit.control.records import NOW, entry, position, venue_position, with_live
from tests.unit.operator.scene import RULES, World, desk_of
from trading.errors import InvalidInput
from trading.execution.entries import EntrySight, next_entry_step
from trading.model.control import Guard, KillLevel, RiskDay
from trading.model.orders import IntentState, Purpose
from trading.model.positions import PositionState
from trading.model.steps import EntryStepKind
from trading.model.units import Money, Quantity
from trading.risk.guards import automatic_level

WHO = {"operator": "anna", "reason": "looked at it"}


def resumed(world: World) -> dict[str, Any]:
    """Both steps, where there are two."""
    asked = ResumeRequest(action="resume", **WHO)
    answer = resume(desk_of(world), asked)
    return resume(desk_of(world), asked.model_copy(update={"token": answer["token"]})) if "token" in answer else answer


def locked(world: World) -> dict[str, Any]:
    asked = LockRequest(action="lock", **WHO)
    return confirm(desk_of(world), asked.model_copy(update={"token": preview(desk_of(world), asked)["token"]}))


def paused(world: World, level: int) -> dict[str, Any]:
    return pause(desk_of(world), PauseRequest.model_validate({"action": "pause", "level": level, **WHO}))


@pytest.fixture
def busy(world: World) -> World:
    """BTC is held; the entry of ETH rests, that of SOL is planned."""
    world.ledger.adopt_position(position("BTC"))
    waiting = replace(position("ETH", PositionState.OPENING), quantity=Quantity(0))
    world.ledger.adopt_position(with_live(waiting, entry(waiting)))
    planned = replace(position("SOL", PositionState.OPENING), quantity=Quantity(0))
    world.ledger.adopt_position(planned.with_intent(entry(planned)))
    world.venue.held = (venue_position("BTC"),)
    world.set_level(KillLevel.NORMAL)
    return world


def outcome(world: World) -> dict[str, str]:
    """What has become of the held position, the entry that rests and the one that is planned."""
    found = {str(each.instrument): each for each in world.ledger.open_positions()}
    states = {name: found[name].intent(Purpose.ENTRY) for name in ("ETH", "SOL")}
    return {
        "held": found["BTC"].state.value,
        "resting": states["ETH"].state.value if states["ETH"] else "",
        "planned": states["SOL"].state.value if states["SOL"] else "",
        "exits": str(len(world.venue.sent)),
        "taken off": str(len(world.venue.cancelled)),
    }


KEPT = {"held": "PROTECTED", "resting": "LIVE", "planned": "PLANNED", "exits": "0", "taken off": "0"}
CANCELLED = KEPT | {"resting": "CANCEL_PENDING", "taken off": "1"}
CLOSED = CANCELLED | {"held": "CLOSING", "planned": "ABANDONED", "exits": "1"}


@pytest.mark.parametrize(
    ("act", "level", "expected"),
    [
        (lambda world: paused(world, 1), KillLevel.NO_ENTRIES, KEPT),
        (lambda world: paused(world, 2), KillLevel.CANCEL_ENTRIES, CANCELLED),
        (locked, KillLevel.LOCK, CLOSED),
    ],
)
def test_each_level_has_its_own_outcome(
    busy: World, act: Callable[[World], dict[str, Any]], level: KillLevel, expected: dict[str, str]
) -> None:
    assert act(busy)["kill_level"] == level
    assert busy.control.control(NOW).level is level
    assert outcome(busy) == expected


def test_planned_entry_is_given_up_from_k1_on(busy: World) -> None:
    paused(busy, 1)
    planned = next(each for each in busy.ledger.open_positions() if each.instrument == "SOL")
    planned = replace(planned, planned_at=NOW, entry_expires_at=NOW.replace(hour=20))
    for level, kind in ((KillLevel.NORMAL, EntryStepKind.SEND_ENTRY), (KillLevel.NO_ENTRIES, EntryStepKind.ABANDON)):
        assert next_entry_step(planned, EntrySight(level=level), RULES, NOW).kind is kind


def test_cancel_that_fails_leaves_the_level_raised(busy: World) -> None:
    busy.venue.silent = True
    answer = paused(busy, 2)
    assert (answer["kill_level"], answer["cancelled"], answer["failures"]) == (2, [], ["ETH: venue does not answer"])
    busy.venue.silent = False
    assert paused(busy, 2)["cancelled"] == ["ETH: entry cancelled"]


def test_one_step_resumes_from_k1_only(busy: World) -> None:
    paused(busy, 1)
    assert resume(desk_of(busy), ResumeRequest(action="resume", **WHO))["kill_level"] == 0
    paused(busy, 2)
    answer = resume(desk_of(busy), ResumeRequest(action="resume", **WHO))
    assert (answer["would_resume"]["kill_level"], answer["would_resume"]["to_level"]) == (2, 0)
    assert busy.control.control(NOW).level is KillLevel.CANCEL_ENTRIES
    assert resumed(busy)["kill_level"] == 0


def test_lock_is_lifted_in_two_resumes(world: World) -> None:
    locked(world)
    first = resumed(world)
    assert (first["kill_level"], "resume once more" in first["next"]) == (1, True)
    assert world.control.control(NOW).level is KillLevel.NO_ENTRIES
    assert resumed(world)["kill_level"] == 0


def test_lifting_a_lock_keeps_the_measures_of_the_day(world: World) -> None:
    """Only the resume that lets entries go on measures anew."""
    locked(world)
    peak = Money(100)
    before = world.control.save_risk_day(
        RiskDay(day=NOW.date(), start_equity=peak, peak_equity=peak, last_equity=peak, halted_on=None, rejections=3)
    )
    resumed(world)
    assert world.control.risk_day() == before


def test_raise_during_a_resume_is_not_undone(world: World) -> None:
    """Somebody locks between the look and the write."""
    world.set_level(KillLevel.NO_ENTRIES)
    desk = desk_of(world)
    written = world.control.set_control

    def lock_first(wanted: Any) -> Any:
        desk.control.set_control = written  # type: ignore[method-assign]
        world.set_level(KillLevel.LOCK)
        return written(wanted)

    desk.control.set_control = lock_first  # type: ignore[assignment,method-assign]
    with pytest.raises(InvalidInput, match="level went to K4 meanwhile: test"):
        resume(desk, ResumeRequest(action="resume", **WHO))
    assert world.control.control(NOW).level is KillLevel.LOCK


def test_repeated_write_of_an_unlock_stays_at_k1(world: World) -> None:
    """The reply to the write was lost: the second try meets what the first one has written."""
    locked(world)
    written = world.control.set_control

    def twice(wanted: Any) -> Any:
        world.control.set_control = written  # type: ignore[method-assign]
        written(wanted)
        return written(wanted)

    asked = ResumeRequest(action="resume", **WHO)
    token = resume(desk_of(world), asked)["token"]
    world.control.set_control = twice  # type: ignore[assignment,method-assign]
    resume(desk_of(world), asked.model_copy(update={"token": token}))
    assert world.control.control(NOW).level is KillLevel.NO_ENTRIES


def test_every_change_leaves_an_audit_record(busy: World) -> None:
    paused(busy, 1)
    paused(busy, 2)
    resumed(busy)
    of_anna = [each for each in busy.audit() if each.changed_by == "anna (request request-7)"]
    assert [each.reason for each in of_anna] == ["looked at it"] * 3


# what is automatic


def days() -> list[RiskDay]:
    """Every set of guards that came to its bound, a halted day and one that cannot be read."""
    plain = RiskDay(
        day=NOW.date(), start_equity=Money(100), peak_equity=Money(100), last_equity=Money(100), halted_on=None
    )
    sets = chain.from_iterable(combinations(Guard, count) for count in range(1, len(Guard) + 1))
    ruined = replace(plain, week_peak_equity=Money(10**6), highest_equity=Money(10**6), last_equity=Money(0))
    reached = [replace(plain, reached=each) for each in sets]
    return [*reached, ruined, replace(ruined, halted_on=NOW.date(), rejections=10**6), RiskDay.unknown("lost", 1)]


@pytest.mark.parametrize("day", days(), ids=lambda each: "+".join(each.reached) or each.unreadable or "bound")
def test_guards_ask_for_k2_at_most(day: RiskDay) -> None:
    asked = automatic_level(day, RULES.risk)
    assert asked is not None
    assert KillLevel.NO_ENTRIES <= asked[0] <= KillLevel.CANCEL_ENTRIES


@pytest.mark.parametrize("before", list(KillLevel))
@pytest.mark.parametrize("cause", ["guards", "contradiction"])
def test_automatic_callers_raise_to_k2_at_most(world: World, cause: str, before: KillLevel) -> None:
    world.set_level(before)
    desk: Any = type("Desk", (), {"control": world.control, "alerts": world.cloud.alerts, "rules": RULES, "now": NOW})
    if cause == "guards":
        day = replace(days()[0], version=0)
        marking.raise_level(desk, world.control.save_risk_day(day))
    else:
        report = ReconcileReport()
        report.contradictions.append("BTC: LookupError")
        marking.raise_for_contradictions(desk, report)
    after = world.control.control(NOW).level
    assert after == max(before, KillLevel.NO_ENTRIES)
    assert after <= max(before, KillLevel.CANCEL_ENTRIES)


def test_only_known_callers_write_the_switch() -> None:
    """A new one has to be put under the test above."""
    found = {
        str(path)
        for root in ("functions", "shared", "infra", "layers/trading/python")
        for path in Path(root).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "set_control"
    }
    assert found == {"functions/control_trading/control.py", "functions/reconcile_positions/marking.py"}


def test_entry_that_rests_is_unharmed_at_k1(busy: World) -> None:
    paused(busy, 1)
    resting = next(each for each in busy.ledger.open_positions() if each.instrument == "ETH")
    known = resting.intent(Purpose.ENTRY)
    assert known is not None
    assert known.state is IntentState.LIVE
