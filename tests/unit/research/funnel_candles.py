"""Generated candles and candidates for the tests of the funnel."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

from infra.research.funnel_records import CandidateRow, CoinFunnel
from infra.research.funnel_replay import Conditions
from trading.model.candles import Candle, CandleSeries
from trading.model.costs import MarketConditions
from trading.model.times import Timeframe
from trading.model.units import BasisPoints

START = 1_704_067_200
"""2024-01-01 00:00 UTC."""
HOUR, QUARTER = 3_600, 900
GIVEN = Conditions(
    market=MarketConditions(spread=BasisPoints(4), hourly_funding=Decimal("0.00001")),
    maker_fee=BasisPoints(2),
    taker_fee=BasisPoints(5),
)

ROW = CandidateRow(
    at=START,
    outcome="BELOW_THRESHOLD",
    failed_gate="",
    failed_gates="",
    setup="order_block",
    side="long",
    alignment="neutral",
    structure="one",
    score=40,
    threshold=75,
    parts=(10, 0, 0, 0, 10, 10, 10),
    stop_bps=100.0,
    cost_bps=10.0,
    fate="filled",
    ending="stop",
    gross=-1.0,
    managed_ending="premise",
    managed_gross=-0.8,
)


def walk(count: int, seed: int = 1) -> list[Candle]:
    """15m bars of a seeded walk around 100 that trends now and then."""
    generator = random.Random(seed)
    price, drift, bars = 100.0, 0.0, []
    for number in range(count):
        if number % 200 == 0:
            drift = generator.choice((-0.02, 0.0, 0.02))
        close = round(max(20.0, price + generator.gauss(drift, 0.25)), 3)
        high = round(max(price, close) + abs(generator.gauss(0.0, 0.1)), 3)
        low = round(min(price, close) - abs(generator.gauss(0.0, 0.1)), 3)
        bars.append(Candle(open_time=START + number * QUARTER, open=price, high=high, low=low, close=close, volume=1.0))
        price = close
    return bars


def quarters(candles: list[Candle]) -> CandleSeries:
    return CandleSeries(Timeframe.M15, candles)


def row(**changes: object) -> CandidateRow:
    return replace(ROW, **changes)  # type: ignore[arg-type]


def funnel(*rows: CandidateRow, coin: str = "BTC", year: int = 2024, **changes: object) -> CoinFunnel:
    """A funnel of these candidates beside three decisions without a setup."""
    outcomes = {"NO_SETUP": 3}
    for each in rows:
        outcomes[each.outcome] = outcomes.get(each.outcome, 0) + 1
    whole = CoinFunnel(
        coin=coin,
        year=year,
        made_with={},
        first=START,
        last=START + HOUR,
        outcomes=outcomes,
        unset={"consolidation": 2, "directional": 1},
        with_daily_bias=1,
        gates={"bias": (len(rows), 0), "levels": (len(rows), 0)},
        rows=rows,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]
