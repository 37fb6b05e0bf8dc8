"""Checks of a new order, in the venue's order: deadline, market, steps, client id, reduce-only, cap, collar, margin.

Each check returns Kraken's status word for a refusal, or None.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from trading.matching.book import Level, crosses, plan_taker, protected_price
from trading.matching.core import Core
from trading.matching.margin import margin_view
from trading.matching.markets import Market, MarketStatus
from trading.matching.orders import Order, OrderRequest, OrderState, OrderType
from trading.matching.rounding import ZERO, is_multiple

MAX_CLIENT_ID = 100
MAX_LIVE_ORDERS = 500
LIMITED = (OrderType.LIMIT, OrderType.POST, OrderType.IMMEDIATE, OrderType.FILL_OR_KILL)
"""Types that must name the worst price they may be filled at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """An order on trial: what is asked, where."""

    core: Core
    market: Market
    request: OrderRequest


Check = Callable[[Trial], str | None]


def refusal(core: Core, request: OrderRequest) -> str | None:
    """First reason not to accept `request`, or None. Changes nothing."""
    trial = Trial(core=core, market=core.market(request.symbol), request=request)
    for check in CHECKS:
        status = check(trial)
        if status is not None:
            return status
    return None


def _deadline(trial: Trial) -> str | None:
    if trial.request.process_before is not None and trial.core.books.now > trial.request.process_before:
        return "wouldProcessAfterSpecifiedTime"
    return None


def state_refusal(market: Market, *, takes: bool) -> str | None:
    """Why the market's state allows no order now; post-only allows those that take nothing."""
    if market.status is MarketStatus.SUSPENDED:
        return "marketSuspended"
    if market.status is MarketStatus.INACTIVE:
        return "marketInactive"
    return "marketIsPostOnly" if takes and market.status is MarketStatus.POST_ONLY else None


def _market_state(trial: Trial) -> str | None:
    return state_refusal(trial.market, takes=trial.request.order_type is not OrderType.POST)


def _size(trial: Trial) -> str | None:
    valid = trial.request.size > ZERO and is_multiple(trial.request.size, trial.market.size_step)
    return None if valid else "invalidSize"


def _price(trial: Trial) -> str | None:
    needs_limit = trial.request.order_type in LIMITED
    if needs_limit and trial.request.limit_price is None:
        return "invalidPrice"
    if trial.request.order_type.is_trigger and trial.request.stop_price is None:
        return "invalidPrice"
    for price in (trial.request.limit_price, trial.request.stop_price):
        if price is not None and (price <= ZERO or not is_multiple(price, trial.market.tick_size)):
            return "invalidPrice"
    return None


def _client_id(trial: Trial) -> str | None:
    name = trial.request.client_order_id
    if name is None:
        return None
    if len(name) > MAX_CLIENT_ID:
        return "clientOrderIdTooBig"
    if not name.strip() or not name.isprintable():
        return "clientOrderIdInvalid"
    known = trial.core.books.client_ids.get(name)
    if known is None:
        return None
    free_again = trial.core.switches.reuse_client_id_after_close and known not in trial.core.books.live
    return None if free_again else "clientOrderIdAlreadyExist"


def _reduce_only(trial: Trial) -> str | None:
    if not trial.request.reduce_only:
        return None
    room = trial.core.reducible(trial.request.symbol, trial.request.side)
    if trial.request.order_type.is_trigger:
        refused = room == ZERO and not trial.core.switches.accept_stop_when_flat
        return "wouldNotReducePosition" if refused else None
    oversized = trial.request.size > room and not trial.core.switches.trim_reduce_only
    return "wouldNotReducePosition" if room == ZERO or oversized else None


def _caps(trial: Trial) -> str | None:
    if len(trial.core.books.live) >= MAX_LIVE_ORDERS:
        return "tooManyOrders"
    if trial.request.reduce_only:
        return None
    after = trial.core.books.size_of(trial.request.symbol) + trial.request.size * trial.request.side.sign
    working = sum(
        (
            order.remaining * order.side.sign
            for order in trial.core.books.orders_of(trial.request.symbol)
            if order.side is trial.request.side and order.state is OrderState.RESTING and not order.reduce_only
        ),
        ZERO,
    )
    beyond = (after + working) * trial.request.side.sign > trial.market.max_position
    return "maxPositionViolation" if beyond else None


def _collar(trial: Trial) -> str | None:
    if trial.request.limit_price is None or trial.request.order_type.is_trigger:
        return None
    mark = trial.core.mark(trial.request.symbol)
    distance = (trial.request.limit_price - mark) * trial.request.side.sign
    return "outsidePriceCollar" if distance > mark * trial.market.collar else None


