"""Mutated texts and bytes of stored items through the code that reads them: a sound value or CorruptRecord."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from shared.storage import quality
from shared.storage.candle_index import CandleIndex, pack_index, unpack_index
from shared.storage.codec import from_json, to_json
from shared.storage.decisions import StageRecord, decode_trace, encode_trace
from shared.storage.ledger import _Archived
from shared.storage.market_watch import _pack, _unpack
from shared.storage.packing import Slab, pack_block, pack_slab, unpack_block, unpack_slab
from tests.fakes.records import BAR, NOW, coin, control, filled, planned, risk_day, signal, trade, waiting
from tests.fakes.spot_market import wave
from tests.fuzz.corpus import require
from tests.fuzz.invariants import require_sound
from tests.fuzz.mutations import Mutated
from tests.unit.control.records import decision
from tests.unit.strategy.markets import hours, snapshot
from trading.errors import CorruptRecord
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.book import EntryBook, PlannedEntry
from trading.model.control import Control, RiskDay
from trading.model.decisions import Outcome
from trading.model.disorder import DisorderPause, SeenMarks
from trading.model.instruments import InstrumentId, Universe
from trading.model.positions import Position
from trading.model.quality import CoinQuality
from trading.model.signals import Signal
from trading.model.times import Timeframe
from trading.model.units import Price
from trading.rules import load_rules
from trading.strategy.decide import decide

FIRST = 1_714_557_600 - 1_714_557_600 % 900
HEADER = 20
"""Bytes in front of the columns of a packed candle record."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """The real text of an item, and the code that reads a text in its place."""

    body: bytes
    read: Callable[[bytes], object]


def _json(kind: type[Value], value: Value) -> Item:
    return Item(body=to_json(value).encode(), read=lambda body: from_json(kind, _text(body)))


def _text(body: bytes) -> str:
    """As DynamoDB gives it: an attribute of text is always Unicode."""
    return body.decode("utf-8", errors="replace")


def _texts() -> dict[str, Item]:
    book = EntryBook(entries=(PlannedEntry(instrument=InstrumentId("COIN"), side=signal().side, at=NOW),), version=1)
    pauses = (DisorderPause(contract="PF_COINUSD", until=NOW, why="test"),)
    stage = StageRecord(instrument=InstrumentId("COIN"), decision_bar=BAR, outcome=Outcome.SENT, sentence="x", at=NOW)
    alert = Alert(
        kind=AlertKind.HEALTH, severity=Severity.INFO, subject="s", title="t", text="x", at=NOW, fields=(("a", "b"),)
    )
    return {
        "signal": _json(Signal, signal()),
        "position planned": _json(Position, planned()),
        "position waiting": _json(Position, waiting()),
        "position filled": _json(Position, filled()),
        "book": _json(EntryBook, book),
        "risk day": _json(RiskDay, risk_day()),
        "control": _json(Control, control()),
        "pauses": _json(cast(Any, tuple[DisorderPause, ...]), pauses),
        "archived": _json(_Archived, _Archived(position=filled(), trade=trade())),
        "stage": _json(StageRecord, stage),
        "alert": _json(Alert, alert),
        "universe": _json(Universe, Universe(instruments=(coin("AAA"), coin("COIN")))),
    }


def _packed_texts() -> dict[str, Item]:
    """Text inside compressed bytes: mutated inside, so that what is read is reached."""
    shard = quality._Shard(coins=((InstrumentId("COIN"), CoinQuality.new(NOW)),))
    index = CandleIndex.starting(NOW).with_newest({(InstrumentId("COIN"), Timeframe.H1): FIRST})
    marks = (SeenMarks(at=NOW, marks={"PF_COINUSD": Price(100)}), SeenMarks(at=NOW, marks={"PF_AUSD": Price("0.1")}))
    made = decide(snapshot(hours(1)), load_rules())
    return {
        "quality": Item(body=to_json(shard).encode(), read=lambda body: _quality(zlib.compress(body))),
        "index": Item(body=_inside(pack_index(index)), read=lambda body: unpack_index(zlib.compress(body), 1)),
        "marks": Item(body=_inside(_pack(marks)), read=lambda body: _unpack(zlib.compress(body))),
        "trace": Item(body=_inside(encode_trace(made)), read=lambda body: decode_trace(zlib.compress(body))),
        "bare trace": Item(
            body=_inside(encode_trace(decision("COIN", BAR))), read=lambda body: decode_trace(zlib.compress(body))
        ),
        "quality bytes": Item(body=zlib.compress(to_json(shard).encode()), read=_quality),
        "index bytes": Item(body=pack_index(index), read=lambda body: unpack_index(body, 1)),
        "marks bytes": Item(body=_pack(marks), read=_unpack),
        "trace bytes": Item(body=encode_trace(made), read=decode_trace),
    }


def _quality(data: bytes) -> object:
    return quality._unpack(cast(Any, SimpleNamespace(data=data)))


def _inside(data: bytes) -> bytes:
    return zlib.decompress(data)


def _candles() -> dict[str, Item]:
    """As stored, with a checksum that fits what was done to them, and with their columns mutated inside it all."""
    block, bars = pack_block(wave(FIRST, 40)), wave(FIRST, 3)
    columns = tuple(column[:2] for column in bars.columns[1:])
    names = (InstrumentId("AAA"), InstrumentId("COIN"))
    slab = pack_slab(Slab(timeframe=Timeframe.M15, open_time=FIRST, instruments=names, columns=columns))
    found: dict[str, Item] = {}
    codecs: tuple[tuple[str, bytes, Callable[[bytes], object]], ...]
    codecs = (("block", block, unpack_block), ("slab", slab, unpack_slab))
    for name, data, read in codecs:
        found[name] = Item(body=data, read=read)
        found[f"sealed {name}"] = Item(body=data[:-4], read=partial(_read_sealed, read, b""))
        columns_inside = zlib.decompress(data[HEADER:-4], wbits=-zlib.MAX_WBITS)
        found[f"inside {name}"] = Item(body=columns_inside, read=partial(_read_sealed, read, data[:HEADER]))
    return found


def _read_sealed(read: Callable[[bytes], object], head: bytes, body: bytes) -> object:
    """With a checksum that fits; behind a head, the body is packed first."""
    record = head + _deflated(body) if head else body
    return read(record + zlib.crc32(record).to_bytes(4, "little"))


def _deflated(body: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(body) + deflate.flush()


@cache
def items() -> dict[str, Item]:
    return _texts() | _packed_texts() | _candles()


class StoredItems:
    name = "stored items"
    http = False

    def entries(self) -> tuple[str, ...]:
        return tuple(items())

    def body(self, entry: str) -> bytes:
        return items()[entry].body

    def judge(self, entry: str, given: Mutated) -> str:
        try:
            value = items()[entry].read(given.body)
        except CorruptRecord as error:
            require("\n" not in str(error)[:80], "the reason does not begin with one line")
            return "CorruptRecord"
        if not entry.startswith(("inside", "sealed")):
            # A checksum that fits says that the numbers are what was written: they are not judged again.
            require_sound(value)
        return "value"
