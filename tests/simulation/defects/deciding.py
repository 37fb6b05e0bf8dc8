"""Defects in limits, the kill switch, the risk day, and in what is concluded from what the venue shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import functions.control_trading.closing as closing
import functions.execute_signals.entries as entries_under_way
import functions.execute_signals.take as take
import functions.reconcile_positions.marking as marking
import functions.reconcile_positions.reconcile as reconcile
import shared.guard.ending as ending
import shared.guard.positions as positions
import trading.execution.entries as entries
import trading.reconciliation.settle as settle
from tests.simulation.defects.planting import Defect, planted
from tests.simulation.memory.control import MemoryControlStore
from tests.simulation.memory.ledger import MemoryLedger
from trading.model.control import Control, KillLevel, RiskDay
from trading.model.orders import IntentState, OrderIntent
from trading.model.positions import Position, RecordedFill
from trading.reconciliation.policy import Policies
from trading.reconciliation.view import DiscrepancyKind
from trading.risk import gate

_remembered: dict[int, Control] = {}


def _without_limit(name: str) -> Callable[[Any], Any]:
    """The gate without one of its limits."""

    def fewer(limits: Any) -> Any:
        kept = tuple(each for each in limits if name not in getattr(each, "__name__", str(each)))
        assert len(kept) < len(limits), f"no limit is called {name}"
        return kept

    return fewer


def _kill_level_ignored(_level: Any) -> Any:
    return lambda *_arguments: KillLevel.NORMAL


def _kill_level_remembered(control: Any) -> Any:
    def reading(store: MemoryControlStore, now: datetime) -> Control:
        return _remembered.setdefault(id(store), control(store, now))

    return reading


def _checked_before_the_transaction(_save: Any) -> Any:
    def saving(ledger: MemoryLedger, position: Position) -> Position:
        return ledger.save_position(position)

    return saving


def _equity_forgotten(mark: Any) -> Any:
    def marking_day(day: RiskDay | None, equity: Any, now: datetime, rules: Any) -> RiskDay:
        forgetful = replace(day, peak_equity=equity, halted_on=None) if day and not day.unreadable else day
        return mark(forgetful, equity, now, rules)  # type: ignore[no-any-return]

    return marking_day


def _resumes_by_itself(read: Any) -> Any:
    def reading(store: MemoryControlStore, now: datetime) -> Control:
        found: Control = read(store, now)
        if found.level is not KillLevel.NORMAL and now - found.changed_at > timedelta(minutes=10):
            store.set_control(replace(found, level=KillLevel.NORMAL, changed_by="midnight"))
        return found

    return reading


def _first_absence_is_proof(settle_absent: Any) -> Any:
    def settling(look: Any, intent: OrderIntent) -> OrderIntent:
        if intent.state is IntentState.UNKNOWN:
            return intent.moved(IntentState.NOT_PLACED, reason="not among the orders")
        settled: OrderIntent = settle_absent(look, intent)
        return settled

    return settling


def _missing_once_is_over(over: Any) -> Any:
    def judging(position: Position, *rest: Any) -> bool:
        if not position.quantity and not position.entry_open and position.entered:
            return True
        return bool(over(position, *rest))

    return judging


def _nothing_is_missing(_missing: Any) -> Any:
    return lambda *_arguments: ""


def _fills_counted_twice(apply: Any) -> Any:
    def applying(position: Position, fills: Any) -> Position:
        after: Position = apply(position, fills)
        fresh = after.fills[len(position.fills) :]
        again = tuple(replace(each, id=f"{each.id}-again") for each in fresh[:1])
        return replace(after, fills=(*after.fills, *again))

    return applying


def _late_fills_dropped(apply: Any) -> Any:
    def applying(position: Position, fills: Any) -> Position:
        newest: RecordedFill | None = max(position.fills, key=lambda each: each.at, default=None)
        return apply(position, tuple(e for e in fills if newest is None or e.at > newest.at + timedelta(seconds=30)))  # type: ignore[no-any-return]

    return applying


def _never_raises(_raise: Any) -> Any:
    return lambda *_arguments: None


def _policy_off(*kinds: DiscrepancyKind) -> Callable[[Any], Any]:
    def without(defaults: tuple[Policies]) -> tuple[Policies]:
        (policies,) = defaults
        changed = {kind: replace(each, active=kind not in kinds) for kind, each in policies.items()}
        return (MappingProxyType(changed),)

    return without


def _no_expiry(_over: Any) -> Any:
    return lambda *_arguments: ""


def _cancels_nothing(_cancel: Any) -> Any:
    return lambda _desk: {"cancelled": [], "failures": []}


DECIDING: tuple[Defect, ...] = (
    Defect(
        name="kill level is not looked at",
        story="audited system: a flag that nothing read",
        plant=planted(
            (entries, "_not_to_be_sent", _no_expiry), (MemoryLedger, "save_entry_send", _checked_before_the_transaction)
        ),
        profiles=("human",),
    ),
    Defect(
        name="kill level is read once and remembered",
        story="appendix B: kill check before instead of inside the transaction; cached after a change",
        plant=planted((MemoryControlStore, "control", _kill_level_remembered)),
        profiles=("human",),
    ),
    Defect(
        name="pause does not cancel resting entries at K2",
        story="audited system: entries filled after the switch",
        plant=planted((entries, "_resting_is_over", _no_expiry), (closing, "cancel_entries", _cancels_nothing)),
        profiles=("human", "calm"),
    ),
    Defect(
        name="switch falls back by itself",
        story="appendix B: kill lost on restart",
        plant=planted((MemoryControlStore, "control", _resumes_by_itself)),
        profiles=("human",),
    ),
    Defect(
        name="day's peak and halt are forgotten",
        story="appendix B: daily loss reset at redeploy, peak equity reset",
        plant=planted((marking, "mark_equity", _equity_forgotten), (take, "mark_equity", _equity_forgotten)),
        profiles=("crash", "swarm"),
    ),
    Defect(
        name="number of positions is not limited",
        story="appendix B: read for max positions from an old copy",
        plant=planted((gate, "LIMITS", _without_limit("positions"))),
        profiles=("calm", "swarm"),
    ),
    Defect(
        name="first absence proves that an order does not exist",
        story="reference 3.2: orders/status knows an order for five seconds",
        plant=planted((settle._Settling, "_settle_absent", _first_absence_is_proof)),
        profiles=("targeted",),
    ),
    Defect(
        name="one look without the position ends its record",
        story="appendix B: one missing read, position closed",
        plant=planted((ending, "is_over", _missing_once_is_over), (ending, "missing_from", _nothing_is_missing)),
        profiles=("swarm", "storm"),
    ),
    Defect(
        name="a fill is counted twice",
        story="appendix B",
        plant=planted((settle, "apply_fills", _fills_counted_twice)),
        profiles=("calm", "swarm"),
    ),
    Defect(
        name="fills that arrive late are dropped",
        story="appendix B: fill out of order",
        plant=planted((settle, "apply_fills", _late_fills_dropped)),
        profiles=("calm", "swarm"),
    ),
    Defect(
        name="naked position is seen and left",
        story="audited system: detection without remedy",
        plant=planted(
            (reconcile.reconcile_positions, "__defaults__", _policy_off(DiscrepancyKind.NAKED_POSITION)),
            (positions.guard_positions, "__defaults__", _policy_off(DiscrepancyKind.NAKED_POSITION)),
        ),
        profiles=("human", "swarm"),
    ),
    Defect(
        name="a plan goes out where somebody holds a position",
        story="a watched plan closed the owner's short and turned it round",
        plant=planted(
            (entries_under_way, "_unless_held", lambda _check: lambda _desk, _position, step: step),
            (settle, "_without_plan", lambda _give_up: lambda position, _view: position),
        ),
        profiles=("human",),
    ),
    Defect(
        name="stranger's position gets no stop",
        story="audited system: ghosts were only logged",
        plant=planted(
            (reconcile.reconcile_positions, "__defaults__", _policy_off(DiscrepancyKind.GHOST)),
            (positions.guard_positions, "__defaults__", _policy_off(DiscrepancyKind.GHOST)),
        ),
        profiles=("human",),
    ),
)
