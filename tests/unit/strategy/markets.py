"""Snapshots of one generated coin: higher timeframes that point where the test wants, and a seeded 1h walk."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from trading.model.candles import CandleSeries
from trading.model.costs import MarketConditions
from trading.model.instruments import Instrument, InstrumentId, MarginLevel, Tier
from trading.model.quality import QualityState
from trading.model.snapshots import Snapshot
from trading.model.times import Timeframe
from trading.model.units import BasisPoints, Quantity

DECISION_BAR = datetime(2024, 6, 3, 12, tzinfo=UTC)
UP, DOWN = 1, -1

INSTRUMENT = Instrument(
    id=InstrumentId("TEST"),
    spot_pair="TEST/USD",
    contract="PF_TESTUSD",
    tick=Decimal("0.001"),
    step=Decimal("0.1"),
    minimum=Quantity("0.1"),
    maximum_position=Quantity("1000000"),
    margin_levels=(MarginLevel(from_notional=Decimal(0), initial=Decimal("0.02"), maintenance=Decimal("0.01")),),
    maker_fee=BasisPoints(2),
    taker_fee=BasisPoints(5),
    tier=Tier.B,
)
QUOTE = MarketConditions(spread=BasisPoints(4), hourly_funding=Decimal("0.000001"))

Bar = tuple[float, float, float, float]


def series(timeframe: Timeframe, bars: Iterable[Bar], *, closed_at: datetime = DECISION_BAR) -> CandleSeries:
    """Bars without gaps, the newest closed at the last bar border before `closed_at`."""
    rows = list(bars)
    end = int(timeframe.floor(closed_at).timestamp())
    times = array("q", (end - (len(rows) - number) * timeframe.seconds for number in range(len(rows))))
    columns = [array("d", (row[place] for row in rows)) for place in range(4)]
    return CandleSeries.from_columns(timeframe, (times, *columns, array("d", [1.0]) * len(rows)))


def hours(seed: int, skipped: int = 0, *, direction: int = UP, count: int = 600) -> list[Bar]:
    """A 1h walk around 100 with a slight drift; `skipped` bars later in the same walk is another moment of it."""
    generator = random.Random(seed)
    price, volatility, bars = 100.0, 0.6, []
    for _ in range(count + skipped):
        volatility = min(1.2, max(0.3, volatility * generator.choice((0.93, 1.0, 1.0, 1.08))))
        close = max(20.0, price + generator.gauss(0.03 * direction, volatility))
        high = max(price, close) + abs(generator.gauss(0.0, volatility / 3))
        low = min(price, close) - abs(generator.gauss(0.0, volatility / 3))
        bars.append((round(price, 3), round(high + 0.001, 3), round(low - 0.001, 3), round(close, 3)))
        price = close
    return bars[skipped:]


def days(direction: int, count: int = 260) -> list[Bar]:
    """Daily bars far on one side of their average."""
    return [_dot(100.0 + direction * 0.2 * (number - count)) for number in range(count)]


def four_hours(direction: int, count: int = 600) -> list[Bar]:
    """Waves of 80 bars that climb or fall, so that the major structure breaks again and again on one side."""
    return [_dot(200.0 + direction * (0.1 * number + 6 * math.sin(number * math.pi / 40))) for number in range(count)]


def snapshot(
    h1: list[Bar],
    *,
    daily: int = UP,
    structure: int = UP,
    market: MarketConditions | None = QUOTE,
    last_signal_at: datetime | None = None,
    used_structures: tuple[tuple[str, datetime], ...] = (),
    daily_bars: int = 260,
    m15_bars: int = 600,
) -> Snapshot:
    """A fresh, complete snapshot of these 1h bars; daily and structure say where the higher timeframes point."""
    return Snapshot(
        instrument=INSTRUMENT,
        decision_bar=DECISION_BAR,
        m15=series(Timeframe.M15, [_dot(100.0)] * m15_bars),
        h1=series(Timeframe.H1, h1),
        h4=series(Timeframe.H4, four_hours(structure)),
        d1=series(Timeframe.D1, days(daily, daily_bars)),
        market=market,
        last_signal_at=last_signal_at,
        used_structures=used_structures,
        quality=QualityState.HEALTHY,
        quality_reason="",
        healthy_share=1.0,
        code_version="test",
    )


def _dot(price: float) -> Bar:
    return (price, price + 0.05, price - 0.05, price)
