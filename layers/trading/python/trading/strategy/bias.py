"""Which way the higher timeframes point, and how a side stands to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING

from trading.indicators import exponential_average
from trading.model.candles import CandleSeries
from trading.model.decisions import Alignment, Bias
from trading.model.instruments import Side
from trading.rules import BiasRules, DataRules, DetectorRules
from trading.smc import Detector, Parameters

if TYPE_CHECKING:
    from trading.smc.concepts import ConceptParameters

_WITH = {Side.LONG: Bias.UP, Side.SHORT: Bias.DOWN}


def daily_average(closes: Sequence[float], rules: BiasRules, data: DataRules) -> float | None:
    """The EMA of the daily closes, or None while the coin has too few closed daily bars for a bias."""
    if len(closes) < data.daily_bars_for_bias:
        return None
    average = exponential_average(closes, span=rules.ema_days, history=rules.ema_history_days)
    return None if isnan(average) else average


def daily_bias(close: float, average: float | None, rules: BiasRules) -> Bias:
    """The last daily close against its average: neutral inside the band (basis points) and without an average."""
    if average is None:
        return Bias.NEUTRAL
    distance_bps = (close / average - 1.0) * 10_000
    if abs(distance_bps) <= rules.neutral_band_bps:
        return Bias.NEUTRAL
    return Bias.UP if distance_bps > 0 else Bias.DOWN


def structure_trend(series: CandleSeries, rules: DetectorRules) -> Bias:
    """The trend of the major structure of a series: the side of its last break, neutral before the first."""
    # Only swings and breaks are asked for.
    detector = Detector(replace(detector_parameters(rules, scales=(rules.major_swing_bars,)), displacement=False))
    window = series.last(rules.window_bars)
    detector.read(window.opens, window.highs, window.lows, window.closes)
    trend = detector.state().scale(rules.major_swing_bars).trend
    return Bias.NEUTRAL if trend == 0 else Bias.UP if trend > 0 else Bias.DOWN


def alignment(side: Side, daily: Bias, structure: Bias, rules: BiasRules) -> Alignment:
    """Aligned: both with the side. Opposed: daily against it, or daily neutral and structure against it."""
    if not rules.enabled:
        return Alignment.NEUTRAL
    with_side, against = _WITH[side], _WITH[side.opposite]
    if daily is with_side and structure is with_side:
        return Alignment.ALIGNED
    if daily is against or (daily is Bias.NEUTRAL and structure is against):
        return Alignment.OPPOSED
    return Alignment.NEUTRAL


def detector_parameters(
    rules: DetectorRules, *, scales: tuple[int, ...], concepts: ConceptParameters | None = None
) -> Parameters:
    """The detector of the specification with the numbers of the rules. Decisions read no `concepts`."""
    return Parameters(
        definitions="specified",
        swing_scales=scales,
        atr_bars=rules.atr_bars,
        displacement_body_atr=rules.displacement_body_atr,
        displacement_body_share=rules.displacement_body_share,
        displacement_run_bars=rules.displacement_run_bars,
        displacement_lookback_bars=rules.displacement_lookback_bars,
        change_of_character_fail_bars=rules.change_of_character_fail_bars,
        zone_maximum_age_bars=rules.zone_maximum_age_bars,
        concepts=concepts,
    )
