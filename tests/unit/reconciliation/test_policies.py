"""Every kind of discrepancy has a policy, and settling obeys it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.records import NOW, RULES, fill_of, filled, held, order_of, seconds, waiting, with_state
from tests.unit.reconciliation.views import changed, intent_of, settled, view
from trading.errors import InvalidInput
from trading.model.alerts import Severity
from trading.model.orders import IntentState, OrderSide, Purpose
from trading.model.positions import Position, PositionState
from trading.model.units import Quantity
from trading.model.venue import OpenOrderKind
from trading.reconciliation.policy import POLICIES, Policies, Policy, Remedy
from trading.reconciliation.settle import settle
from trading.reconciliation.view import DiscrepancyKind

D = DiscrepancyKind
S = IntentState
LATE = NOW + seconds(46)


def settled_by(policies: Policies, position: Position, **shown: Any) -> Position:
    return settle(position, view(**shown), RULES.execution, policies)


def test_every_kind_of_discrepancy_has_its_policy() -> None:
    assert set(POLICIES) == set(D)
    assert all(each.active for each in POLICIES.values())


def test_policy_table_cannot_be_changed_in_place() -> None:
    with pytest.raises(TypeError):
        POLICIES[D.GHOST] = POLICIES[D.NAKED_POSITION]  # type: ignore[index]


@pytest.mark.parametrize("field", ["looks", "told_after", "looks_in_the_dark"])
def test_policy_that_never_looks_is_refused(field: str) -> None:
    counts: Mapping[str, Any] = {field: 0}
    with pytest.raises(InvalidInput, match="expected 1 or more"):
        Policy(remedy=Remedy.LEAVE, severity=Severity.INFO, **counts)


def test_policy_of_absences_is_not_weaker_than_rules() -> None:
    assert POLICIES[D.UNKNOWN_INTENT].looks == RULES.execution.absence_proofs
    assert POLICIES[D.ZOMBIE].looks == POLICIES[D.GHOST].looks_in_the_dark == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"contract": "PF_OTHERUSD"},
        {"side": OrderSide.BUY},
        {"reduce_only": False},
        {"trigger_signal": "last"},
        {"kind": OpenOrderKind.LIMIT, "trigger_price": None},
        {"open_quantity": Quantity(4)},
    ],
)
def test_wrong_stop_covers_nothing_by_its_policy(wrong: dict[str, Any]) -> None:
    position = filled()
    shown = {
        "positions": [held(position)],
        "open_orders": [order_of(position, intent_of(position, Purpose.STOP), **wrong)],
    }
    assert settled(position, **shown).state is PositionState.UNPROTECTED
    off = changed(D.WRONG_ORDER, active=False)
    assert settled_by(off, position, **shown).state is PositionState.PROTECTED


def test_unknown_intent_ends_by_its_policy_only() -> None:
    position = with_state(waiting(), Purpose.ENTRY, S.UNKNOWN)
    off = changed(D.UNKNOWN_INTENT, active=False)
    three = changed(D.UNKNOWN_INTENT, looks=3)
    ends = {}
    for name, policies in (("as it is", POLICIES), ("off", off), ("three looks", three)):
        moved = position
        for step in (0, 15):
            moved = settle(moved, view(LATE + seconds(step)), RULES.execution, policies)
        ends[name] = intent_of(moved, Purpose.ENTRY).state
    assert ends == {"as it is": S.NOT_PLACED, "off": S.UNKNOWN, "three looks": S.UNKNOWN}


def test_quantity_follows_the_venue_by_its_policy() -> None:
    shown = {"positions": [held(filled(), 15)]}
    assert settled(filled(), **shown).quantity == 15
    assert settled_by(changed(D.QUANTITY_DRIFT, active=False), filled(), **shown).quantity == 10


def unknown_entry() -> Position:
    return with_state(waiting(), Purpose.ENTRY, S.UNKNOWN)


def looked_at(position: Position, *looks: dict[str, Any]) -> IntentState:
    """The entry's state after these looks, 15 s apart."""
    for number, shown in enumerate(looks):
        position = settled(position, LATE + seconds(15 * number), **shown)
    return intent_of(position, Purpose.ENTRY).state


def test_failed_look_between_two_absences_breaks_the_proof() -> None:
    blind = {"not_looked_up": frozenset({"PF_COINUSD"})}
    assert looked_at(unknown_entry(), {}, {}) is S.NOT_PLACED
    assert looked_at(unknown_entry(), {}, blind, {}) is S.UNKNOWN
    assert looked_at(unknown_entry(), {}, {"fills_known": False}, {}) is S.UNKNOWN
    assert looked_at(unknown_entry(), {}, blind, {}, {}) is S.NOT_PLACED


def test_unexplained_position_is_no_absence_of_its_entry() -> None:
    position = unknown_entry()
    shown = {"positions": [held(position, 4)]}
    assert looked_at(position, shown, shown, shown) is S.UNKNOWN


def test_position_that_a_stranger_explains_lets_the_entry_end() -> None:
    position = unknown_entry()
    entry = intent_of(position, Purpose.ENTRY)
    bought = fill_of(position, entry, 4, client_order_id=None, order_id="by hand")
    sold = fill_of(position, entry, 1, "f2", client_order_id=None, order_id="by hand", side=OrderSide.SELL)
    elsewhere = fill_of(position, entry, 1, "f3", client_order_id=None, order_id="x", contract="PF_OTHERUSD")
    earlier = fill_of(position, entry, 9, "f4", client_order_id=None, order_id="x", at=NOW - timedelta(minutes=1))
    shown = {"positions": [held(position, 3)], "fills": [bought, sold, elsewhere, earlier]}
    assert looked_at(position, shown, shown) is S.NOT_PLACED


def test_stranger_after_the_end_trades_for_himself() -> None:
    position = filled()
    out = fill_of(position, intent_of(position, Purpose.STOP), 15, "f1", client_order_id=None, order_id="by hand")
    more = fill_of(position, intent_of(position, Purpose.STOP), 3, "f2", client_order_id=None, order_id="by hand")
    moved = settled(position, fills=[out, more])
    assert [each.id for each in moved.fills] == ["entry-COIN", "f1"]
