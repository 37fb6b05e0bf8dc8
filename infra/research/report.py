"""Gathers series out of archives or out of a MarketData table for the data-quality report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.research import archives
from infra.research.coverage import Held, coverage
from infra.research.history import EXCHANGE_QUOTE, HistoryStore, Line
from shared.storage.market_data import MarketDataStore
from shared.storage.quality import QualityStore
from trading.errors import CorruptRecord, InvalidInput
from trading.model.candles import CandleSeries
from trading.model.quality import CoinQuality, QualityState
from trading.model.times import Timeframe
from trading.rules import load_rules


def of_archives(folder: Path) -> list[Held]:
    """Every archive below a folder. Raises InvalidInput at the first bad line of any."""
    return [
        Held(coin=each.coin, quote=each.quote, source=str(each.path.relative_to(folder)), series=archives.read(each))
        for each in archives.find(folder)
    ]


def of_table(table_name: str, now: datetime) -> list[Held]:
    """What decisions read of every coin of the universe, and all that was backfilled.

    A record that does not decode is a row with the reason as its quality. Raises InvalidInput for an empty table.
    """
    store = MarketDataStore(table_name, bars_kept=load_rules().data.bars_kept)
    stored = store.universe()
    coins = [each.id for each in stored.universe.instruments] if stored else []
    loaded, trust = store.load(coins, Timeframe, now), QualityStore(table_name).load()
    held = [
        Held(
            coin=key[0],
            quote=EXCHANGE_QUOTE,
            source="store",
            series=series,
            live=True,
            defect=loaded.refused.get(key, ""),
            trust=_trust(trust.get(key[0])),
        )
        for key, series in loaded.series.items()
    ]
    history = HistoryStore(table_name)
    held += [_backfilled(history, line) for line in history.lines()]
    if not held:
        raise InvalidInput(f"table {table_name} has neither a universe nor backfilled candles; expected some")
    return held


def _trust(quality: CoinQuality | None) -> str:
    if quality is None or quality.state is QualityState.HEALTHY:
        return QualityState.HEALTHY.value.lower()
    return f"{quality.state.value.lower()} since {quality.since:%Y-%m-%d %H:%M}: {quality.reason}"


def _backfilled(history: HistoryStore, line: Line) -> Held:
    series, defect = CandleSeries(line.timeframe), ""
    try:
        series = history.load(line)
    except CorruptRecord as error:
        defect = str(error)
    return Held(coin=line.coin, quote=line.quote, source="history", series=series, defect=defect)


def newest_close(held: Sequence[Held]) -> datetime:
    """Close of the newest bar of all: the time at which archives end."""
    return max(each.series.closed_at for each in held if each.series.closed_at is not None)


def coverage_rows(held: Sequence[Held], now: datetime) -> list[dict[str, Any]]:
    """The coverage table as plain values, times as ISO text."""
    table = coverage(held, now)
    rows: list[dict[str, Any]] = table.astype(object).where(table.notna(), None).to_dict("records")
    for row in rows:
        for name in ("first", "last"):
            row[name] = row[name].strftime("%Y-%m-%dT%H:%MZ") if row[name] is not None else None
    return rows
