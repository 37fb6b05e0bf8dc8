"""One position from plan to trade: our history and plan. The venue is the truth of its quantity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.errors import IllegalTransition
from trading.model.instruments import Instrument, InstrumentId, Side
from trading.model.orders import ClientOrderId, IntentState, OrderIntent, PositionId, Purpose
from trading.model.signals import Levels, Regime, Setup
from trading.model.units import NOTHING, Money, Price, Quantity

ORDERS_KEPT = 400
"""About 170 KB: the store takes 400 KB for a record, and one that it does not take is protected by nobody."""

TAKEN_BY_OTHERS = "somebody else holds a position here"
"""Why a plan is given up: its entry would close, turn round or enlarge what is not ours."""


class PositionState(StrEnum):
    OPENING = "OPENING"
    UNPROTECTED = "UNPROTECTED"
    PROTECTED = "PROTECTED"
    CLOSING = "CLOSING"
    FOREIGN = "FOREIGN"
    CLOSED = "CLOSED"


POSITION_TRANSITIONS: dict[PositionState, frozenset[PositionState]] = {
    PositionState.OPENING: frozenset({PositionState.UNPROTECTED, PositionState.PROTECTED, PositionState.CLOSED}),
    PositionState.UNPROTECTED: frozenset({PositionState.PROTECTED, PositionState.CLOSING, PositionState.CLOSED}),
    PositionState.PROTECTED: frozenset({PositionState.UNPROTECTED, PositionState.CLOSING, PositionState.CLOSED}),
    PositionState.CLOSING: frozenset({PositionState.CLOSED}),
    PositionState.FOREIGN: frozenset({PositionState.CLOSING, PositionState.CLOSED}),
    PositionState.CLOSED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFill:
    """One execution the venue reported. `fee` is known only once the account log has been read."""

    id: str
    client_order_id: ClientOrderId | None
    opens: bool
    quantity: Quantity
    price: Price
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """`levels` in contract USD as sent; `spot_invalidation` in spot USD (the premise is judged on spot closes).

    The whole `market` is kept inside, so that a coin that left the universe is managed as before.
    `quantity` is what the venue last showed, `stop` the level the protection stands at, `risk` the money lost at the
    first stop including costs. `intents` is the history of orders, `fills` of executions, both append-only; only where
    more than ORDERS_KEPT have gathered, because they are refused for hours, the oldest of those go.
    `control_version` is the switch's version when it was planned, 0 when that is not recorded: its entry is sent only
    while the switch has not been changed since.
    """

    id: PositionId
    market: Instrument
    side: Side
    state: PositionState
    regime: Regime
    setup: Setup
    planned: Quantity
    levels: Levels
    spot_invalidation: Price
    stop: Price
    risk: Money
    cost_bps: Decimal
    planned_at: datetime
    entry_expires_at: datetime
    rules_fingerprint: str
    code_version: str
    quantity: Quantity = NOTHING
    intents: tuple[OrderIntent, ...] = ()
    fills: tuple[RecordedFill, ...] = ()
    opened_at: datetime | None = None
    first_target_at: datetime | None = None
    unprotected_since: datetime | None = None
    missing_since: datetime | None = None
    close_reason: str = ""
    control_version: int = 0
    version: int = 0

    @property
    def instrument(self) -> InstrumentId:
        return self.market.id

    @property
    def contract(self) -> str:
        return self.market.contract

    def moved(self, state: PositionState, **changes: object) -> Position:
        """The same position one edge further. Staying is allowed; any other unlisted edge raises."""
        if state is not self.state and state not in POSITION_TRANSITIONS[self.state]:
            raise IllegalTransition(f"position {self.id} cannot go from {self.state} to {state}")
        return replace(self, state=state, **changes)  # type: ignore[arg-type]

    def intent(self, purpose: Purpose) -> OrderIntent | None:
        """The newest generation for this purpose."""
        found = self.of(purpose)
        return max(found, key=lambda each: each.generation) if found else None

    def of(self, purpose: Purpose) -> tuple[OrderIntent, ...]:
        """All generations for this purpose."""
        return tuple(each for each in self.intents if each.purpose is purpose)

    def by_client_order_id(self, client_order_id: str) -> OrderIntent | None:
        return next((each for each in self.intents if each.client_order_id == client_order_id), None)

    def given_up(self, why: str) -> Position:
        """Without what was never sent, for this reason."""
        position = self
        for intent in self.intents:
            if intent.state is IntentState.PLANNED:
                position = position.with_intent(intent.moved(IntentState.ABANDONED, reason=why))
        return replace(position, close_reason=why)

    def with_intent(self, intent: OrderIntent) -> Position:
        """Add an intent, or replace the one with its client order id."""
        others = tuple(each for each in self.intents if each.client_order_id != intent.client_order_id)
        order = sorted((*others, intent), key=lambda each: (each.planned_at, each.purpose, each.generation))
        return replace(self, intents=tuple(order))

    def without_old_refusals(self) -> Position:
        """Make room for another order: the oldest that never worked go first, never the newest of a purpose, whose
        generation says which name is next."""
        surplus = len(self.intents) - ORDERS_KEPT + 1
        if surplus <= 0:
            return self
        newest = {self.intent(each.purpose) for each in self.intents}
        useless = [each for each in self.intents if each.never_worked and each not in newest]
        gone = {each.client_order_id for each in useless[:surplus]}
        return replace(self, intents=tuple(each for each in self.intents if each.client_order_id not in gone))

    def resting(self, purpose: Purpose) -> tuple[OrderIntent, ...]:
        """Intents of this purpose whose orders may be working at the venue."""
        return tuple(each for each in self.intents if each.purpose is purpose and each.state.may_rest)

    @property
    def adopted(self) -> bool:
        """Found at the venue: no entry of ours is behind it, whatever has become of its state since."""
        return self.intent(Purpose.ENTRY) is None

    @property
    def came_to_nothing(self) -> bool:
        """Our entry is over and nothing of it was filled: whatever the venue shows here is somebody else's."""
        entry = self.intent(Purpose.ENTRY)
        return entry is not None and entry.state.terminal and not entry.filled and not self.entered

    @property
    def spent(self) -> bool:
        """All that our entry has brought is gone again, and nothing more can come."""
        return bool(self.entered) and self.left >= self.entered and not self.entry_open and not self.quantity

    @property
    def entry_open(self) -> bool:
        """The entry may still add quantity."""
        entry = self.intent(Purpose.ENTRY)
        return entry is not None and (entry.state.may_rest or entry.state is IntentState.PLANNED)

    @property
    def entered(self) -> Quantity:
        return Quantity(sum((fill.quantity for fill in self.fills if fill.opens), Decimal(0)))

    @property
    def left(self) -> Quantity:
        return Quantity(sum((fill.quantity for fill in self.fills if not fill.opens), Decimal(0)))

    @property
    def average_entry(self) -> Decimal | None:
        """Volume weighted entry price, None before the first fill."""
        if not self.entered:
            return None
        return sum((fill.quantity * fill.price for fill in self.fills if fill.opens), Decimal(0)) / self.entered

    @property
    def average_exit(self) -> Decimal | None:
        if not self.left:
            return None
        return sum((fill.quantity * fill.price for fill in self.fills if not fill.opens), Decimal(0)) / self.left


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One closed position. Money in USD: `net = gross - fees + funding`; `funding` is what was received (negative
    when paid). `r_multiple` is net over the risk planned at entry."""

    id: PositionId
    instrument: InstrumentId
    side: Side
    regime: Regime
    setup: Setup
    opened_at: datetime
    closed_at: datetime
    quantity: Quantity
    entry: Price
    exit: Price
    gross: Money
    fees: Money
    funding: Money
    net: Money
    r_multiple: Decimal
    exit_reason: str
