"""What the venue tells us, already validated and in our units."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.errors import InvalidInput
from trading.model.instruments import MarginLevel, Side
from trading.model.orders import OrderSide
from trading.model.units import BasisPoints, Money, Price, Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedContract:
    """A derivatives contract as the venue lists it. `base` and `quote` are the venue's own metadata (`BTC`, `USD`)."""

    contract: str
    kind: str
    base: str
    quote: str
    tradeable: bool
    post_only: bool
    perpetual: bool
    tick: Decimal
    step: Decimal
    maximum_position: Quantity
    margin_levels: tuple[MarginLevel, ...]
    maker_fee: BasisPoints
    taker_fee: BasisPoints


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPair:
    """A spot pair as the venue lists it, with base and quote in common codes (`BTC`, not `XXBT`)."""

    pair: str
    base: str
    quote: str
    online: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A contract's ticker. `hourly_funding`: signed share of the notional paid by longs each hour, None when the venue
    did not say; nothing is put in the place of what is missing."""

    contract: str
    mark: Price
    index: Price | None
    bid: Price | None
    ask: Price | None
    volume_usd: Decimal
    hourly_funding: Decimal | None
    suspended: bool
    post_only: bool
    at: datetime

    @property
    def spread(self) -> BasisPoints | None:
        """Ask less bid in basis points of the mid, None when a side is missing."""
        if self.bid is None or self.ask is None:
            return None
        return BasisPoints((self.ask - self.bid) * 20_000 / (self.ask + self.bid))

    @property
    def basis_pct(self) -> Decimal | None:
        """|index - mark| in percent of the index, None without an index."""
        return None if self.index is None else abs(self.index - self.mark) * 100 / self.index


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractStress:
    """What the venue says about a contract under stress. Margin is multiplied by `margin_multiplier` (1 or more).

    `unreadable` says why its row could not be read, empty when it was: such a contract is not known to be calm.
    """

    contract: str
    dislocated: bool
    extreme_volatility: bool
    margin_multiplier: Decimal
    unreadable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotQuote:
    pair: str
    bid: Price
    ask: Price
    at: datetime

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One public trade. `at` in nanoseconds since 1970; price in USD and volume in base coins as floats."""

    at: int
    price: float
    volume: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePage:
    """Trades, oldest first. `next_since` (nanoseconds since 1970) asks for the page after this one."""

    trades: tuple[Trade, ...]
    next_since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The multi-collateral account in USD. `equity` = margin equity (collateral after haircuts + open profit)."""

    equity: Money
    available_margin: Money
    initial_margin: Money
    maintenance_margin: Money
    portfolio_value: Money
    unrealised: Money
    at: datetime

    def __post_init__(self) -> None:
        for name in ("initial_margin", "maintenance_margin"):
            if getattr(self, name) < 0:
                raise InvalidInput(f"{name} is {getattr(self, name)}; expected 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePosition:
    contract: str
    side: Side
    quantity: Quantity
    entry: Price
    isolated: bool


class OpenOrderKind(StrEnum):
    LIMIT = "limit"
    STOP = "stop"
    TAKE_PROFIT = "take_profit"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """A working order. `open_quantity` is what is left of it; `trigger_signal` is `mark`, `index` or `last`."""

    order_id: str
    client_order_id: str | None
    contract: str
    side: OrderSide
    kind: OpenOrderKind
    open_quantity: Quantity
    filled: Quantity
    reduce_only: bool
    limit_price: Price | None
    trigger_price: Price | None
    trigger_signal: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One execution. `kind` is the venue's word: maker, taker, liquidation ..."""

    id: str
    order_id: str
    client_order_id: str | None
    contract: str
    side: OrderSide
    quantity: Quantity
    price: Price
    at: datetime
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """A cash row of the venue's account log: the only reliable source of fees and funding. `funding` received > 0.

    `old_balance` and `new_balance` in units of `asset`, None where the source does not tell them.
    """

    id: int
    at: datetime
    contract: str | None
    kind: str
    execution: str | None
    fee: Money
    realised: Money
    funding: Money
    asset: str = "usd"
    old_balance: Money | None = None
    new_balance: Money | None = None


class OrderFate(StrEnum):
    """What a look-up says became of an order."""

    WORKING = "working"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """Answer of a look-up by client order id. An order that is not reported may exist all the same."""

    order_id: str
    client_order_id: str | None
    contract: str
    fate: OrderFate
    filled: Quantity


class SendOutcome(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


REFUSED_FOR_NOW = (
    "apiLimitExceeded",
    "HTTP 429",
    "marketSuspended",
    "marketInactive",
    "marketIsPostOnly",
    "not sent: call budget",
)
"""Words of a refusal that say nothing about the order itself: the same order may be taken a minute later."""


def refused_for_now(detail: str) -> bool:
    return any(word in detail for word in REFUSED_FOR_NOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAnswer:
    """What is known after a send. UNKNOWN means the order may or may not exist: never treated as a rejection."""

    outcome: SendOutcome
    detail: str
    order_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAnswer:
    """`gone` is the venue's word that nothing rests any more; fills must still be looked up."""

    gone: bool
    detail: str
