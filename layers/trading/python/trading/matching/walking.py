"""Moving time forward: triggers, resting orders, funding and liquidation along the price path.

Time is cut at the path's points, at full hours (funding) and at the target. In each step every active market moves
linearly; what is reached first (as a fraction of the step) happens first, ties by acceptance order. A step of no
duration is a jump: resting limits fill at their price, triggers execute at the price after the jump.
In a market that is not online nothing executes; what its price has passed by then is reached when it opens again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from trading.matching.book import mark_when_ask_is, mark_when_bid_is, protected_price
from trading.matching.checks import margin_refusal
from trading.matching.core import Core
from trading.matching.liquidation import can_liquidate, liquidate
from trading.matching.margin import maintenance_margin, margin_equity
from trading.matching.markets import Market
from trading.matching.orders import Order, OrderState, OrderType, Reason, Side, TriggerSignal
from trading.matching.path import PricePoint, interpolate, point_at
from trading.matching.placing import take_and_rest
from trading.matching.records import FillType, HistoryKind
from trading.matching.rounding import ONE, ZERO, floor_to

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Linear move of every active market between two times."""

    start: Mapping[str, PricePoint]
    end: Mapping[str, PricePoint]
    until: datetime

    @property
    def is_jump(self) -> bool:
        """True when the prices change without time passing."""
        return all(point.time == self.start[symbol].time for symbol, point in self.end.items())

    def at(self, fraction: Decimal) -> dict[str, PricePoint]:
        """Points of all markets at `fraction` of the step."""
        return {symbol: interpolate(self.start[symbol], point, fraction) for symbol, point in self.end.items()}


def advance(core: Core, until: datetime) -> None:
    """Move the venue to `until`, matching on the way; a market without orders and position costs nothing."""
    while core.books.now < until:
        hour = _next_hour(core.books.now)
        stop = min(until, hour)
        _walk(core, stop)
        if stop == hour:
            core.realise_hour()


def activate_due(core: Core, symbol: str) -> None:
    """Fire triggers whose condition already holds at the current price (a trigger sent beyond its price)."""
    point = core.point(symbol)
    _run_step(core, Step(start={symbol: point}, end={symbol: point}, until=core.books.now))


def settle(core: Core) -> None:
    """Execute what the current prices have reached already, and liquidate what they do not carry."""
    points = {symbol: core.point(symbol) for symbol in _active(core)}
    _run_step(core, Step(start=points, end=points, until=core.books.now))


def _active(core: Core) -> list[str]:
    return sorted(set(core.books.positions) | {order.symbol for order in core.books.live.values()})


def _next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + HOUR


def _walk(core: Core, stop: datetime) -> None:
    for step in _steps(core, _active(core), stop):
        _run_step(core, step)
    if core.books.now < stop:
        core.move_to(stop, {})


def _steps(core: Core, active: list[str], stop: datetime) -> Iterator[Step]:
    """Cut the paths of all active markets at every point of any of them."""
    paths = {symbol: list(core.feed.path(symbol, core.books.now, stop)) for symbol in active}
    times = sorted({point.time for path in paths.values() for point in path})
    previous = {symbol: path[0] for symbol, path in paths.items()}
    for time in times[1:] if times else []:
        arriving, leaving = {}, {}
        for symbol, path in paths.items():
            arriving[symbol], leaving[symbol] = _around(path, time)
        yield Step(start=previous, end=arriving, until=time)
        if arriving != leaving:
            yield Step(start=arriving, end=leaving, until=time)
        previous = leaving


def _around(path: list[PricePoint], time: datetime) -> tuple[PricePoint, PricePoint]:
    """Points of a path just before and just after `time`; equal unless the path jumps there."""
    here = [point for point in path if point.time == time]
    if here:
        return here[0], here[-1]
    after = next(number for number, point in enumerate(path) if point.time > time)
    between = point_at(path[after - 1], path[after], time)
    return between, between


def _run_step(core: Core, step: Step) -> None:
    fraction = ZERO
    while True:
        found = _next_event(core, step, fraction)
        reached = found[0] if found else ONE
        if found and step.is_jump and found[1].state is OrderState.TRIGGER:
            # in a jump nothing trades between the two prices: a trigger meets the price after it
            reached = ONE
        broke = _liquidate_before(core, step, (fraction, reached))
        if broke is not None:
            fraction = broke
            continue
        core.move_to(_time_at(step, reached), step.at(reached))
        if found is None:
            return
        fraction = reached
        _apply(core, found[1])


def _time_at(step: Step, fraction: Decimal) -> datetime:
    if fraction >= ONE:
        return step.until
    symbol = next(iter(step.end))
    return interpolate(step.start[symbol], step.end[symbol], fraction).time


def _next_event(core: Core, step: Step, fraction: Decimal) -> tuple[Decimal, Order] | None:
    """Order reached first at or after `fraction`, with the fraction at which it is."""
    best: tuple[Decimal, Order] | None = None
    for order in core.books.live.values():
        if order.symbol not in step.end or not core.market(order.symbol).is_online:
            continue
        reached = _reached_at(core.market(order.symbol), step, order, fraction)
        if reached is None:
            continue
        if best is None or (reached, order.sequence) < (best[0], best[1].sequence):
            best = (reached, order)
    return best


