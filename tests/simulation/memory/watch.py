"""What the last look at the market left behind, on `MemoryTables`."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from shared.storage.codec import from_json
from shared.storage.market_watch import MarketWatchStore
from tests.simulation.memory.tables import MemoryTables, Stored, version_of
from trading.errors import CorruptRecord, StoreConflict
from trading.model.disorder import DisorderPause, MarketWatch, SeenMarks


class MemoryWatch(MarketWatchStore):
    """Each method is one step, as it is one call of the real store."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    def read(self) -> MarketWatch | None:
        stored = self._tables.watch
        if stored is None:
            return None
        return stored.value if not isinstance(stored.value, str) else self._damaged(stored.value, stored.version or 0)

    def _damaged(self, text: str, version: int) -> MarketWatch:
        try:
            pauses = from_json(tuple[DisorderPause, ...], text)
        except CorruptRecord as error:
            return MarketWatch(unreadable=str(error), version=version)
        seen = self._tables.watch_seen
        if seen is None:
            return MarketWatch(unreadable="remembered marks do not decode: there are none", version=version)
        return MarketWatch(seen=seen, pauses=pauses, version=version)

    def save(self, watch: MarketWatch) -> MarketWatch:
        if version_of(self._tables.watch) != (watch.version or None):
            raise StoreConflict(f"market watch is no longer at version {watch.version}")
        stored = replace(watch, version=watch.version + 1)
        seen = tuple(SeenMarks(at=each.at, marks=MappingProxyType(dict(each.marks))) for each in watch.seen)
        self._tables.watch_seen = seen
        self._tables.watch = Stored(replace(stored, seen=seen, unreadable=""), stored.version)
        return stored
