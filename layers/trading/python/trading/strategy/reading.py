"""Everything a decision reads from the candles of one coin, taken once: structure, indicators, higher timeframes."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from trading.indicators import average_true_range, directional_index, true_ranges
from trading.model.candles import CandleSeries
from trading.model.decisions import Alignment, Bias
from trading.model.instruments import Side
from trading.model.snapshots import Snapshot
from trading.rules import LevelRules, Rules
from trading.smc import Detector, StructureState
from trading.smc.events import SIDE_NAMES, EventKey
from trading.strategy.bias import alignment, daily_average, daily_bias, detector_parameters, structure_trend


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The decision timeframe at the close of its last bar. Bar numbers of `state` are positions in the columns.

    Prices in spot USD as floats; `atr_ratio` is the ATR against its own mean; `daily_average` None means too few days.
    """

    times: array[int]
    highs: array[float]
    lows: array[float]
    close: float
    state: StructureState
    atr: float
    atr_ratio: float
    adx: float
    daily_close: float | None
    daily_average: float | None
    daily: Bias
    structure: Bias
    alignments: tuple[tuple[Side, Alignment], ...]

    def stands(self, side: Side) -> Alignment:
        """How this side stands to the higher timeframes."""
        return dict(self.alignments)[side]

    def name(self, key: EventKey) -> str:
        """The event's name with the open times of its bars instead of their numbers: the same in every window."""
        kind, side, scale, known_at, ref_bar = key
        return f"{kind}.{SIDE_NAMES[side]}.{scale}.{self.times[known_at]}.{self.times[ref_bar]}"


def take_reading(snapshot: Snapshot, rules: Rules) -> Reading:
    """Read the last `window_bars` bars of the decision timeframe and the higher timeframes behind it."""
    window = snapshot.h1.last(rules.detector.window_bars)
    state = _read_structure(window, rules)
    atr, ratio = _volatility(window, rules.detector.atr_bars, rules.levels)
    closes = snapshot.d1.closes
    average = daily_average(closes, rules.bias, rules.data)
    daily = daily_bias(closes[-1], average, rules.bias) if closes else Bias.NEUTRAL
    structure = structure_trend(snapshot.h4, rules.detector)
    return Reading(
        times=window.times,
        highs=window.highs,
        lows=window.lows,
        close=window.closes[-1],
        state=state,
        atr=atr,
        atr_ratio=ratio,
        adx=directional_index(
            window.highs,
            window.lows,
            window.closes,
            bars=rules.gates.adx_bars,
            history=rules.gates.adx_history_bars,
        ),
        daily_close=closes[-1] if closes else None,
        daily_average=average,
        daily=daily,
        structure=structure,
        alignments=tuple((side, alignment(side, daily, structure, rules.bias)) for side in Side),
    )


def _read_structure(window: CandleSeries, rules: Rules) -> StructureState:
    scales = (rules.detector.minor_swing_bars, rules.detector.major_swing_bars)
    detector = Detector(detector_parameters(rules.detector, scales=scales))
    detector.read(window.opens, window.highs, window.lows, window.closes)
    return detector.state()


def _volatility(window: CandleSeries, atr_bars: int, rules: LevelRules) -> tuple[float, float]:
    """(ATR, ATR over its mean of the last `atr_ratio_bars` bars); ratio 1 where nothing moved at all."""
    needed = rules.atr_ratio_bars + atr_bars
    ranges = true_ranges(window.highs[-needed:], window.lows[-needed:], window.closes[-needed:])
    ends = range(max(atr_bars, len(ranges) - rules.atr_ratio_bars + 1), len(ranges) + 1)
    history = [average_true_range(ranges[end - atr_bars : end], atr_bars) for end in ends]
    mean = sum(history) / len(history)
    return history[-1], (history[-1] / mean if mean > 0 else 1.0)