def _immediate(trial: Trial) -> str | None:
    """Whether it can execute now as its type demands, and not against an own resting order."""
    if trial.request.order_type.is_trigger:
        return None
    mark = trial.core.mark(trial.request.symbol)
    limit = worst_price(trial.market, mark, trial.request)
    crossing = crosses(trial.market, mark, trial.request.side, limit)
    if trial.request.order_type is OrderType.POST:
        return "postWouldExecute" if crossing else None
    if not crossing:
        resting = trial.request.order_type is OrderType.LIMIT
        return None if resting else "iocWouldNotExecute"
    planned = plan_taker(trial.market, mark, trial.request.side, _wanted(trial), limit)
    if trial.request.order_type is OrderType.FILL_OR_KILL and sum(level.size for level in planned) < _wanted(trial):
        return "iocWouldNotExecute"
    return _own_order_in_the_way(trial, planned)


def _wanted(trial: Trial) -> Decimal:
    """What is to be executed: of a reduce-only order no more than there is to reduce."""
    request = trial.request
    if not request.reduce_only:
        return request.size
    return min(request.size, trial.core.reducible(request.symbol, request.side))


def _own_order_in_the_way(trial: Trial, planned: tuple[Level, ...]) -> str | None:
    for order in trial.core.books.orders_of(trial.request.symbol):
        if order.side is trial.request.side or order.state is not OrderState.RESTING or order.limit_price is None:
            continue
        if (planned[-1].price - order.limit_price) * trial.request.side.sign >= ZERO:
            return "selfFill"
    return None


def _margin(trial: Trial) -> str | None:
    """Initial margin for what the order adds, then maintenance margin if it filled at its worst price."""
    if trial.request.reduce_only or trial.request.order_type.is_trigger:
        return None
    mark = trial.core.mark(trial.request.symbol)
    worst = worst_price(trial.market, mark, trial.request)
    return margin_refusal(
        trial.core, trial.market, new_order(trial.core, trial.request, "margin check", trial.request.size), worst
    )


def margin_refusal(core: Core, market: Market, order: Order, worst: Decimal) -> str | None:
    """Refusal of an order that would rest or fill at `worst` (USD), or None."""
    books = core.books
    before = margin_view(books, core.markets, core.mark)
    trial = replace(books, live={**books.live, order.order_id: replace(order, state=OrderState.RESTING)})
    after = margin_view(trial, core.markets, core.mark)
    if after.initial_with_orders <= before.initial_with_orders:
        return None
    if after.initial_with_orders > before.equity:
        return "insufficientAvailableFunds"
    mark = core.mark(market.symbol)
    loss = max((worst - mark) * order.side.sign, ZERO) * order.remaining
    fee = worst * order.remaining * market.taker_fee
    size = abs(books.size_of(market.symbol) + order.remaining * order.side.sign)
    old = abs(books.size_of(market.symbol)) * mark
    notional = size * mark
    maintenance = (
        before.maintenance - old * market.tier_for(old).maintenance + notional * market.tier_for(notional).maintenance
    )
    return "wouldCauseLiquidation" if before.equity - loss - fee < maintenance else None


def worst_price(market: Market, mark: Decimal, request: OrderRequest) -> Decimal:
    """Worst price at which the order may execute now: its limit, or the market order's protection."""
    if request.limit_price is not None and request.order_type is not OrderType.MARKET:
        return request.limit_price
    return protected_price(market, mark, request.side)


def new_order(core: Core, request: OrderRequest, order_id: str, size: Decimal) -> Order:
    """Order made from a request, not yet stored. Market orders become `ioc` at their protection price."""
    market, now = core.market(request.symbol), core.books.now
    trigger = request.order_type.is_trigger
    limit, kind = request.limit_price, request.order_type
    if kind is OrderType.MARKET:
        limit, kind = protected_price(market, core.mark(request.symbol), request.side), OrderType.IMMEDIATE
    return Order(
        order_id=order_id,
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        order_type=kind,
        size=size,
        limit_price=limit,
        stop_price=request.stop_price if trigger else None,
        trigger_signal=request.trigger_signal if trigger else None,
        reduce_only=request.reduce_only,
        received_at=now,
        updated_at=now,
        sequence=core.books.orders_accepted + 1,
        state=OrderState.TRIGGER if trigger else OrderState.RESTING,
    )


CHECKS: tuple[Check, ...] = (
    _deadline,
    _market_state,
    _size,
    _price,
    _client_id,
    _reduce_only,
    _caps,
    _collar,
    _margin,
    _immediate,
)
