"""The paper account: one item in the Ledger table that holds its books, and items for what is old.

The books are a compressed JSON document. Its size is bounded: fills, account log rows and ended orders beyond the
newest go to items of their own in the same transaction, and are read again when somebody asks that far back. Every
save carries the version that was read, and a token by which a writer that got no answer recognises its own write.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from pynamodb.exceptions import DoesNotExist, PynamoDBException, TransactWriteError
from pynamodb.transactions import TransactWrite

from shared.storage.tables import LedgerItem, bind, connection, lost_condition, save_at_version
from trading.errors import CorruptRecord, InvalidInput, StoreConflict
from trading.matching import Books, books_from_json, to_json
from trading.model.times import from_text, to_text

PAPER, BOOKS, ARCHIVE = "PAPER", "BOOKS", "PAPER_ARCHIVE"
STORE_FAILURES = (PynamoDBException,)
"""What a read or write raises when it is not known whether it took place."""

KEPT = 100
"""Fills and ended orders that stay in the books: what the venue's own newest page holds."""
KEPT_ROWS = 250
SLACK = 50
"""So many more may gather before the old ones are moved, so that not every save moves one."""
KEPT_CLIENT_IDS = 1000
CHUNK = 400
"""Records of one kind in one archive item, about 60 KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPrice:
    """A contract's index and mark (USD) at the last look, its funding in USD per contract and hour, how far best bid
    and ask lay from the mark (fractions of it), and whether orders executed there then."""

    index: Decimal
    mark: Decimal
    funding: Decimal
    bid_distance: Decimal = Decimal(0)
    ask_distance: Decimal = Decimal(0)
    online: bool = True


@dataclass(slots=True, kw_only=True)
class PaperBooks:
    """The books at `books.now` with the prices seen then. Changed by one run, kept by `PaperBooksStore.save` only.

    `rows_moved`: account log rows in the archive, so that the next one's number is known; `archived_until`: time of
    the newest archived record; `token`: names the write that this was read from.
    """

    books: Books
    seen: dict[str, SeenPrice] = field(default_factory=dict)
    rows_moved: int = 0
    archived_until: datetime | None = None
    version: int = 0
    token: str = ""

    @property
    def contracts(self) -> set[str]:
        """Contracts with a position or a working order: time can change something in these only."""
        return set(self.books.positions) | {order.symbol for order in self.books.live.values()}


class PaperBooksStore:
    """Reads are strong. `save` raises StoreConflict when somebody else was first; see also STORE_FAILURES."""

    def __init__(self, ledger_table: str) -> None:
        self._item = bind(LedgerItem, ledger_table)

    def read(self) -> PaperBooks | None:
        """None before the account's first order. Raises CorruptRecord for books that do not decode."""
        try:
            item = self._item.get(PAPER, BOOKS, consistent_read=True)
        except DoesNotExist:
            return None
        found = _decode(bytes(item.data or b""))
        found.version, found.token = int(item.version or 0), item.state or ""
        return found

    def save(self, paper: PaperBooks, token: str) -> None:
        """Replace the books that were read at `paper.version`; `paper` then stands for what is stored."""
        moved = _trim(paper)
        item = self._item(PAPER, BOOKS)
        item.data, item.state, item.version = _encode(paper), token, paper.version + 1
        item.at = to_text(paper.books.now)
        if moved:
            self._save_with_archive(item, moved, paper.version)
        else:
            save_at_version(item, paper.version, "paper account")
        paper.version, paper.token = paper.version + 1, token

    def older(self, since: datetime) -> tuple[Books, ...]:
        """Archived fills, log rows and ended orders, oldest first: everything since then, and some from before."""
        items = self._item.query(ARCHIVE, LedgerItem.sk >= to_text(since), consistent_read=True)
        return tuple(_unpacked_books(bytes(item.data or b"")) for item in items)

    def _save_with_archive(self, item: LedgerItem, moved: list[Books], version: int) -> None:
        free = LedgerItem.version == version if version else LedgerItem.version.does_not_exist()
        try:
            with TransactWrite(connection=connection(self._item).connection) as transaction:
                transaction.save(item, condition=free)
                for number, chunk in enumerate(moved):
                    old = self._item(ARCHIVE, f"{to_text(chunk.now)}#{version:09d}#{number:03d}")
                    old.data = _packed(to_json(chunk))
                    transaction.save(old, condition=LedgerItem.pk.does_not_exist())
        except TransactWriteError as error:
            if lost_condition(error):
                raise StoreConflict(f"paper account is no longer at version {version}") from error
            raise


