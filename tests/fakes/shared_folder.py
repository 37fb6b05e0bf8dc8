"""Where the market data and external cases lie that are not part of the project: beside the checkout, or nowhere."""

from __future__ import annotations

from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared"
