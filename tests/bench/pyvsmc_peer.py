"""Run by a Python that has pyvsmc: detect_swings, detect_structure, detect_order_blocks and detect_fvg, window 5.

Mitigation is computed, as we tell the life of zones.
"""

from __future__ import annotations

from typing import Any

import pyvsmc
from peer_child import main

WINDOW = 5
FAMILIES = {
    "swings": (("swing_high", "swing_low"), ("swing_high", "swing_low")),
    "breaks": (
        ("bos_bullish", "bos_bearish", "choch_bullish", "choch_bearish"),
        ("bos_bullish", "bos_bearish", "choch_bullish", "choch_bearish", "bos_level", "choch_level"),
    ),
    "order blocks": (("bullish_ob", "bearish_ob"), ("bullish_ob", "bearish_ob", "ob_high", "ob_low")),
    "gaps": (
        ("bullish", "bearish"),
        ("bullish", "bearish", "bullish_upper", "bullish_lower", "bearish_upper", "bearish_lower"),
    ),
}


def load(bars: Any) -> Any:
    return tuple(column.copy() for column in bars.T)


def find(columns: Any) -> dict[str, dict[str, Any]]:
    """The nearest to our four families."""
    opens, highs, lows, closes = columns
    found = {
        "swings": pyvsmc.detect_swings(highs, lows, WINDOW),
        "breaks": pyvsmc.detect_structure(highs, lows, closes, WINDOW),
        "order blocks": pyvsmc.detect_order_blocks(
            opens, highs, lows, closes, window_size=WINDOW, compute_mitigation=True
        ),
        "gaps": pyvsmc.detect_fvg(highs, lows, compute_mitigation=True),
    }
    return {family: {name: getattr(result, name) for name in FAMILIES[family][1]} for family, result in found.items()}


if __name__ == "__main__":
    main(load, find, FAMILIES)
