"""The market watch in the ledger table: one item, one winner per version, small, and never a reason to stop."""

from __future__ import annotations

import random
import zlib
from decimal import Context

import pytest

from shared.storage.market_watch import MarketWatchStore
from shared.storage.tables import LedgerItem
from tests.fakes.cloud import LEDGER, Cloud, write_raw
from tests.fakes.records import NOW, seconds
from trading.errors import StoreConflict
from trading.model.disorder import EVERYWHERE, DisorderPause, MarketWatch, SeenMarks
from trading.model.units import Price

PAUSE = DisorderPause(contract=EVERYWHERE, until=NOW + seconds(1800), why="the venue has halted 4 of 6", shaken_at=NOW)
WATCH = MarketWatch(
    seen=(
        SeenMarks(at=NOW + seconds(60), marks={"A": Price("84004.1"), "C": Price("0.00001234")}),
        SeenMarks(at=NOW, marks={"A": Price("83990"), "B": Price("1200000")}),
    ),
    pauses=(PAUSE, DisorderPause(contract="A", until=NOW + seconds(60), why="torn – 2 %")),
)


@pytest.fixture
def store(cloud: Cloud) -> MarketWatchStore:  # the tables must exist first
    return MarketWatchStore(LEDGER)


def whole_exchange(contracts: int, looks: int) -> MarketWatch:
    """Six-digit marks of many contracts in looks a minute apart, as a live run remembers them."""
    chance, digits = random.Random(7), Context(prec=6)
    names = [f"PF_{chance.randrange(26**4):04X}{number:03d}USD" for number in range(contracts)]
    prices = {name: 10 ** chance.uniform(-5, 5) for name in names}
    seen: list[SeenMarks] = []
    for minute in range(looks):
        prices = {name: price * (1 + chance.gauss(0, 0.001)) for name, price in prices.items()}
        marks = {name: Price(digits.create_decimal(repr(price))) for name, price in prices.items()}
        seen.insert(0, SeenMarks(at=NOW + seconds(60 * minute), marks=marks))
    return MarketWatch(seen=tuple(seen))


@pytest.mark.parametrize("watch", [WATCH, MarketWatch(), MarketWatch(pauses=(PAUSE,)), MarketWatch(seen=WATCH.seen)])
def test_watch_reads_back_as_it_was_saved(store: MarketWatchStore, watch: MarketWatch) -> None:
    assert store.read() is None
    stored = store.save(watch)
    assert stored.version == 1
    assert store.read() == stored
    assert (stored.seen, stored.pauses) == (watch.seen, watch.pauses)


def test_watch_has_one_winner_per_version(store: MarketWatchStore) -> None:
    first = store.save(WATCH)
    second = store.save(MarketWatch(version=first.version))
    for late in (WATCH, first):
        with pytest.raises(StoreConflict, match=f"market watch is no longer at version {late.version}"):
            store.save(late)
    assert store.read() == second


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ("{broken", zlib.compress(b"")),
        ("", zlib.compress(b"")),
        ('[{"contract": "A"}]', zlib.compress(b"")),
        ("[]", b"no zlib"),
        ("[]", zlib.compress(b"\xff")),
        ("[]", zlib.compress(b"yesterday\nA 1")),
        ("[]", zlib.compress(b"2024-05-01T10:00:00.000Z\nA")),
        ("[]", zlib.compress(b"2024-05-01T10:00:00.000Z\nA NaN")),
        ("[]", zlib.compress(b"2024-05-01T10:00:00.000Z\nA 0")),
    ],
)
def test_unreadable_watch_says_so_and_can_be_replaced(store: MarketWatchStore, body: str, data: bytes) -> None:
    LedgerItem("MARKET_WATCH", "CURRENT", body=body, data=data, version=5).save()
    found = store.read()
    assert found is not None
    assert (bool(found.unreadable), found.seen, found.pauses, found.version) == (True, (), (), 5)
    assert store.read() == found
    stored = store.save(MarketWatch(seen=WATCH.seen, version=found.version))
    assert store.read() == stored


def test_item_without_any_content_is_unreadable(store: MarketWatchStore) -> None:
    write_raw("MARKET_WATCH", "CURRENT")
    found = store.read()
    assert found is not None
    assert found.unreadable
    assert store.save(MarketWatch(version=found.version)).version == 1


def test_watch_of_whole_exchange_stays_small(store: MarketWatchStore) -> None:
    """300 contracts in 4 looks cost 7 write units a minute: 43,200 minutes x 7 x 1.25 USD per million = 0.38 USD."""
    watch = whole_exchange(300, 4)
    assert store.read() is None
    assert store.save(watch).seen == watch.seen
    item = LedgerItem.get("MARKET_WATCH", "CURRENT")
    assert 4_000 < len(item.data or b"") < 7_000
    assert store.read() == MarketWatch(seen=watch.seen, version=1)


def test_worst_minute_fits_one_item(store: MarketWatchStore) -> None:
    """Every contract paused for itself in five looks: far below the 400 KB of an item."""
    watch = whole_exchange(350, 5)
    why = "mark 0.00123456 is 17.31 % from 0.00131234 of 60 s ago; the venue reports extreme volatility"
    pauses = tuple(
        DisorderPause(contract=name, until=NOW + seconds(1800), why=why, shaken_at=NOW) for name in watch.seen[0].marks
    )
    stored = store.save(MarketWatch(seen=watch.seen, pauses=pauses))
    assert store.read() == stored
    assert len(LedgerItem.get("MARKET_WATCH", "CURRENT").body or "") < 100_000