def _encode(paper: PaperBooks) -> bytes:
    document = {
        # Kraken's history of events and of positions is not asked for by the port: it is not kept.
        "books": to_json(replace(paper.books, history=[], position_log=[])),
        "seen": to_json(paper.seen),
        "rows_moved": paper.rows_moved,
        "archived_until": None if paper.archived_until is None else to_text(paper.archived_until),
    }
    return _packed(document)


def _decode(data: bytes) -> PaperBooks:
    document = _unpacked(data)
    try:
        until = document["archived_until"]
        return PaperBooks(
            books=books_from_json(document["books"]),
            seen={name: _seen(row) for name, row in document["seen"].items()},
            rows_moved=int(document["rows_moved"]),
            archived_until=None if until is None else from_text(until),
        )
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, InvalidInput) as error:
        raise CorruptRecord(f"paper account does not decode: {error!r}") from error


def _seen(row: dict[str, Any]) -> SeenPrice:
    found = {name: Decimal(value) for name, value in row.items() if name != "online"}
    online = row.get("online", True)
    if not all(each.is_finite() for each in found.values()) or found["mark"] <= 0 or not isinstance(online, bool):
        raise ValueError(f"{row} is no price")
    return SeenPrice(**found, online=online)


def _packed(document: Any) -> bytes:
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), level=6)


def _unpacked(data: bytes) -> Any:
    try:
        return json.loads(zlib.decompress(data))
    except (zlib.error, ValueError) as error:
        raise CorruptRecord(f"paper account does not decode: {error!r}") from error


def _unpacked_books(data: bytes) -> Books:
    try:
        return books_from_json(_unpacked(data))
    except InvalidInput as error:
        raise CorruptRecord(f"archive of the paper account does not decode: {error!r}") from error


def _trim(paper: PaperBooks) -> list[Books]:
    """Number the log rows through, and take what is too much out of the books: returned in chunks for the archive."""
    books = paper.books
    numbered = enumerate(books.log, start=paper.rows_moved + 1)
    # The core numbers rows by their place in its list, and that list is only the end of the log.
    books.log = [row if row.row_id == number else replace(row, row_id=number) for number, row in numbered]
    if max(len(books.fills) - KEPT, len(books.closed) - KEPT, len(books.log) - KEPT_ROWS) <= SLACK:
        return []
    fills, books.fills = _split(books.fills, KEPT)
    rows, books.log = _split(books.log, KEPT_ROWS)
    orders, closed = _split(sorted(books.closed.values(), key=lambda each: each.updated_at), KEPT)
    books.closed = {order.order_id: order for order in closed}
    paper.rows_moved += len(rows)
    _forget_client_ids(books)
    chunks = []
    for first in range(0, max(len(fills), len(rows), len(orders)), CHUNK):
        part = slice(first, first + CHUNK)
        chunk = replace(
            _empty(books),
            fills=fills[part],
            log=rows[part],
            closed={order.order_id: order for order in orders[part]},
        )
        chunk.now = max(_times(chunk))
        chunks.append(chunk)
    newest = [chunk.now for chunk in chunks]
    paper.archived_until = max([*newest, paper.archived_until] if paper.archived_until else newest)
    return chunks


def _split(records: list[Any], kept: int) -> tuple[list[Any], list[Any]]:
    border = max(0, len(records) - kept)
    return records[:border], records[border:]


def _empty(books: Books) -> Books:
    return Books(now=books.now, seed=books.seed, balance=books.balance, starting_balance=books.starting_balance)


def _times(chunk: Books) -> Iterable[datetime]:
    yield from (fill.time for fill in chunk.fills)
    yield from (row.time for row in chunk.log)
    yield from (order.updated_at for order in chunk.closed.values())


def _forget_client_ids(books: Books) -> None:
    """A name stays taken while its order is known, and for many orders after: longer than any request is under way."""
    known = books.live.keys() | books.closed.keys()
    ended = [name for name, order_id in books.client_ids.items() if order_id not in known]
    for name in ended[: max(0, len(books.client_ids) - KEPT_CLIENT_IDS)]:
        del books.client_ids[name]
