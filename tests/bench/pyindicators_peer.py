"""Run by a Python that has pyindicators: swing_structure, market_structure_choch_bos, order_blocks, fair_value_gap and
fvg_filled, length 5."""

from __future__ import annotations

from typing import Any

import pandas
import pyindicators
from peer_child import main

LENGTH = 5
BREAKS = ("choch_bullish", "choch_bearish", "choch_plus_bullish", "choch_plus_bearish", "bos_bullish", "bos_bearish")
BLOCKS = ("bullish_ob", "bearish_ob")
GAPS = ("bullish_fvg", "bearish_fvg")


def _edges(zones: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{zone}_{edge}" for zone in zones for edge in ("top", "bottom"))


FAMILIES = {
    "swings": (("swing_high", "swing_low"), ("swing_high", "swing_low", "swing_high_price", "swing_low_price")),
    "breaks": (BREAKS, BREAKS),
    "order blocks": (BLOCKS, BLOCKS + _edges(BLOCKS)),
    "gaps": (GAPS, GAPS + _edges(GAPS)),
}


def load(bars: Any) -> Any:
    return pandas.DataFrame(bars, columns=["Open", "High", "Low", "Close"])


def find(frame: Any) -> dict[str, Any]:
    """The nearest to our four families."""
    return {
        "swings": pyindicators.swing_structure(frame, swing_length=LENGTH),
        "breaks": pyindicators.market_structure_choch_bos(frame, length=LENGTH),
        "order blocks": pyindicators.order_blocks(frame, swing_length=LENGTH),
        "gaps": pyindicators.fvg_filled(pyindicators.fair_value_gap(frame)),
    }


if __name__ == "__main__":
    main(load, find, FAMILIES)
