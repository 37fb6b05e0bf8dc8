"""A MarketData table on the emulator, and the developers' recorded candles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.research.history import HistoryStore
from tests.fakes.cloud import MARKET, Cloud, emulated
from tests.fakes.shared_folder import SHARED

RECORDED = SHARED / "data"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with emulated(monkeypatch) as cloud:
        yield cloud


@pytest.fixture
def history(cloud: Cloud) -> HistoryStore:
    return HistoryStore(MARKET)


@pytest.fixture(scope="session")
def manifest() -> dict[str, dict[str, Any]]:
    """What the makers of the recorded candles counted, by file, for the timeframes the system knows."""
    path = RECORDED / "MANIFEST.json"
    if not path.exists():
        pytest.skip(f"needs the developers' recorded candles in {RECORDED}")
    files = json.loads(path.read_text(encoding="utf-8"))["files"]
    known = ("15m", "1h", "4h", "1d")
    return {each["file"]: each for each in files if each["kind"] == "ohlcv" and each["timeframe"] in known}
