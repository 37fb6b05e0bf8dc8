"""Price paths of a day: one point a minute and contract, jumps, crashes, an index beside the mark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from tests.simulation.options import Options
from trading.matching import PricePoint, point_at

MINUTE = timedelta(minutes=1)
DEAR = 40
START_PRICES = ("100", "30000", "1.5", "2400", "0.05", "12")


class SimulatedPrices:
    """`trading.matching.PriceFeed` over a whole run; made once from the seed, asked as often as one likes."""

    def __init__(self, options: Options, contracts: Sequence[str], start: datetime, minutes: int) -> None:
        self._start = start
        self._random = Random(f"{options.seed}:market")
        self._times = [start + number * MINUTE for number in range(minutes + 1)]
        self._points = {
            contract: self._path(options, Decimal(START_PRICES[number % len(START_PRICES)]))
            for number, contract in enumerate(contracts)
        }
        self._last: dict[str, PricePoint] = {}
        self._rates = {contract: self._funding(options) for contract in contracts}

    def quote(self, symbol: str, at: datetime) -> PricePoint:
        """Most questions are asked twice: where one path ends the next one begins."""
        last = self._last.get(symbol)
        if last is None or last.time != at:
            last = self._last[symbol] = self._quote(symbol, at)
        return last

    def _quote(self, symbol: str, at: datetime) -> PricePoint:
        number = self._number(at)
        points = self._points[symbol]
        if points[number].time == at:
            return points[number]
        if number + 1 >= len(points):
            last = points[-1]
            return PricePoint(at, last.index, last.mark)
        return point_at(points[number], points[number + 1], at)

    def path(self, symbol: str, start: datetime, end: datetime) -> Sequence[PricePoint]:
        first, last = self._number(start) + 1, self._number(end)
        between = [each for each in self._points[symbol][first : last + 1] if start < each.time < end]
        return [self.quote(symbol, start), *between, self.quote(symbol, end)]

    def funding_rate(self, symbol: str, at: datetime) -> Decimal:
        return self._rates[symbol] * self.quote(symbol, at).mark

    def close(self, symbol: str, at: datetime) -> float:
        """The spot price there, as the close of a bar."""
        return float(self.quote(symbol, at).index)

    def _number(self, at: datetime) -> int:
        return min(max((at - self._start) // MINUTE, 0), len(self._times) - 1)

    def _path(self, options: Options, price: Decimal) -> list[PricePoint]:
        random, mark = self._random, float(price)
        drop = random.randrange(len(self._times)) if options.crash else -1
        drift, basis, points = 0.0, 0.0, []
        for number, time in enumerate(self._times):
            if random.random() < 0.004:
                drift = random.gauss(0, options.volatility_bps / 3)
            step = random.gauss(drift, options.volatility_bps) / 10_000
            if random.random() < options.jump_share:
                step += random.choice((-1, 1)) * random.uniform(0.01, 0.06)
            if drop <= number < drop + 5 and drop >= 0:
                step -= random.uniform(0.01, 0.06)
            mark *= max(1 + step, 0.5)
            basis = basis * 0.9 + random.gauss(0, 1) / 10_000
            points.append(PricePoint(time, _rounded(mark * (1 + basis)), _rounded(mark)))
        return points

    def _funding(self, options: Options) -> Decimal:
        """Of the price, per hour; where it is dear the side that pays is closed for it, as the rule of exits says."""
        return Decimal(str(round(self._random.gauss(0, 0.00001), 8))) * (DEAR if options.dear_funding else 1)


def _rounded(price: float) -> Decimal:
    return Decimal(f"{price:.9g}")
