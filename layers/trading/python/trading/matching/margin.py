"""Cross margin of the multi-collateral account: one USD balance, every position, tiers by position notional."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from trading.matching.markets import Market
from trading.matching.orders import Order, OrderState, Side
from trading.matching.rounding import ZERO
from trading.matching.state import Books

MarkOf = Callable[[str], Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginView:
    """Margin of the account in USD at one instant."""

    balance: Decimal
    unrealised: Decimal
    accrued_funding: Decimal
    initial: Decimal
    initial_with_orders: Decimal
    maintenance: Decimal

    @property
    def equity(self) -> Decimal:
        """Margin equity: balance, open profit and accrued funding."""
        return self.balance + self.unrealised + self.accrued_funding

    @property
    def available(self) -> Decimal:
        """Margin equity less initial margin of open positions (Kraken's `availableMargin`)."""
        return self.equity - self.initial


def exposure(size: Decimal, orders: list[Order]) -> Decimal:
    """Largest absolute position if all working orders of one side fill. Reduce-only and waiting triggers add none."""
    buys = sells = ZERO
    for order in orders:
        if order.reduce_only or order.state is not OrderState.RESTING:
            continue
        if order.side is Side.BUY:
            buys += order.remaining
        else:
            sells += order.remaining
    return max(abs(size), size + buys, sells - size)


def open_profit(books: Books, mark_of: MarkOf) -> tuple[Decimal, Decimal]:
    """Unrealised profit and accrued funding of all positions in USD, with the marks that `mark_of` gives."""
    unrealised = accrued = ZERO
    for symbol, position in books.positions.items():
        unrealised += position.unrealised(mark_of(symbol))
        accrued += position.accrued_funding
    return unrealised, accrued


def margin_equity(books: Books, mark_of: MarkOf) -> Decimal:
    """`MarginView.equity`, without the margins."""
    unrealised, accrued = open_profit(books, mark_of)
    return books.balance + unrealised + accrued


def maintenance_margin(books: Books, markets: Mapping[str, Market], mark_of: MarkOf) -> Decimal:
    """USD below which margin equity must not fall."""
    needed = ZERO
    for symbol, position in books.positions.items():
        notional = abs(position.size) * mark_of(symbol)
        needed += notional * markets[symbol].tier_for(notional).maintenance
    return needed


def margin_view(books: Books, markets: Mapping[str, Market], mark_of: MarkOf) -> MarginView:
    """Margin of the account with the marks that `mark_of` gives."""
    unrealised, accrued = open_profit(books, mark_of)
    initial = with_orders = ZERO
    by_symbol: dict[str, list[Order]] = {symbol: [] for symbol in books.positions}
    for order in books.live.values():
        by_symbol.setdefault(order.symbol, []).append(order)
    for symbol, orders in by_symbol.items():
        market, mark = markets[symbol], mark_of(symbol)
        size = books.size_of(symbol)
        if size:
            initial += market.initial_margin(abs(size) * mark)
        with_orders += market.initial_margin(exposure(size, orders) * mark)
    return MarginView(
        balance=books.balance,
        unrealised=unrealised,
        accrued_funding=accrued,
        initial=initial,
        initial_with_orders=with_orders,
        maintenance=maintenance_margin(books, markets, mark_of),
    )
