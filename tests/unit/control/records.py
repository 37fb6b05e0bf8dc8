"""Small valid records for tests of operations."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from trading.execution.plan import stop_intent
from trading.model.decisions import Decision, Outcome
from trading.model.instruments import Instrument, InstrumentId, MarginLevel, Side, Tier, Universe
from trading.model.orders import IntentState, OrderIntent, OrderSide, OrderType, PositionId, Purpose, client_order_id
from trading.model.positions import Position, PositionState, RecordedFill, Trade
from trading.model.signals import Levels, Regime, Setup
from trading.model.units import BasisPoints, Money, Price, Quantity
from trading.model.venue import Quote, VenuePosition

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def instrument(code: str = "BTC") -> Instrument:
    return Instrument(
        id=InstrumentId(code),
        spot_pair=f"{code}USD",
        contract=f"PF_{code}USD",
        tick=Decimal("0.5"),
        step=Decimal("0.001"),
        minimum=Quantity("0.001"),
        maximum_position=Quantity(1000),
        margin_levels=(MarginLevel(from_notional=Decimal(0), initial=Decimal("0.02"), maintenance=Decimal("0.01")),),
        maker_fee=BasisPoints(2),
        taker_fee=BasisPoints(5),
        tier=Tier.A,
    )


def universe(*codes: str) -> Universe:
    return Universe(instruments=tuple(instrument(code) for code in sorted(codes)))


def position(code: str = "BTC", state: PositionState = PositionState.PROTECTED, **changes: Any) -> Position:
    """A long of 0.5 coins from 100 with its stop at 90 working at the venue."""
    levels = Levels(
        side=Side.LONG,
        entry=Price(100),
        stop=Price(90),
        invalidation=Price(95),
        target_1=Price(110),
        target_2=Price(125),
    )
    values: dict[str, Any] = {
        "id": PositionId(f"position-{code}"),
        "market": instrument(code),
        "side": Side.LONG,
        "state": state,
        "regime": Regime.TIGHT_SMC,
        "setup": Setup.ORDER_BLOCK,
        "planned": Quantity("0.5"),
        "levels": levels,
        "spot_invalidation": Price(95),
        "stop": Price(90),
        "risk": Money(5),
        "cost_bps": Decimal(10),
        "planned_at": NOW - timedelta(hours=1),
        "entry_expires_at": NOW,
        "rules_fingerprint": "f" * 16,
        "code_version": "test",
        "quantity": Quantity("0.5"),
    }
    made = Position(**(values | changes))
    return with_live(made, stop_intent(made, Quantity("0.5"), made.planned_at))


def with_live(made: Position, intent: OrderIntent, state: IntentState = IntentState.LIVE) -> Position:
    sending = intent.moved(IntentState.SENDING) if intent.state is IntentState.PLANNED else intent
    return made.with_intent(sending.moved(state))


def filled(made: Position) -> Position:
    """Its whole quantity was bought at 100."""
    fill = RecordedFill(
        id="fill-1", client_order_id=None, opens=True, quantity=made.quantity, price=Price(100), at=made.planned_at
    )
    return replace(made, fills=(fill,), opened_at=made.planned_at)


def entry(made: Position) -> OrderIntent:
    return OrderIntent(
        purpose=Purpose.ENTRY,
        generation=1,
        client_order_id=client_order_id(made.id, Purpose.ENTRY, 1),
        side=OrderSide.BUY,
        type=OrderType.POST,
        quantity=made.planned,
        reduce_only=False,
        state=IntentState.PLANNED,
        planned_at=made.planned_at,
        limit_price=made.levels.entry,
    )


def venue_position(code: str = "BTC", quantity: str = "0.5") -> VenuePosition:
    return VenuePosition(
        contract=f"PF_{code}USD", side=Side.LONG, quantity=Quantity(quantity), entry=Price(100), isolated=False
    )


def quote(code: str = "BTC", mark: int = 105, at: datetime = NOW) -> Quote:
    return Quote(
        contract=f"PF_{code}USD",
        mark=Price(mark),
        index=Price(mark),
        bid=Price(mark),
        ask=Price(mark),
        volume_usd=Decimal(1000),
        hourly_funding=Decimal(0),
        suspended=False,
        post_only=False,
        at=at,
    )


def decision(code: str, bar: datetime, outcome: Outcome = Outcome.NO_SETUP, sentence: str = "nothing seen") -> Decision:
    return Decision(
        instrument=InstrumentId(code),
        decision_bar=bar,
        outcome=outcome,
        sentence=sentence,
        code_version="test",
        rules_fingerprint="f" * 16,
        inputs_fingerprint="i" * 16,
    )


def trade(code: str = "BTC", net: str = "12.5", reason: str = "target_2") -> Trade:
    return Trade(
        id=PositionId(f"position-{code}"),
        instrument=InstrumentId(code),
        side=Side.LONG,
        regime=Regime.TIGHT_SMC,
        setup=Setup.ORDER_BLOCK,
        opened_at=NOW - timedelta(hours=5),
        closed_at=NOW - timedelta(hours=1),
        quantity=Quantity("0.5"),
        entry=Price(100),
        exit=Price(125),
        gross=Money("13"),
        fees=Money("0.5"),
        funding=Money("0"),
        net=Money(net),
        r_multiple=Decimal(net) / 5,
        exit_reason=reason,
    )
