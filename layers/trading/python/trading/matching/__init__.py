"""Pure matching core: orders, price path and account in; fills and events out.

One account trades linear USD contracts (Kraken's `PF_`), one-way net positions, cross margin. The sandbox, the paper
venue, the simulation and the backtest share it, so that a fact learned about Kraken is fixed in one place. It uses
Decimal throughout, has no clock and no I/O, and all its ids derive from a seed and a counter.

**Price inside a candle** (see `path`): piecewise linear through open, first extreme at one third of the bar, second
extreme at two thirds, close at the end. A candle with close >= open visits its low first, otherwise its high first.
Between candles the price may jump. Along each linear piece orders are processed in the order in which the price reaches
them, ties by acceptance, and fill times are interpolated (whole milliseconds).

**Book** (see `book`): declared liquidity around the mark. Best bid and ask lie half a spread from the mark, levels of
equal size follow. A taker executes level by level up to its limit; `ioc` and `mkt` beyond the book fill in part and the
rest is cancelled. `mkt` is `ioc` with 1 % price protection. A resting limit fills a declared fraction when the opposite
quote reaches its price, and whole when the quote goes one tick further; when the price jumps over it, it fills at its
own price. Triggers watch mark, index or last, keep their order id when they fire, and execute against the book at the
price of that moment (after a jump: the price after the jump), so they may slip; without a limit they have the same 1 %
protection, and what the book cannot take is cancelled. `fok` executes whole or not at all. A `trailing_stop` is no
order type of this core: whoever asks for one must be refused.

**Reduce-only** orders never open or turn over a position: they are trimmed when sent (or when triggered), and resting
ones shrink or are cancelled whenever the position shrinks. A reduce-only trigger is accepted while flat
(`Switches.accept_stop_when_flat`), checked when it fires.

**Money** (see `settlement`): two account log rows per execution (cash and position), one per funding payment;
new_balance - old_balance = realised_pnl - fee + realised_funding on every cash row. Funding accrues continuously and is
realised at the hour or with the next execution. Margin is by tiers of position notional, initial margin also by the
contract's multiplier of extreme volatility (`Stress`); when margin equity falls below maintenance margin the positions
are liquidated, largest first, until the account is healthy.

**Lag** (see `views`): the books as they stood some seconds ago, for answers that come late.

**Not public at Kraken, assumed here**: collar 10 %, at most 500 live orders, waiting triggers hold no margin, the tier
rate applies to the whole position, liquidation closes whole positions (halves with `Switches.partial_liquidation`), a
`fok` that cannot execute whole is refused with the word of an `ioc` that finds nothing, a limit order that executes in
part when it is sent reports its PLACE before its executions.
"""

from trading.matching.engine import MatchingEngine, opening_books
from trading.matching.markets import Dislocation, Liquidity, MarginTier, Market, MarketStatus, Stress
from trading.matching.orders import Order, OrderRequest, OrderState, OrderType, Reason, Side, TriggerSignal
from trading.matching.path import PriceFeed, PricePoint, candle_waypoints, interpolate, point_at
from trading.matching.placing import EditRequest
from trading.matching.records import Answer, EventKind, Fill, FillType, LogRow, OrderEvent, Position
from trading.matching.state import Books, Switches, books_from_json, to_json
from trading.matching.views import fills_until, orders_at, positions_at

__all__ = [
    "Answer",
    "Books",
    "Dislocation",
    "EditRequest",
    "EventKind",
    "Fill",
    "FillType",
    "Liquidity",
    "LogRow",
    "MarginTier",
    "Market",
    "MarketStatus",
    "MatchingEngine",
    "Order",
    "OrderEvent",
    "OrderRequest",
    "OrderState",
    "OrderType",
    "Position",
    "PriceFeed",
    "PricePoint",
    "Reason",
    "Side",
    "Stress",
    "Switches",
    "TriggerSignal",
    "books_from_json",
    "candle_waypoints",
    "fills_until",
    "interpolate",
    "opening_books",
    "orders_at",
    "point_at",
    "positions_at",
    "to_json",
]
