"""Indicators over closed bars, as floats. Computed from exactly the bars given: live equals backtest."""

from trading.indicators.averages import exponential_average
from trading.indicators.fibonacci import retracement
from trading.indicators.ranges import average_true_range, true_ranges
from trading.indicators.strength import directional_index

__all__ = ["average_true_range", "directional_index", "exponential_average", "retracement", "true_ranges"]
