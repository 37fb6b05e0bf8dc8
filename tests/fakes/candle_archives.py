"""Small candle archives for tests, written as the real ones are."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

START = 1_704_067_200
"""2024-01-01 00:00 UTC, in seconds."""
HEADER = "timestamp,open,high,low,close,volume"
NAME = "BTC_USDT-15m-20240101-20240101.csv.gz"


def segment_lines(count: int, *, seconds: int = 900, start: int = START, price: float = 100.0) -> list[str]:
    """Header and `count` bars without a gap, in milliseconds; each close is 1 above the one before."""
    bars = [
        f"{(start + number * seconds) * 1000},{price + number},{price + number + 2},{price + number - 1},"
        f"{price + number + 1},{number + 1}"
        for number in range(count)
    ]
    return [HEADER, *bars]


def write_segment(folder: Path, lines: Sequence[str], name: str = NAME) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    return path


def write_export(folder: Path, count: int, name: str, seconds: int) -> Path:
    """Kraken's OHLCVT export: no header, seconds, a column of trades."""
    path = folder / name
    path.write_text("".join(f"{START + number * seconds},10,12,9,11,5.5,3\n" for number in range(count)))
    return path
