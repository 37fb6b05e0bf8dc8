"""Run by a Python that has smartmoneyconcepts: fvg, swing_highs_lows, bos_choch and ob at swing length 5."""

from __future__ import annotations

from typing import Any

import pandas
from peer_child import main
from smartmoneyconcepts import smc

SWING_LENGTH = 5
FAMILIES = {
    "swings": (("HighLow",), ("HighLow", "Level")),
    "breaks": (("BOS", "CHOCH"), ("BOS", "CHOCH", "Level")),
    "order blocks": (("OB",), ("OB", "Top", "Bottom")),
    "gaps": (("FVG",), ("FVG", "Top", "Bottom")),
}


def load(bars: Any) -> Any:
    frame = pandas.DataFrame(bars, columns=["open", "high", "low", "close"])
    frame["volume"] = 1.0
    return frame


def find(frame: Any) -> dict[str, Any]:
    """The four families that our detector is compared on."""
    swings = smc.swing_highs_lows(frame, swing_length=SWING_LENGTH)
    return {
        "swings": swings,
        "breaks": smc.bos_choch(frame, swings),
        "order blocks": smc.ob(frame, swings),
        "gaps": smc.fvg(frame),
    }


if __name__ == "__main__":
    main(load, find, FAMILIES)
