"""Turn an approval into a position record with its first two intents: the stop, then the entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from trading.model.orders import (
    IntentState,
    OrderIntent,
    OrderSide,
    OrderType,
    PositionId,
    Purpose,
    client_order_id,
)
from trading.model.positions import Position, PositionState
from trading.model.risk import RiskApproved
from trading.model.units import Price, Quantity
from trading.rules import Rules


def plan_position(approved: RiskApproved, rules: Rules, code_version: str, now: datetime) -> Position:
    """The record that is written ahead of any send. Its id is the signal's id: one idea, one position, for ever."""
    signal = approved.signal
    position = Position(
        id=PositionId(signal.id),
        market=approved.instrument,
        side=signal.side,
        state=PositionState.OPENING,
        regime=signal.regime,
        setup=signal.setup,
        planned=approved.sizing.quantity,
        levels=approved.levels,
        spot_invalidation=approved.spot_invalidation,
        stop=approved.levels.stop,
        risk=approved.sizing.risk,
        cost_bps=Decimal(approved.sizing.cost),
        planned_at=now,
        entry_expires_at=signal.expires_at,
        rules_fingerprint=rules.fingerprint,
        code_version=code_version,
    )
    return position.with_intent(stop_intent(position, position.planned, now)).with_intent(
        entry_intent(position, now, rests=rules.cost.entry_rests)
    )


def entry_intent(position: Position, now: datetime, *, rests: bool) -> OrderIntent:
    return OrderIntent(
        purpose=Purpose.ENTRY,
        generation=1,
        client_order_id=client_order_id(position.id, Purpose.ENTRY, 1),
        side=OrderSide.opening(position.side),
        type=OrderType.POST if rests else OrderType.LIMIT,
        quantity=position.planned,
        reduce_only=False,
        state=IntentState.PLANNED,
        planned_at=now,
        limit_price=position.levels.entry,
    )


def stop_intent(position: Position, quantity: Quantity, now: datetime) -> OrderIntent:
    """The next generation of the protective stop, at the level the position stands at."""
    generation = next_generation(position, Purpose.STOP)
    return replace(
        _reducing(position, Purpose.STOP, generation, quantity, now),
        type=OrderType.STOP,
        trigger_price=position.stop,
    )


def target_intent(position: Position, purpose: Purpose, quantity: Quantity, price: Price, now: datetime) -> OrderIntent:
    """Post-only: the venue refuses one whose level is already passed, which a limit order would execute at once."""
    generation = next_generation(position, purpose)
    return replace(_reducing(position, purpose, generation, quantity, now), type=OrderType.POST, limit_price=price)


def exit_intent(position: Position, now: datetime) -> OrderIntent:
    """Close at the market what the venue shows; never more, because it only reduces."""
    return _reducing(position, Purpose.EXIT, next_generation(position, Purpose.EXIT), position.quantity, now)


def next_generation(position: Position, purpose: Purpose) -> int:
    newest = position.intent(purpose)
    return newest.generation + 1 if newest else 1


def _reducing(position: Position, purpose: Purpose, generation: int, quantity: Quantity, now: datetime) -> OrderIntent:
    return OrderIntent(
        purpose=purpose,
        generation=generation,
        client_order_id=client_order_id(position.id, purpose, generation),
        side=OrderSide.closing(position.side),
        type=OrderType.MARKET,
        quantity=quantity,
        reduce_only=True,
        state=IntentState.PLANNED,
        planned_at=now,
    )