def _reached_at(market: Market, step: Step, order: Order, fraction: Decimal) -> Decimal | None:
    """Fraction of the step at which the price reaches `order`, None when it does not after `fraction`."""
    start, end = step.start[order.symbol], step.end[order.symbol]
    if order.state is OrderState.TRIGGER:
        level, above = _trigger_level(market, order), order.triggers_above
        by_index = order.trigger_signal is TriggerSignal.INDEX
        first, last = (start.index, end.index) if by_index else (start.mark, end.mark)
    else:
        level, above = _resting_level(market, order), order.side is Side.SELL
        first, last = start.mark, end.mark
    current = first + (last - first) * fraction
    sign = 1 if above else -1
    if (current - level) * sign >= ZERO:
        return fraction
    if (last - level) * sign < ZERO:
        return None
    return (level - first) / (last - first)


def _trigger_level(market: Market, order: Order) -> Decimal:
    stop = order.stop_price or ZERO
    if order.trigger_signal is not TriggerSignal.LAST:
        return stop
    # the last price is the mark rounded to the tick, so it arrives half a tick early
    half = market.tick_size / 2
    return stop - half if order.triggers_above else stop + half


def _resting_level(market: Market, order: Order) -> Decimal:
    """Mark at which a resting order fills next: at its price first in part, one tick further for the rest."""
    price = order.limit_price or ZERO
    if order.touched:
        price -= market.tick_size * order.side.sign
    return mark_when_ask_is(market, price) if order.side is Side.BUY else mark_when_bid_is(market, price)


def _apply(core: Core, order: Order) -> None:
    if order.state is OrderState.TRIGGER:
        _activate(core, order)
    elif order.touched:
        _fill_resting(core, order, order.remaining)
    else:
        market = core.market(order.symbol)
        part = floor_to(order.remaining * market.liquidity.touch_fraction, market.size_step)
        _fill_resting(core, core.put(replace(order, touched=True)), part)


def _fill_resting(core: Core, order: Order, wanted: Decimal) -> None:
    """Execute `wanted` of a resting order as maker; a reduce-only order that can reduce nothing is cancelled."""
    room = core.reducible(order.symbol, order.side) if order.reduce_only else order.remaining
    if room == ZERO:
        core.cancel(order, Reason.WOULD_NOT_REDUCE)
    elif wanted > ZERO:
        core.execute(order, order.limit_price or ZERO, min(wanted, room), FillType.MAKER)


def _activate(core: Core, order: Order) -> None:
    """Turn a trigger into an `ioc` (no limit) or `lmt` under the same order id and execute it."""
    market, mark = core.market(order.symbol), core.mark(order.symbol)
    limit = order.limit_price or protected_price(market, mark, order.side)
    size = order.size
    if order.reduce_only:
        size = min(size, core.reducible(order.symbol, order.side))
        if size == ZERO:
            _fail(core, order, Reason.WOULD_NOT_REDUCE)
            return
    elif margin_refusal(core, market, order, limit) is not None:
        _fail(core, order, Reason.NOT_ENOUGH_MARGIN)
        return
    core.remember(HistoryKind.TRIGGER_ACTIVATED, order, reason=Reason.STOP_TRIGGERED.lower())
    live = replace(
        order,
        order_type=OrderType.LIMIT if order.limit_price else OrderType.IMMEDIATE,
        size=size,
        limit_price=limit,
        state=OrderState.RESTING,
        activated_at=core.books.now,
        updated_at=core.books.now,
        reason=Reason.STOP_TRIGGERED,
    )
    core.put(live)
    take_and_rest(core, live, limit)


def _fail(core: Core, order: Order, reason: Reason) -> None:
    """End a trigger whose order could not be placed when it fired."""
    closed = core.close(order, OrderState.ACTIVATION_FAILED, reason)
    core.remember(HistoryKind.TRIGGER_CANCELLED, closed, old=order, reason=reason.lower())


def _liquidate_before(core: Core, step: Step, span: tuple[Decimal, Decimal]) -> Decimal | None:
    """Liquidate when margin equity falls below maintenance margin within `span`; the fraction at which it did."""
    if not core.books.positions or _headroom(core, step.at(span[1])) >= ZERO or not can_liquidate(core):
        return None
    fraction = ONE if step.is_jump else span[0]
    if not step.is_jump and _headroom(core, step.at(span[0])) > ZERO:
        fraction = _crossing(core, step, span)
    core.move_to(_time_at(step, fraction), step.at(fraction))
    liquidate(core)
    return fraction


def _headroom(core: Core, points: Mapping[str, PricePoint]) -> Decimal:
    """Margin equity less maintenance margin in USD at the given prices (markets not in `points`: prices now)."""

    def mark_of(symbol: str) -> Decimal:
        point = points.get(symbol)
        return point.mark if point else core.mark(symbol)

    return margin_equity(core.books, mark_of) - maintenance_margin(core.books, core.markets, mark_of)


def _crossing(core: Core, step: Step, span: tuple[Decimal, Decimal]) -> Decimal:
    """Fraction at which headroom runs out, by bisection (tiers make it only piecewise linear)."""
    low, high = span
    for _ in range(24):
        middle = (low + high) / 2
        if _headroom(core, step.at(middle)) < ZERO:
            high = middle
        else:
            low = middle
    return high
