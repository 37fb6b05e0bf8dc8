"""Short builders for records of the trading core: one long in COIN at 100, stop 98, targets 102 and 105."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from trading.execution.plan import entry_intent, stop_intent
from trading.model.control import Control, KillLevel, RiskDay
from trading.model.instruments import Instrument, InstrumentId, MarginLevel, Side, Tier
from trading.model.orders import ClientOrderId, IntentState, OrderIntent, OrderSide, PositionId, Purpose
from trading.model.positions import Position, PositionState, RecordedFill, Trade
from trading.model.signals import Levels, Regime, Setup, Signal, signal_id
from trading.model.units import BasisPoints, Money, Price, Quantity
from trading.model.venue import Account, Fill, OpenOrder, OpenOrderKind, OrderFate, OrderReport, Quote, VenuePosition
from trading.rules import Rules, load_rules

NOW = datetime(2024, 5, 1, 10, 0, 30, tzinfo=UTC)
BAR = datetime(2024, 5, 1, 10, 0, tzinfo=UTC)
RULES = load_rules()


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def rules_with(override: str) -> Rules:
    return load_rules(override)


def coin(name: str = "COIN", **changes: Any) -> Instrument:
    values: dict[str, Any] = {
        "id": InstrumentId(name),
        "spot_pair": f"{name}USD",
        "contract": f"PF_{name}USD",
        "tick": Decimal("0.1"),
        "step": Decimal("0.01"),
        "minimum": Quantity("0.01"),
        "maximum_position": Quantity(100_000),
        "margin_levels": (MarginLevel(from_notional=Decimal(0), initial=Decimal("0.02"), maintenance=Decimal("0.01")),),
        "maker_fee": BasisPoints(2),
        "taker_fee": BasisPoints(5),
        "tier": Tier.A,
    }
    return Instrument(**(values | changes))


def beside(name: str = "COIN") -> Instrument:
    """The coin's market under its contract's name: where a second record on the contract stands."""
    return coin(name, id=InstrumentId(f"PF_{name}USD"))


def levels(side: Side = Side.LONG, **changes: Any) -> Levels:
    ladder = {"entry": 100, "stop": 98, "invalidation": "98.5", "target_1": 102, "target_2": 105}
    if side is Side.SHORT:
        ladder = {"entry": 100, "stop": 102, "invalidation": "101.5", "target_1": 98, "target_2": 95}
    prices = {name: Price(value) for name, value in (ladder | changes).items()}
    return Levels(side=side, **prices)


def signal(name: str = "COIN", setup: Setup = Setup.ORDER_BLOCK, **changes: Any) -> Signal:
    structure = str(changes.get("structure_id", "ob-1"))
    bar = changes.get("decision_bar", BAR)
    values: dict[str, Any] = {
        "id": signal_id(InstrumentId(name), bar, setup, structure),
        "instrument": InstrumentId(name),
        "decision_bar": bar,
        "expires_at": bar + timedelta(hours=1),
        "setup": setup,
        "structure_id": structure,
        "score": 80,
        "aligned": True,
        "levels": levels(),
        "atr": Decimal(2),
        "rules_fingerprint": RULES.fingerprint,
        "code_version": "test",
    }
    return Signal(**(values | changes))


def account(equity: Any = 10_000, **changes: Any) -> Account:
    values: dict[str, Any] = {
        "equity": Money(equity),
        "available_margin": Money(equity),
        "initial_margin": Money(0),
        "maintenance_margin": Money(0),
        "portfolio_value": Money(equity),
        "unrealised": Money(0),
        "at": NOW,
    }
    return Account(**(values | changes))


def quote(contract: str = "PF_COINUSD", mark: Any = 100, **changes: Any) -> Quote:
    values: dict[str, Any] = {
        "contract": contract,
        "mark": Price(mark),
        "index": Price(mark),
        "bid": Price(Decimal(mark) - Decimal("0.01")),
        "ask": Price(Decimal(mark) + Decimal("0.01")),
        "volume_usd": Decimal(6_000_000),
        "hourly_funding": Decimal(0),
        "suspended": False,
        "post_only": False,
        "at": NOW,
    }
    return Quote(**(values | changes))


def control(level: KillLevel = KillLevel.NORMAL, version: int = 0) -> Control:
    return Control(level=level, reason="test", changed_by="test", changed_at=NOW, version=version)


def risk_day(**changes: Any) -> RiskDay:
    equity = Money(10_000)
    values: dict[str, Any] = {
        "day": NOW.date(),
        "start_equity": equity,
        "peak_equity": equity,
        "last_equity": equity,
        "halted_on": None,
    }
    return RiskDay(**(values | changes))


def planned(name: str = "COIN", side: Side = Side.LONG, quantity: Any = 10, **changes: Any) -> Position:
    """A position as it is written ahead: stop and entry planned, nothing sent."""
    chosen = changes.pop("levels", None) or levels(side)
    values: dict[str, Any] = {
        "id": PositionId(f"id-{name}"),
        "market": coin(name),
        "side": side,
        "state": PositionState.OPENING,
        "regime": Regime.TIGHT_SMC,
        "setup": Setup.ORDER_BLOCK,
        "planned": Quantity(quantity),
        "levels": chosen,
        "spot_invalidation": chosen.invalidation,
        "stop": chosen.stop,
        "risk": Money(25),
        "cost_bps": Decimal(20),
        "planned_at": NOW,
        "entry_expires_at": NOW + timedelta(hours=1),
        "rules_fingerprint": RULES.fingerprint,
        "code_version": "test",
    }
    position = Position(**values)
    position = position.with_intent(stop_intent(position, position.planned, NOW))
    return replace(position.with_intent(entry_intent(position, NOW, rests=True)), **changes)


def with_state(position: Position, purpose: Purpose, state: IntentState, **changes: Any) -> Position:
    """The newest intent of this purpose put into `state` as if it had been sent just now."""
    intent = position.intent(purpose)
    assert intent is not None
    sent = {"sent_at": NOW, "process_before": NOW + seconds(10), "venue_order_id": f"venue-{purpose}"}
    return position.with_intent(
        replace(intent, state=state, **({} if state is IntentState.PLANNED else sent) | changes)
    )


def waiting(name: str = "COIN", side: Side = Side.LONG, **changes: Any) -> Position:
    """Stop and entry work at the venue, nothing is filled."""
    position = with_state(planned(name, side), Purpose.STOP, IntentState.LIVE)
    return replace(with_state(position, Purpose.ENTRY, IntentState.LIVE), **changes)


def filled(name: str = "COIN", side: Side = Side.LONG, **changes: Any) -> Position:
    """Entered in full at its price, protected by the whole stop, no targets yet."""
    position = waiting(name, side)
    entry = position.intent(Purpose.ENTRY)
    assert entry is not None
    position = position.with_intent(replace(entry, state=IntentState.FILLED, filled=entry.quantity))
    fill = RecordedFill(
        id=f"entry-{name}",
        client_order_id=entry.client_order_id,
        opens=True,
        quantity=entry.quantity,
        price=position.levels.entry,
        at=NOW,
    )
    values: dict[str, Any] = {
        "state": PositionState.PROTECTED,
        "quantity": entry.quantity,
        "fills": (fill,),
        "opened_at": NOW,
    }
    return replace(position, **(values | changes))


def order_of(position: Position, intent: OrderIntent, **changes: Any) -> OpenOrder:
    """The working order of an intent as the venue shows it."""
    values: dict[str, Any] = {
        "order_id": intent.venue_order_id or f"venue-{intent.purpose}",
        "client_order_id": intent.client_order_id,
        "contract": position.contract,
        "side": intent.side,
        "kind": OpenOrderKind.STOP if intent.trigger_price is not None else OpenOrderKind.LIMIT,
        "open_quantity": intent.open_quantity,
        "filled": intent.filled,
        "reduce_only": intent.reduce_only,
        "limit_price": intent.limit_price,
        "trigger_price": intent.trigger_price,
        "trigger_signal": "mark" if intent.trigger_price is not None else None,
        "received_at": NOW,
    }
    return OpenOrder(**(values | changes))


def fill_of(position: Position, intent: OrderIntent, quantity: Any, name: str = "fill-1", **changes: Any) -> Fill:
    values: dict[str, Any] = {
        "id": name,
        "order_id": intent.venue_order_id or f"venue-{intent.purpose}",
        "client_order_id": intent.client_order_id,
        "contract": position.contract,
        "side": intent.side,
        "quantity": Quantity(quantity),
        "price": intent.limit_price or intent.trigger_price or Price(100),
        "at": NOW + seconds(1),
        "kind": "taker",
    }
    return Fill(**(values | changes))


def report_of(position: Position, intent: OrderIntent, fate: OrderFate, filled: Any = 0) -> OrderReport:
    return OrderReport(
        order_id=intent.venue_order_id or f"venue-{intent.purpose}",
        client_order_id=intent.client_order_id,
        contract=position.contract,
        fate=fate,
        filled=Quantity(filled),
    )


def held(position: Position, quantity: Any = 10, **changes: Any) -> VenuePosition:
    values: dict[str, Any] = {
        "contract": position.contract,
        "side": position.side,
        "quantity": Quantity(quantity),
        "entry": Price(100),
        "isolated": False,
    }
    return VenuePosition(**(values | changes))


def closing_side(position: Position) -> OrderSide:
    return OrderSide.closing(position.side)


def trade(net: Any = -50, regime: Regime = Regime.TIGHT_SMC) -> Trade:
    return Trade(
        id=PositionId("id-COIN"),
        instrument=InstrumentId("COIN"),
        side=Side.LONG,
        regime=regime,
        setup=Setup.ORDER_BLOCK,
        opened_at=NOW,
        closed_at=NOW + timedelta(hours=1),
        quantity=Quantity(10),
        entry=Price(100),
        exit=Price(98),
        gross=Money(net),
        fees=Money(0),
        funding=Money(0),
        net=Money(net),
        r_multiple=Decimal(-1),
        exit_reason="stop",
    )


def ours(text: str) -> ClientOrderId:
    return ClientOrderId(f"smc-{text}")
