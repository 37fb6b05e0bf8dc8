"""How far the stages have come, read from each other's run records: the only thing they share besides the tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shared.storage.control import RunRecord
from trading.model.instruments import InstrumentId
from trading.model.times import from_text

DISCOVER, INGEST, SCORE = "discover_markets", "ingest_candles", "score_setups"

REFETCH = "refetch_candles#"
"""Observations under this prefix name coins whose stored candles did not decode; ingest fetches them again."""


def ingested_until(runs: Mapping[str, RunRecord]) -> datetime | None:
    """The newest close whose bars are all in, or given up; None before the first."""
    return _time(runs.get(INGEST), "watermark")


def still_waiting(runs: Mapping[str, RunRecord]) -> dict[InstrumentId, str]:
    """Coins that lack the newest concluded close, and why: said until the next close, not only for a minute."""
    waiting = runs[INGEST].proof.get("waiting") if INGEST in runs else None
    return {InstrumentId(coin): str(why) for coin, why in waiting.items()} if isinstance(waiting, dict) else {}


def decided_until(runs: Mapping[str, RunRecord]) -> datetime | None:
    """The newest decision bar (close time) with a trace for every coin."""
    return _time(runs.get(SCORE), "decided_bar")


def universe_version(runs: Mapping[str, RunRecord], function: str) -> int:
    """The version of the universe this function last finished with; 0 before the first."""
    version = runs[function].proof.get("universe_version") if function in runs else None
    return version if isinstance(version, int) else 0


def _time(run: RunRecord | None, field: str) -> datetime | None:
    text = run.proof.get(field) if run else None
    return from_text(text) if isinstance(text, str) else None
