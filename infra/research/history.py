"""History: bars far older than what decisions read, kept in the MarketData table as packed blocks of a month or year.

The blocks that functions read hold the newest bars only, and their index promises that nothing is missing up to now,
so an archive cannot go there. A history block is written under a condition; a stored bar never changes, so the same
bars in any order, split or repeated, give the same history.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import groupby

from pynamodb.exceptions import DoesNotExist

from shared.storage.packing import pack_block, unpack_block
from shared.storage.tables import MarketDataItem, bind, save_at_version, save_new
from trading.errors import CorruptRecord, InvalidInput, StoreConflict
from trading.model.candles import CandleSeries
from trading.model.folding import merged
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, from_epoch

CATALOGUE = "HISTORY"
ATTEMPTS = 8
EXCHANGE_QUOTE = "USD"
"""What the exchange's own bars and trades are priced in: the universe holds USD pairs only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series of the history: bars of one market, priced in `quote`."""

    coin: InstrumentId
    timeframe: Timeframe
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What one block took: new bars, and bars that differ from stored ones, which stayed as they were.

    `replaced`: what was stored did not decode; the archive's bars took its place.
    """

    bars: int
    differing: int
    replaced: bool


class HistoryStore:
    """Backfilled bars in a MarketData table. Reads are strong."""

    def __init__(self, table_name: str) -> None:
        self._item = bind(MarketDataItem, table_name)

    def lines(self) -> tuple[Line, ...]:
        """Every series that has history, by coin and timeframe."""
        found = []
        for item in self._item.query(CATALOGUE, consistent_read=True):
            coin, _, timeframe = item.sk.partition("#")
            found.append(Line(coin=InstrumentId(coin), timeframe=Timeframe(timeframe), quote=item.body or ""))
        return tuple(sorted(found, key=lambda each: (each.coin, each.timeframe.seconds)))

    def enter(self, line: Line) -> None:
        """Name a series before its first bar. Raises InvalidInput when the coin's history is of another market."""
        item = self._item(CATALOGUE, f"{line.coin}#{line.timeframe}")
        item.body = line.quote
        if save_new(item):
            return
        stored = self._item.get(item.pk, item.sk, consistent_read=True).body
        if stored != line.quote:
            raise InvalidInput(
                f"history of {line.coin} {line.timeframe} has prices in {stored}; "
                f"expected the same, not {line.quote}: two markets are never mixed"
            )

    def load(self, line: Line) -> CandleSeries:
        """All bars of a series, empty when there is none. Raises CorruptRecord."""
        whole = CandleSeries(line.timeframe)
        for item in self._item.query(_partition(line), consistent_read=True):
            try:
                whole = merged(whole, unpack_block(item.data or b""))
            except CorruptRecord as error:
                raise CorruptRecord(
                    f"history of {line.coin} {line.timeframe} {item.sk}: {error}; backfill it again"
                ) from error
        return whole

    def add(self, line: Line, block: CandleSeries) -> Added:
        """Merge the bars of one block (see `blocks`). Writes nothing when nothing is new."""
        item = self._item(_partition(line), _block_name(line.timeframe, block.times[0]))
        for _ in range(ATTEMPTS):
            stored, version = self._stored(line, item)
            known = stored or CandleSeries(line.timeframe)
            whole = merged(known, block)
            added = Added(bars=len(whole) - len(known), differing=_differing(whole, block), replaced=stored is None)
            if not added.bars:
                return added
            item.data, item.version = pack_block(whole), version + 1
            try:
                save_at_version(item, version, f"history of {line.coin} {line.timeframe} {item.sk}")
                return added
            except StoreConflict:
                continue
        raise StoreConflict(f"history of {line.coin} {line.timeframe} {item.sk} changed {ATTEMPTS} times while saving")

    def _stored(self, line: Line, item: MarketDataItem) -> tuple[CandleSeries | None, int]:
        """What is stored and its version; None for what does not decode."""
        try:
            found = self._item.get(item.pk, item.sk, consistent_read=True)
        except DoesNotExist:
            return CandleSeries(line.timeframe), 0
        version = int(found.version or 0)
        try:
            return unpack_block(found.data or b""), version
        except CorruptRecord:
            return None, version


def blocks(series: CandleSeries) -> tuple[CandleSeries, ...]:
    """A series cut where history blocks begin: every month of 15m and 1h bars, every year of 4h and 1d bars."""
    cut, first = [], 0
    for _, times in groupby(series.times, key=lambda time: _block_name(series.timeframe, time)):
        count = sum(1 for _ in times)
        columns: tuple[array[int] | array[float], ...] = tuple(
            column[first : first + count] for column in series.columns
        )
        cut.append(CandleSeries.from_columns(series.timeframe, columns))
        first += count
    return tuple(cut)


def _partition(line: Line) -> str:
    return f"{CATALOGUE}#{line.coin}#{line.timeframe}"


def _block_name(timeframe: Timeframe, time: int) -> str:
    """About 3,000 bars at most, 30 KB of recorded ones: far below the 400 KB that an item may have."""
    return f"{from_epoch(time):%Y-%m}" if timeframe.seconds < Timeframe.H4.seconds else f"{from_epoch(time):%Y}"


def _differing(whole: CandleSeries, block: CandleSeries) -> int:
    """Bars of `block` that `whole` has with other values."""
    if whole == block:
        return 0
    rows = set(zip(*whole.columns, strict=True))
    return sum(row not in rows for row in zip(*block.columns, strict=True))
