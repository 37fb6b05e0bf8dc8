"""Bars and parameters for the detector's tests: seeded walks on a coarse tick, so that ties happen often."""

from __future__ import annotations

import csv
import gzip
import random
from itertools import islice

from hypothesis import strategies as st

from tests.fakes.shared_folder import SHARED
from trading.smc import Detector, Parameters
from trading.smc.concept_parameters import ConceptParameters
from trading.smc.events import RawEvent

Bar = tuple[float, float, float, float]
CASES = SHARED / "smc-cases"
NO_CASES = f"the external cases in {CASES} are absent"
SPOT = SHARED / "data" / "spot" / "binance"
NO_SPOT = f"the recorded spot candles in {SPOT} are absent"


def parameters(
    *,
    scales: tuple[int, ...] = (5, 20),
    age: int = 300,
    definitions: str = "specified",
    displacement: bool = True,
    concepts: ConceptParameters | None = None,
) -> Parameters:
    return Parameters(
        definitions=definitions,
        swing_scales=scales,
        atr_bars=14,
        displacement_body_atr=1.5,
        displacement_body_share=0.6,
        displacement_run_bars=3,
        displacement_lookback_bars=3,
        change_of_character_fail_bars=3,
        zone_maximum_age_bars=age,
        displacement=displacement,
        concepts=concepts,
    )


def columns(bars: list[Bar]) -> tuple[list[float], list[float], list[float], list[float]]:
    """Opens, highs, lows, closes."""
    opens, highs, lows, closes = ([bar[number] for bar in bars] for number in range(4))
    return opens, highs, lows, closes


def walk(seed: int, count: int, tick: float = 0.25) -> list[Bar]:
    """A random walk around 100 with volatility regimes; every price is a multiple of `tick` (a power of two)."""
    generator = random.Random(seed)
    price, volatility, bars = 100.0, 1.0, []
    for _ in range(count):
        volatility = min(4.0, max(0.25, volatility * generator.choice((0.9, 1.0, 1.0, 1.1))))
        open_ = price + (generator.choice((-1, 1)) * tick if generator.random() < 0.1 else 0.0)
        close = open_ + round(generator.gauss(0.0, volatility) / tick) * tick
        high = max(open_, close) + round(abs(generator.gauss(0.0, volatility / 2)) / tick) * tick
        low = min(open_, close) - round(abs(generator.gauss(0.0, volatility / 2)) / tick) * tick
        bars.append((open_, high, low, close))
        price = close
    return bars


@st.composite
def bar_lists(draw: st.DrawFn, maximum: int = 150) -> list[Bar]:
    """Bars on a grid of quarters, with jumps between bars and bars of a single price."""
    bars: list[Bar] = []
    price = 400
    for _ in range(draw(st.integers(1, maximum))):
        open_ = price + draw(st.integers(-3, 3))
        close = open_ + draw(st.integers(-12, 12))
        high = max(open_, close) + draw(st.integers(0, 6))
        low = min(open_, close) - draw(st.integers(0, 6))
        bars.append((open_ / 4, high / 4, low / 4, close / 4))
        price = close
    return bars


def events_of(bars: list[Bar], given: Parameters) -> list[RawEvent]:
    detector = Detector(given)
    return [event for bar in bars for event in detector.update(*bar)]


def euro_bars() -> list[Bar]:
    """The EURUSD 15m bars of the external cases."""
    with (CASES / "EURUSD_15M.csv").open() as file:
        return [tuple(float(row[name]) for name in ("Open", "High", "Low", "Close")) for row in csv.DictReader(file)]


def spot_bars(name: str, count: int) -> list[Bar]:
    """The first bars of a recorded spot series; `name` is its file's, such as `BTC_USDT-15m-20240101-20240906`."""
    with gzip.open(SPOT / f"{name}.csv.gz", "rt") as file:
        rows = islice(csv.DictReader(file), count)
        return [tuple(float(row[name]) for name in ("open", "high", "low", "close")) for row in rows]


def shifted(event: RawEvent, bars: int) -> RawEvent:
    """The event as if the series had begun `bars` earlier."""
    kind, side, scale, known_at, ref_bar, top, bottom, rests_on, detail = event
    causes = tuple((*key[:3], key[3] + bars, key[4] + bars) for key in rests_on)
    return (kind, side, scale, known_at + bars, ref_bar + bars, top, bottom, causes, detail)
