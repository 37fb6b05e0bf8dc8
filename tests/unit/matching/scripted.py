"""A price feed written by hand, and short builders for the matching tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trading.matching import (
    Answer,
    Liquidity,
    MarginTier,
    Market,
    MatchingEngine,
    OrderRequest,
    OrderType,
    PricePoint,
    Side,
    Switches,
    TriggerSignal,
    opening_books,
    point_at,
)

START = datetime(2024, 8, 1, tzinfo=UTC)
COIN = "PF_COINUSD"
OTHER = "PF_OTHERUSD"


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def d(value: float | str) -> Decimal:
    return Decimal(str(value))


class ScriptedFeed:
    """Prices of each symbol: (minute, price) or (minute, mark, index), linear in between; equal minutes jump."""

    def __init__(self, paths: dict[str, Sequence[tuple[float, ...]]], funding: str = "0") -> None:
        self._points = {
            symbol: [PricePoint(at(row[0]), d(row[-1]), d(row[1])) for row in rows] for symbol, rows in paths.items()
        }
        self.funding = d(funding)

    def quote(self, symbol: str, at: datetime) -> PricePoint:
        points = self._points[symbol]
        before = [point for point in points if point.time <= at][-1]
        after = [point for point in points if point.time > at]
        if before.time == at or not after:
            return PricePoint(at, before.index, before.mark)
        return point_at(before, after[0], at)

    def path(self, symbol: str, start: datetime, end: datetime) -> Sequence[PricePoint]:
        between = [point for point in self._points[symbol] if start < point.time <= end]
        last = self.quote(symbol, end)
        return [self.quote(symbol, start), *between, *([] if between and between[-1] == last else [last])]

    def funding_rate(self, symbol: str, at: datetime) -> Decimal:
        return self.funding


def market(symbol: str = COIN, **changes: object) -> Market:
    """Tick 0.1, step 0.01, spread of one tick, ten levels of 1000 units; 2 % initial and 1 % maintenance margin."""
    terms: dict[str, object] = {
        "symbol": symbol,
        "tick_size": d("0.1"),
        "size_step": d("0.01"),
        "max_position": d(100_000),
        "margin_tiers": (MarginTier(from_notional=d(0), initial=d("0.02"), maintenance=d("0.01")),),
        "liquidity": Liquidity(half_spread=d(0), level_size=d(1000)),
    }
    return Market(**{**terms, **changes})  # type: ignore[arg-type]


def engine(
    *path: tuple[float, ...],
    listed: Market | None = None,
    balance: str = "10000",
    funding: str = "0",
    switches: Switches | None = None,
) -> MatchingEngine:
    """Engine at minute 0 with one market on the given path."""
    traded = listed or market()
    feed = ScriptedFeed({traded.symbol: path}, funding)
    return MatchingEngine(opening_books(START, d(balance), 1), {traded.symbol: traded}, feed, switches)


def order(kind: str, side: str, size: float | str, price: float | str | None = None, **more: object) -> OrderRequest:
    """Request in short: `price` is the trigger of trigger orders, the limit of all others; triggers watch the mark."""
    trigger = kind in ("stp", "take_profit")
    given: dict[str, object] = {
        "symbol": COIN,
        "side": Side(side),
        "order_type": OrderType(kind),
        "size": d(size),
        "limit_price": None if price is None or trigger else d(price),
        "stop_price": d(price) if price is not None and trigger else None,
        "trigger_signal": TriggerSignal.MARK,
    }
    return OrderRequest(**{**given, **more})  # type: ignore[arg-type]


def fills(venue: MatchingEngine) -> list[tuple[str, Decimal, Decimal, str]]:
    """(side, size, price, type) of every fill."""
    return [(fill.side.value, fill.size, fill.price, fill.fill_type.value) for fill in venue.books.fills]


def position(venue: MatchingEngine) -> Decimal:
    return venue.books.size_of(COIN)


def placed(answer: Answer) -> str:
    """Order id of an accepted order."""
    assert answer.status == "placed", answer
    assert answer.order_id is not None
    return answer.order_id
