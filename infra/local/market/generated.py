"""A seeded market that never existed: correlated coins with regimes, legs and pullbacks, displacement, jumps, gaps.

Each coin's 15 minute return is a share of a common market factor plus its own move. Both follow regimes (trend up,
trend down, range, volatile) made of legs: a trend alternates impulses, which begin with a displacement, and pullbacks
that retrace about half; a range swings between its borders. Everything comes from `random.Random(f"{seed}:{name}")`,
so that one coin's bars do not depend on which other coins are generated.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from infra.local.market.bars import BAR_SECONDS, Bar, BarSeries, epoch, from_epoch
from infra.local.market.candle_market import CandleMarket, MarketIdentity
from infra.local.market.listings import MADE_UP, TERMS, Listing, list_coin
from trading.errors import InvalidInput

COIN_PRICES: dict[str, float] = {
    "BTC": 60000.0, "ETH": 3000.0, "SOL": 150.0, "XRP": 0.55, "DOGE": 0.12, "ADA": 0.42, "LTC": 70.0, "LINK": 12.0,
    "AVAX": 27.0, "DOT": 6.0, "BCH": 380.0, "ATOM": 6.5, "NEAR": 4.6, "UNI": 7.2, "AAVE": 110.0, "XLM": 0.095,
    "ETC": 21.0, "FIL": 4.3, "APT": 7.4, "ARB": 0.71, "OP": 1.7, "INJ": 22.0, "SUI": 0.85, "TIA": 6.1, "ALGO": 0.135,
    "PEPE": 0.0000105, "SHIB": 0.0000165, "FET": 1.2, "SEI": 0.33, "ICP": 8.2,
}  # fmt: skip
BAR_VOLATILITY = {"A": 0.0019, "B": 0.0030, "C": 0.0036, "D": 0.0036, "E": 0.0036}
FACTOR_SHARE = 0.55
BARS_PER_DAY = 96
TREND_BARS = (288, 1344)
"""Three days to two weeks: long enough for the daily average and the four-hour structure to take a side."""
RANGE_BARS = (96, 420)
Kind = Literal["up", "down", "range", "volatile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One bar's intended move in units of volatility, and the volatility multiplier of its regime."""

    drift: float
    heat: float


def _regimes(rng: random.Random) -> Iterator[tuple[Kind, int, float]]:
    """Endless regimes: kind, length in bars, volatility multiplier. Trends lean back towards where they came from."""
    balance = 0.0
    while True:
        draw = rng.random()
        if draw < 0.60:
            up = rng.random() < 0.5 - 0.35 * max(-1.0, min(1.0, balance))
            balance += 0.25 if up else -0.25
            yield ("up" if up else "down"), rng.randint(*TREND_BARS), rng.uniform(0.8, 1.15)
        elif draw < 0.88:
            yield "range", rng.randint(*RANGE_BARS), rng.uniform(0.55, 0.85)
        else:
            yield "volatile", rng.randint(48, 160), rng.uniform(1.5, 2.1)


def _trend_legs(rng: random.Random, sign: int) -> list[Move]:
    """One impulse that begins with a displacement, and one pullback that gives back 35 to 65 % of it."""
    bars, pace = rng.randint(6, 18), rng.uniform(0.40, 0.70)
    burst = rng.randint(1, 3)
    impulse = [pace * (rng.uniform(2.8, 4.2) if number < burst else 0.7) for number in range(bars)]
    rest = rng.randint(6, 16)
    back = sum(impulse) * rng.uniform(0.35, 0.65) / rest
    return [Move(drift=sign * step, heat=0.9) for step in impulse] + [Move(drift=-sign * back, heat=0.8)] * rest


def _range_legs(rng: random.Random, width: float) -> list[Move]:
    """One swing up and one down of about `width` volatilities each."""
    legs: list[Move] = []
    for sign in (1, -1):
        bars = rng.randint(8, 22)
        legs += [Move(drift=sign * width * rng.uniform(0.85, 1.15) / bars, heat=1.0)] * bars
    return legs if rng.random() < 0.5 else legs[::-1]


def _moves(rng: random.Random) -> Iterator[Move]:
    for kind, length, heat in _regimes(rng):
        left = length
        width = rng.uniform(4.0, 8.0)
        while left > 0:
            sign = {"up": 1, "down": -1}.get(kind, 0)
            legs = _trend_legs(rng, sign) if sign else _range_legs(rng, width)
            for move in legs:
                yield Move(drift=move.drift, heat=move.heat * heat)
            left -= len(legs)


