"""The small record that says what the candle blocks hold, so that ingest need not read them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from trading.errors import CorruptRecord
from trading.model.candles import CandleSeries
from trading.model.folding import merged, newest_closed
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe

SeriesKey = tuple[InstrumentId, Timeframe]

SLAB_BARS = 96
"""Bars of one slab period: a UTC day of 15m, 4 days of 1h, 16 days of 4h, 96 days of 1d. Blocks are rewritten once a
period, so a higher timeframe costs a quarter, a sixteenth ... of the writes of 15m."""


def period_start(open_time: int, timeframe: Timeframe) -> int:
    """Start of the slab period that a bar of this open time belongs to (seconds since 1970)."""
    return open_time - open_time % (SLAB_BARS * timeframe.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleIndex:
    """`folded_until`: slabs of bars that open before it are folded into blocks. `newest`: by series, the open time
    through which its block holds every bar the exchange had. `version` 0 is an index never stored."""

    folded_until: Mapping[Timeframe, int]
    newest: Mapping[SeriesKey, int]
    version: int

    @classmethod
    def starting(cls, close: datetime) -> CandleIndex:
        """The index of an empty store."""
        folded = {each: period_start(newest_closed(close, each), each) for each in Timeframe}
        return cls(folded_until=folded, newest={}, version=0)

    def has_blocks(self, instrument: InstrumentId) -> bool:
        return all((instrument, timeframe) in self.newest for timeframe in Timeframe)

    def with_newest(self, newest: Mapping[SeriesKey, int]) -> CandleIndex:
        """Series advance, they never go back."""
        advanced = {key: max(time, self.newest.get(key, time)) for key, time in newest.items()}
        return replace(self, newest={**self.newest, **advanced})

    def with_folded(self, timeframe: Timeframe, until: int) -> CandleIndex:
        return replace(self, folded_until={**self.folded_until, timeframe: max(until, self.folded_until[timeframe])})

    def without(self, instruments: Iterable[InstrumentId]) -> CandleIndex:
        """Forget coins, so that ingest fetches their whole history again."""
        gone = set(instruments)
        return replace(self, newest={key: time for key, time in self.newest.items() if key[0] not in gone})


def pack_index(index: CandleIndex) -> bytes:
    rows: dict[str, dict[str, int]] = {}
    for (instrument, timeframe), time in index.newest.items():
        rows.setdefault(instrument, {})[timeframe.value] = time
    folded = {timeframe.value: time for timeframe, time in index.folded_until.items()}
    text = json.dumps({"folded_until": folded, "newest": rows}, sort_keys=True, separators=(",", ":"))
    return zlib.compress(text.encode())


def unpack_index(data: bytes, version: int) -> CandleIndex:
    """Raises CorruptRecord when it does not decode."""
    try:
        document = json.loads(zlib.decompress(data))
        folded = {each: int(document["folded_until"][each.value]) for each in Timeframe}
        newest = {
            (InstrumentId(instrument), Timeframe(timeframe)): int(time)
            for instrument, row in document["newest"].items()
            for timeframe, time in row.items()
        }
    except (zlib.error, ValueError, OverflowError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise CorruptRecord(f"stored candle index does not decode: {error!r}") from error
    return CandleIndex(folded_until=folded, newest=newest, version=version)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSeries:
    """`series` has every key that was asked for; `refused`: what did not decode (those load empty), and why."""

    series: Mapping[SeriesKey, CandleSeries]
    refused: Mapping[SeriesKey, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What is stored, seen without reading the blocks. `tails` are the bars since the last fold; `substitutes` stand
    in for bars that the exchange has not given: they are shown, but they do not count as stored."""

    index: CandleIndex
    tails: Mapping[SeriesKey, CandleSeries]
    substitutes: Mapping[SeriesKey, CandleSeries] = field(default_factory=dict)
    refused: tuple[str, ...] = ()

    def tail(self, key: SeriesKey) -> CandleSeries:
        return self.tails.get(key, CandleSeries(key[1]))

    def shown(self, key: SeriesKey) -> CandleSeries:
        """The bars since the last fold as readers see them."""
        tail, substitute = self.tail(key), self.substitutes.get(key)
        return merged(tail, substitute) if substitute else tail

    def has(self, key: SeriesKey, open_time: int) -> bool:
        return open_time <= self.index.newest.get(key, -1) or open_time in self.tail(key).times

    def first_missing(self, key: SeriesKey) -> int:
        """Open time of the first bar that is not stored; later ones may be."""
        stored = set(self.tail(key).times)
        open_time = self.index.newest[key] + key[1].seconds
        while open_time in stored:
            open_time += key[1].seconds
        return open_time
