"""Missing bars between stored ones: asked for again, filled where the exchange has them, and told either way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from shared.storage.candle_index import LoadedSeries, SeriesKey
from shared.storage.market_data import MarketDataStore
from trading.errors import VenueUnavailable
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.candles import CandleSeries
from trading.model.instruments import Universe
from trading.model.times import Timeframe, from_epoch
from trading.ports import SpotMarket

SERIES_PER_RUN = 40
"""One call each. A run must not use up the venue's budget that the next close needs; the next hour goes on."""
SHOWN = 20


@dataclass(slots=True, kw_only=True)
class GapReport:
    """`missing`: bars between stored ones, by series, as found. `filled`: how many of them came. `absent`: how many the
    exchange has not got either, so that they are not asked for every hour. `failed`: why a series was not looked at."""

    missing: dict[str, int] = field(default_factory=dict)
    filled: dict[str, int] = field(default_factory=dict)
    absent: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def alert(self, now: datetime) -> Alert | None:
        if not self.filled:
            return None
        bars, names = sum(self.filled.values()), sorted(self.filled)
        return Alert(
            kind=AlertKind.STALE_DATA,
            severity=Severity.INFO,
            subject="candle gaps",
            title=f"{bars} missing bars were filled",
            text=f"{bars} bars of {len(names)} series were missing and have been fetched: {', '.join(names[:SHOWN])}.",
            at=now,
            fields=tuple((name, f"{self.filled[name]} bars") for name in names[:SHOWN]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GapFilling:
    """`spot_for(calls)`: the spot market for one run with so many calls. `now`: no bar that is still open is taken."""

    spot_for: Callable[[int], AbstractContextManager[SpotMarket]]
    market_data: MarketDataStore
    now: datetime


def fill_gaps(filling: GapFilling, universe: Universe, loaded: LoadedSeries, known: Mapping[str, int]) -> GapReport:
    """Look at every loaded series. `known`: what an earlier run learnt to be absent. Raises nothing for a venue that
    does not answer."""
    gaps = {key: series.gaps for key, series in loaded.series.items() if series.gaps}
    report = GapReport(missing={_name(key): count for key, count in gaps.items()})
    pairs = {coin.id: coin.spot_pair for coin in universe.instruments}
    wanted = [key for key in sorted(gaps) if known.get(_name(key)) != gaps[key]]
    report.absent.update({_name(key): count for key, count in gaps.items() if key not in wanted})
    if not wanted:
        return report
    with filling.spot_for(min(len(wanted), SERIES_PER_RUN)) as spot:
        for key in wanted[:SERIES_PER_RUN]:
            try:
                answer = spot.candles(pairs[key[0]], key[1], _first_missing(loaded.series[key]))
            except VenueUnavailable as error:
                report.failed[_name(key)] = str(error)
                continue
            _fill(filling, key, loaded.series[key], answer.bars, report)
    return report


def _fill(filling: GapFilling, key: SeriesKey, stored: CandleSeries, found: CandleSeries, report: GapReport) -> None:
    have, last = set(stored.times), stored.times[-1]
    rows = [found[index] for index, time in enumerate(found.times) if time not in have and time < last]
    if rows:
        filling.market_data.add({key: CandleSeries(key[1], rows)}, filling.now)
        report.filled[_name(key)] = len(rows)
    if left := stored.gaps - len(rows):
        report.absent[_name(key)] = left


def _first_missing(series: CandleSeries) -> datetime:
    step = series.timeframe.seconds
    return from_epoch(
        next(
            time + step
            for time, following in zip(series.times, series.times[1:], strict=False)
            if following != time + step
        )
    )


def _name(key: tuple[str, Timeframe]) -> str:
    return f"{key[0]} {key[1]}"
