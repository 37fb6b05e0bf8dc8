"""15m bars out of public trades: the first, highest, lowest and last price and the volume of every 900 s."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from trading.errors import InvalidInput
from trading.model.candles import Candle, CandleSeries
from trading.model.folding import merged
from trading.model.times import Timeframe
from trading.model.venue import Trade

NANOSECONDS = 10**9
TRADED = Timeframe.M15


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBar:
    """A bar of which more trades may come. `volume` is exact, so that where reading was interrupted does not show."""

    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: Decimal

    def with_trade(self, trade: Trade) -> OpenBar:
        return replace(
            self,
            high=max(self.high, trade.price),
            low=min(self.low, trade.price),
            close=trade.price,
            volume=self.volume + _exact(trade.volume),
        )

    def closed(self) -> Candle:
        return Candle(
            open_time=self.open_time,
            open=self.open,
            high=self.high,
            low=self.low,
            close=self.close,
            volume=float(self.volume),
        )


@dataclass(frozen=True, slots=True)
class Built:
    """Bars that are over, because a later trade was seen, and the one that may not be."""

    bars: CandleSeries
    open_bar: OpenBar | None

    def closed_by(self, moment: int) -> CandleSeries:
        """All bars closed by `moment` (seconds since 1970), up to which every trade was read."""
        whole = self.bars
        if self.open_bar is not None:
            whole = merged(whole, CandleSeries(TRADED, [self.open_bar.closed()]))
        return whole.until(moment)


def build(before: Built, trades: Iterable[Trade]) -> Built:
    """Go on with the trades that follow, oldest first. A bar without a trade does not exist.

    Raises InvalidInput for a trade of a bar that is over.
    """
    finished, current = [], before.open_bar
    for trade in trades:
        seconds = trade.at // NANOSECONDS
        start = seconds - seconds % TRADED.seconds
        if current is None or start > current.open_time:
            if current is not None:
                finished.append(current.closed())
            current = _opened(start, trade)
        elif start == current.open_time:
            current = current.with_trade(trade)
        else:
            raise InvalidInput(f"trade at {trade.at} ns follows a bar at {current.open_time}; expected rising times")
    return Built(merged(before.bars, CandleSeries(TRADED, finished)), current)


def _opened(start: int, trade: Trade) -> OpenBar:
    price = trade.price
    return OpenBar(open_time=start, open=price, high=price, low=price, close=price, volume=_exact(trade.volume))


def _exact(volume: float) -> Decimal:
    """The decimal that the venue wrote; sums of floats would differ from its own bars in the last digits."""
    return Decimal(repr(volume))
