"""What the last look at the market left behind: one item in the Ledger table, replaced about once a minute.

The pauses stand in `body` as readable JSON. The marks, some 300 contracts in up to four looks, stand compressed in
`data`: a line of times, then one line per contract with its mark in each look, so that an item stays at a few KB.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import replace

from pynamodb.exceptions import DoesNotExist

from shared.storage.codec import from_json, to_json
from shared.storage.tables import LedgerItem, bind, save_at_version
from trading.errors import CorruptRecord, TradingError
from trading.model.disorder import DisorderPause, MarketWatch, SeenMarks
from trading.model.times import from_text, to_text
from trading.model.units import Price, plain

WATCH, CURRENT = "MARKET_WATCH", "CURRENT"
UNSEEN = "-"
"""Stands in the column of a look in which a contract had no quote."""


class MarketWatchStore:
    def __init__(self, ledger_table: str) -> None:
        self._item = bind(LedgerItem, ledger_table)

    def read(self) -> MarketWatch | None:
        """The last saved watch, None before the first. What does not decode comes back as `unreadable`: raising would
        stop entries for good, as nothing but a save can mend the item."""
        try:
            item = self._item.get(WATCH, CURRENT, consistent_read=True)
        except DoesNotExist:
            return None
        version = int(item.version or 0)
        try:
            pauses = from_json(tuple[DisorderPause, ...], item.body or "")
            return MarketWatch(seen=_unpack(bytes(item.data or b"")), pauses=pauses, version=version)
        except CorruptRecord as error:
            return MarketWatch(unreadable=str(error), version=version)

    def save(self, watch: MarketWatch) -> MarketWatch:
        """Replace the watch read at `watch.version`. StoreConflict when another run has looked meanwhile."""
        stored = replace(watch, version=watch.version + 1)
        item = self._item(WATCH, CURRENT)
        item.body, item.data, item.version = to_json(watch.pauses), _pack(watch.seen), stored.version
        save_at_version(item, watch.version, "market watch")
        return stored


def _pack(seen: tuple[SeenMarks, ...]) -> bytes:
    contracts = sorted({contract for each in seen for contract in each.marks})
    lines = [" ".join(to_text(each.at) for each in seen)]
    lines += [" ".join([contract, *(_mark(each, contract) for each in seen)]) for contract in contracts]
    return zlib.compress("\n".join(lines).encode(), level=9)


def _mark(seen: SeenMarks, contract: str) -> str:
    return plain(seen.marks[contract]) if contract in seen.marks else UNSEEN


def _unpack(data: bytes) -> tuple[SeenMarks, ...]:
    """Raises CorruptRecord for anything that `_pack` did not write."""
    try:
        times, *lines = zlib.decompress(data).decode().split("\n")
        rows = [line.split(" ") for line in lines]
        columns = [_column(rows, 1 + number) for number in range(len(times.split()))]
        return tuple(SeenMarks(at=from_text(at), marks=marks) for at, marks in zip(times.split(), columns, strict=True))
    except (zlib.error, ValueError, IndexError, TradingError) as error:
        raise CorruptRecord(f"remembered marks do not decode: {error!r}") from error


def _column(rows: Iterable[list[str]], number: int) -> dict[str, Price]:
    return {row[0]: Price(row[number]) for row in rows if row[number] != UNSEEN}