def _returns(rng: random.Random, count: int) -> list[tuple[float, float]]:
    """(return in volatilities, volatility multiplier) of `count` bars, fat-tailed with rare jumps."""
    gauss, draw, moves = rng.gauss, rng.random, _moves(rng)
    result: list[tuple[float, float]] = []
    for _ in range(count):
        move = next(moves)
        jump = gauss(0.0, 4.0) if draw() < 0.0012 else 0.0
        result.append((move.drift + move.heat * gauss(0.0, 0.8) + jump, move.heat))
    return result


@lru_cache(maxsize=4)
def _factor(seed: int, count: int) -> list[tuple[float, float]]:
    return _returns(random.Random(f"{seed}:market"), count)


def generate_bars(listing: Listing, price: float, seed: int, span: tuple[int, int]) -> BarSeries:
    """Bars of one coin from `price` (USD): `span` = (epoch seconds of the first bar, number of bars)."""
    first, count = span
    rng = random.Random(f"{seed}:{listing.base}")
    own, factor = _returns(rng, count), _factor(seed, count)
    volatility = BAR_VOLATILITY[listing.tier] * rng.uniform(0.9, 1.15)
    beta, alone = FACTOR_SHARE * rng.uniform(0.8, 1.2), math.sqrt(1 - FACTOR_SHARE**2)
    usual = TERMS[listing.tier].daily_volume_usd / BARS_PER_DAY
    quiet = 0.0 if listing.tier in ("A", "B") else 1 / 2500
    decimals, gauss, draw = listing.spot_decimals, rng.gauss, rng.random
    bars: list[Bar] = []
    close = price
    for number in range(count):
        time = first + number * BAR_SECONDS
        if draw() < quiet:
            flat = round(close, decimals)
            bars.append(Bar(time, flat, flat, flat, flat, 0.0, 0))
            continue
        (mine, heat), (common, _) = own[number], factor[number]
        gap = gauss(0.0, 1.2 if draw() < 0.03 else 0.25) * volatility * heat if draw() < 0.15 else 0.0
        move = volatility * (beta * common + alone * mine)
        opened = close * (1 + gap)
        close = opened * math.exp(max(-0.12, min(0.12, move)))
        wick = volatility * heat * 0.55
        high = max(opened, close) * (1 + abs(gauss(0.0, wick)))
        low = min(opened, close) * (1 - abs(gauss(0.0, wick)))
        volume = usual / close * (0.35 + abs(move) / volatility) * math.exp(gauss(0.0, 0.45)) * 0.7
        prices = (round(opened, decimals), round(high, decimals), round(low, decimals), round(close, decimals))
        bars.append(Bar(time, *prices, round(volume, 8), 20 + int(200 * draw())))
    return BarSeries(bars=bars)


def coin_names(count: int) -> list[str]:
    """The first `count` coins: known names first, then made-up ones."""
    known = list(COIN_PRICES)
    return known[:count] + [f"{MADE_UP}{number}" for number in range(1, count - len(known) + 1)]


def _start_price(base: str, seed: int) -> float:
    known = COIN_PRICES.get(base)
    return known if known is not None else float(f"{10 ** random.Random(f'{seed}:{base}:price').uniform(-2, 2):.4g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedMarket:
    """Parameters of a generated market: it runs from `history_days` before `start` to `days` after it."""

    seed: int
    coins: int
    start: datetime
    days: int = 40
    history_days: int = 240

    def __post_init__(self) -> None:
        if self.coins < 1 or self.days < 1 or self.history_days < 0:
            raise InvalidInput(
                f"a generated market needs at least 1 coin and 1 day, got {self.coins} coins, {self.days} days"
            )
        if self.start.tzinfo is None:
            raise InvalidInput(f"start {self.start} has no time zone, expected an aware UTC time")


def generated_market(spec: GeneratedMarket) -> CandleMarket:
    """Market of `spec.coins` coins; bars are generated per coin on first use and are functions of seed and coin."""
    first = int(epoch(spec.start) // 86_400 * 86_400) - spec.history_days * 86_400
    count = (spec.history_days + spec.days + 1) * BARS_PER_DAY
    prices = {base: _start_price(base, spec.seed) for base in coin_names(spec.coins)}
    listings = [list_coin(base, price) for base, price in prices.items()]
    identity = MarketIdentity(
        kind="generated",
        seed=spec.seed,
        first=from_epoch(first),
        last=from_epoch(first) + timedelta(seconds=count * BAR_SECONDS),
    )
    return CandleMarket(
        identity, listings, lambda listing: generate_bars(listing, prices[listing.base], spec.seed, (first, count))
    )
