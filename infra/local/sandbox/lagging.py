"""What an answer shows when its endpoint lags: the books as they stood some seconds of venue time ago."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from infra.local.sandbox.venue import SandboxVenue
from trading.matching import Fill, Order, Position, fills_until, orders_at, positions_at

KNOWN_FOR = timedelta(seconds=5)
"""How long orders/status still knows an order that has ended."""


def _ago(venue: SandboxVenue, lag_s: int) -> datetime:
    return venue.now - timedelta(seconds=lag_s)


def open_orders(venue: SandboxVenue, lag_s: int) -> list[Order]:
    """Live orders in the order of their acceptance."""
    books = venue.engine.books
    known = orders_at(books, _ago(venue, lag_s)) if lag_s else books.live
    return sorted((order for order in known.values() if order.state.is_live), key=lambda order: order.sequence)


def named_orders(venue: SandboxVenue, order_ids: Sequence[str], client_ids: Sequence[str]) -> list[Order]:
    """The orders asked for as orders/status shows them: live, or ended within the last five seconds."""
    lag_s = venue.wire.status_lag_s
    at = _ago(venue, lag_s)
    earlier = orders_at(venue.engine.books, at) if lag_s else None
    wanted = [(name, None) for name in order_ids if name] + [(None, name) for name in client_ids if name]
    current = (venue.engine.find(order_id, client_id) for order_id, client_id in wanted)
    found = [order for order in current if order is not None]
    shown: Iterable[Order] = found
    if earlier is not None:
        shown = (earlier[order.order_id] for order in found if order.order_id in earlier)
    return [order for order in shown if order.state.is_live or at - order.updated_at <= KNOWN_FOR]


def positions(venue: SandboxVenue) -> list[Position]:
    """Open positions."""
    books, lag_s = venue.engine.books, venue.wire.positions_lag_s
    held = positions_at(books, _ago(venue, lag_s)) if lag_s else books.positions
    return list(held.values())


def fills(venue: SandboxVenue) -> list[Fill]:
    """Executions, oldest first."""
    books, lag_s = venue.engine.books, venue.wire.fills_lag_s
    return fills_until(books, _ago(venue, lag_s)) if lag_s else books.fills
