"""Smart Money Concepts read causally from closed bars: one O(1)-per-bar state machine with append-only events.

The specification is section 3b of the SMC reference; this package imports nothing but the standard library.
"""

from trading.smc.detector import Detector
from trading.smc.events import Event
from trading.smc.parameters import Parameters
from trading.smc.state import BreakView, LegView, ScaleView, StructureState, SwingView, ZoneView

__all__ = [
    "BreakView",
    "Detector",
    "Event",
    "LegView",
    "Parameters",
    "ScaleView",
    "StructureState",
    "SwingView",
    "ZoneView",
]
