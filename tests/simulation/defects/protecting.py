"""Defects that leave a position without its stop, or protect it wrongly."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import functions.manage_exits.exit as exit_module
import shared.guard.adoption as adoption
import shared.guard.ending as ending
import shared.guard.positions as positions
import shared.guard.protecting as protecting
import shared.guard.strangers as strangers
import trading.execution.protection as protection
import trading.execution.targets as targets
import trading.reconciliation.compare as compare
from shared.order_desk import OrderDesk
from tests.simulation.defects.planting import Defect, planted
from trading.execution.plan import stop_intent
from trading.exits import registry, tightening
from trading.exits.case import MoveStop
from trading.model.instruments import Instrument
from trading.model.orders import IntentState, OrderIntent, Purpose
from trading.model.positions import Position, PositionState
from trading.model.steps import Cancel, Send, Step
from trading.model.units import Price, Quantity
from trading.model.venue import VenuePosition
from trading.reconciliation.view import VenueView


def _old_stop_goes_first(steps: Any) -> Any:
    def stepping(position: Position, *rest: Any) -> list[Step]:
        due: list[Step] = steps(position, *rest)
        if not any(isinstance(each, Send) for each in due):
            return due
        live = [each for each in position.of(Purpose.STOP) if each.state is IntentState.LIVE]
        return [*(Cancel(client_order_id=each.client_order_id, why="replaced") for each in live), *due]

    return stepping


def _half(quantity: Quantity, position: Position) -> Quantity:
    return position.market.quantity_down(quantity / 2) or quantity


def _half_a_stop(_make: Any) -> Any:
    def making(position: Position, quantity: Quantity, now: Any) -> OrderIntent:
        return stop_intent(position, _half(quantity, position), now)

    return making


def _stops_are_never_due(_steps: Any) -> Any:
    return lambda *_arguments: []


def _stop_moves_away(_decide: Any) -> Any:
    decide = _decide

    def deciding(case: Any) -> Any:
        verdict = decide(case)
        if isinstance(verdict.action, MoveStop):
            position: Position = case.position
            away = position.market.tick * 5 * position.side.sign
            return replace(verdict, action=replace(verdict.action, to=Price(position.stop - away)))
        return verdict

    return deciding


def _anything_tightens(_tightens: Any) -> Any:
    return lambda *_arguments: True


def _without_rule(name: str) -> Any:
    def fewer(rules: Any) -> Any:
        kept = tuple(each for each in rules if each[0] != name)
        assert len(kept) < len(rules), f"no exit rule is called {name}"
        return kept

    return fewer


def _whole_position_for_each_target(_steps: Any) -> Any:
    def stepping(position: Position, rules: Any, now: Any) -> list[Step]:
        due: list[Step] = []
        for purpose, price in zip(targets.TARGETS, (position.levels.target_1, position.levels.target_2), strict=True):
            if position.intent(purpose) is None:
                made = targets.target_intent(position, purpose, position.quantity, price, now)
                due.append(Send(intent=made))
        return due

    return stepping


def _flattened_on_sight(adopt: Any) -> Any:
    def adopting(shown: VenuePosition, *rest: Any) -> Position:
        found: Position = adopt(shown, *rest)
        return found.moved(PositionState.CLOSING, close_reason="phantom")

    return adopting


def _one_poison_ends_the_loop(settle_one: Any) -> Any:
    def settling(look: Any, position: Position, *rest: Any, **given: Any) -> Position | None:
        settled: Position | None = settle_one(look, position, *rest, **given)
        if look.report.failures:
            raise RuntimeError(look.report.failures[0])
        return settled

    return settling


def _blind_for_one_coin(position_of: Any) -> Any:
    def looking(view: Any, contract: str) -> VenuePosition | None:
        found: VenuePosition | None = position_of(view, contract)
        return None if contract == "PF_COINUSD" else found

    return looking


def _flat_cancels_first(steps: Any) -> Any:
    def stepping(position: Position, *rest: Any) -> tuple[Step, ...]:
        due: tuple[Step, ...] = steps(position, *rest)
        if position.state is not PositionState.CLOSING:
            return due
        live = [each for each in position.of(Purpose.STOP) if each.state is IntentState.LIVE]
        return (*(Cancel(client_order_id=each.client_order_id, why="closing") for each in live), *due)

    return stepping


def _notfound_ends_the_run(cancel: Any) -> Any:
    def cancelling(desk: OrderDesk, position: Position, intent: OrderIntent, *rest: Any) -> Position:
        before = desk._venue.open_orders()
        if not any(each.client_order_id == intent.client_order_id for each in before):
            raise RuntimeError("notFound")
        done: Position = cancel(desk, position, intent, *rest)
        return done

    return cancelling


def _keeps_what_is_left(_clearing: Any) -> Any:
    return lambda _position: ()


def _nothing_is_an_orphan(_orphans: Any) -> Any:
    return lambda *_arguments: ()


def _everything_is_ours(_is_ours: Any) -> Any:
    return lambda _order: True


def _size_in_floats(_down: Any) -> Any:
    def rounding(_market: Any, quantity: Decimal) -> Quantity:
        return Quantity(Decimal(str(float(quantity) * 0.999)))

    return rounding


def _flattened_with_open_orders(_request: Any) -> Any:
    request = _request

    def asking(intent: OrderIntent, contract: str, process_before: Any) -> Any:
        made = request(intent, contract, process_before)
        return replace(made, reduce_only=False) if intent.purpose is Purpose.EXIT else made

    return asking


PROTECTING: tuple[Defect, ...] = (
    Defect(
        name="missing stop is not placed again",
        story="appendix B; audited system: the repair existed and nothing called it",
        plant=planted((protection, "_stop_steps", _stops_are_never_due)),
        profiles=("human", "swarm"),
    ),
    Defect(
        name="stop covers half",
        story="appendix B: stop sized to something else than the fill",
        plant=planted((protection, "stop_intent", _half_a_stop)),
        profiles=("human", "swarm"),
    ),
    Defect(
        name="old stop is cancelled before the new one stands",
        story="appendix B",
        plant=planted((protection, "_stop_steps", _old_stop_goes_first)),
        profiles=("swarm", "human"),
    ),
    Defect(
        name="stop is moved away from the price",
        story="audited system: break-even computed on the wrong side",
        plant=planted((exit_module, "decide_exit", _stop_moves_away)),
        profiles=("calm", "swarm"),
    ),
    Defect(
        name="trailing loosens the stop",
        story="design page: a stop only ever moves toward profit; a growing ATR moves a trailing level back",
        plant=planted((tightening, "tightens", _anything_tightens)),
        profiles=("calm", "swarm"),
    ),
    Defect(
        name="exit rule is switched on and never called",
        story="audited system: trailing was written, configured and never acted",
        plant=planted((registry, "REGISTRY", _without_rule("trailing"))),
        profiles=("calm", "swarm"),
    ),
    Defect(
        name="every target has the whole size",
        story="appendix B: take-profit at full size instead of split",
        plant=planted((protection, "target_steps", _whole_position_for_each_target)),
        profiles=("calm", "swarm"),
    ),
    Defect(
        name="unknown position is flattened on sight",
        story="appendix B: phantom auto-flatten at start",
        plant=planted((adoption, "adopt_ghost", _flattened_on_sight)),
        profiles=("human",),
    ),
    Defect(
        name="one poisoned coin ends the loop",
        story="appendix B",
        plant=planted((positions, "_settle_one", _one_poison_ends_the_loop)),
        profiles=("storm", "swarm"),
    ),
    Defect(
        name="one coin's positions are looked for under a wrong name",
        story="appendix B: PF_XBTUSD against BTC/USD; over 25 incidents of the audited system",
        plant=planted((VenueView, "position", _blind_for_one_coin)),
        profiles=("calm", "swarm"),
    ),
    Defect(
        name="closing cancels the stops first",
        story="audited system: kill switch cancelled the stops before the position was flat",
        plant=planted((protecting, "protective_steps", _flat_cancels_first)),
        profiles=("human", "swarm"),
    ),
    Defect(
        name="cancel of an order that is gone ends the run",
        story="appendix B: stop notFound crash leaves naked",
        plant=planted((OrderDesk, "cancel", _notfound_ends_the_run)),
        profiles=("swarm", "human"),
    ),
    Defect(
        name="orders of an ended position stay",
        story="appendix B: orphan stop after close",
        plant=planted((ending, "clearing_steps", _keeps_what_is_left), (strangers, "orphans", _nothing_is_an_orphan)),
        profiles=("calm", "swarm"),
    ),
    Defect(
        name="the owner's own orders are taken for ours",
        story="audited system: foreign orders were cancelled at start",
        plant=planted((compare, "_is_ours", _everything_is_ours)),
        profiles=("human",),
    ),
    Defect(
        name="quantities are rounded in floats",
        story="appendix B: float rounding below the step",
        plant=planted((Instrument, "quantity_down", _size_in_floats)),
        profiles=("calm",),
    ),
    Defect(
        name="exits may open",
        story="appendix B: flatten without reduceOnly",
        plant=planted((OrderIntent, "request", _flattened_with_open_orders)),
        profiles=("human", "swarm"),
    ),
)
