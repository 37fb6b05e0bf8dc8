"""From validated bodies of spot candles and trades to our own types. Pure; what does not fit together is refused."""

from __future__ import annotations

from shared.venue.spot_bodies import OhlcResult, OhlcRow, TradeRow, TradesResult
from trading.errors import InvalidInput
from trading.model import folding
from trading.model.candles import Candle, CandleAnswer, CandleSeries
from trading.model.times import Timeframe, from_epoch
from trading.model.venue import Trade, TradePage


def committed_bars(timeframe: Timeframe, result: OhlcResult, first: int) -> CandleAnswer:
    """The committed bars that open at or after `first`. Raises InvalidInput for rows off the grid or out of order.

    A late commit leaves two rows after `last`: the bar that is due and the one that runs. Neither is complete.
    """
    if result.last % timeframe.seconds:
        raise InvalidInput(f"newest committed {timeframe} bar is {result.last}; expected the timeframe's grid")
    rows = CandleSeries(timeframe, map(_candle, result.rows))
    committed = rows.until(result.last + timeframe.seconds)
    running = len(committed)
    return CandleAnswer(
        bars=folding.since(committed, first),
        complete_before=rows.times[running] if running < len(rows) else result.last + timeframe.seconds,
    )


def trade_page(result: TradesResult, since: int) -> TradePage:
    """Trades in the order of their times; the venue's own order decides between equal ones."""
    trades = sorted(map(_trade, result.rows), key=lambda trade: trade.at)
    return TradePage(trades=tuple(trades), next_since=result.last if trades else since)


def shown_time(seconds: int) -> str:
    """For an error message, where the time itself may be nonsense."""
    try:
        return f"{from_epoch(seconds):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, OSError, ValueError):
        return f"{seconds} seconds after 1970"


def _candle(row: OhlcRow) -> Candle:
    return Candle(
        open_time=row.time,
        open=float(row.open),
        high=float(row.high),
        low=float(row.low),
        close=float(row.close),
        volume=float(row.volume),
    )


def _trade(row: TradeRow) -> Trade:
    return Trade(at=int(row.time * 10**9), price=float(row.price), volume=float(row.volume))
