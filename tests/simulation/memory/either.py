"""The stores of DynamoDB (emulated) and their twins in memory behind one set of names, for the contract they share."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pytest

from shared.alerts import Alerts
from shared.storage.control import ControlStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore
from shared.storage.market_watch import MarketWatchStore
from shared.storage.tables import DecisionItem, LedgerItem, MarketDataItem
from tests.fakes.cloud import Cloud, emulated
from tests.fakes.records import BAR, NOW, control, planned, signal
from tests.simulation.memory.alerts import MemoryAlerts
from tests.simulation.memory.control import MemoryControlStore
from tests.simulation.memory.decisions import MemoryDecisions
from tests.simulation.memory.ledger import MemoryLedger
from tests.simulation.memory.market import MemoryMarketData
from tests.simulation.memory.tables import MemoryTables
from tests.simulation.memory.watch import MemoryWatch
from trading.model.candles import Candle, CandleSeries
from trading.model.instruments import InstrumentId
from trading.model.positions import Position
from trading.model.times import Timeframe, to_text

KINDS = ("dynamo", "memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What a broken writer does to one item of the ledger table: the text of its body, nothing else."""

    position: Callable[[InstrumentId, str], None]
    book: Callable[[str], None]
    control: Callable[[str], None]
    risk_day: Callable[[str], None]
    watch: Callable[[str], None]
    trace: Callable[[datetime, InstrumentId, bytes], None]
    universe: Callable[[bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    ledger: Ledger
    control: ControlStore
    decisions: DecisionStore
    market: MarketDataStore
    alerts: Alerts
    watch: MarketWatchStore
    damage: Damage
    set_closes: Callable[[datetime, Mapping[InstrumentId, float]], None]
    set_bars: Callable[[datetime, Mapping[InstrumentId, CandleSeries]], None]
    """1h bars that are closed at this time."""


@contextmanager
def stores_of(kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    """Empty stores of one of KINDS."""
    if kind == "memory":
        yield memory_stores(MemoryTables())
        return
    with emulated(monkeypatch) as cloud:
        yield emulated_stores(cloud)


def memory_stores(tables: MemoryTables) -> Stores:
    control, market = MemoryControlStore(tables), MemoryMarketData(tables)
    return Stores(
        ledger=MemoryLedger(tables),
        control=control,
        decisions=MemoryDecisions(tables),
        market=market,
        alerts=MemoryAlerts(tables, control),
        watch=MemoryWatch(tables),
        damage=Damage(
            position=tables.corrupt_position,
            book=tables.corrupt_book,
            control=tables.corrupt_control,
            risk_day=tables.corrupt_risk_day,
            watch=tables.corrupt_watch,
            trace=tables.corrupt_trace,
            universe=tables.corrupt_universe,
        ),
        set_closes=market.set_closes,
        set_bars=lambda _, bars: market.set_bars(bars),
    )


def emulated_stores(cloud: Cloud) -> Stores:
    return Stores(
        ledger=cloud.ledger,
        control=cloud.control,
        decisions=cloud.decisions,
        market=cloud.market,
        alerts=cloud.alerts,
        watch=cloud.watch,
        damage=Damage(
            position=lambda instrument, text: _overwrite("POSITION", instrument, text),
            book=lambda text: _overwrite("BOOK", "CURRENT", text),
            control=lambda text: _overwrite("CONTROL", "CURRENT", text),
            risk_day=lambda text: _overwrite("RISK_DAY", "CURRENT", text),
            watch=lambda text: _overwrite("MARKET_WATCH", "CURRENT", text),
            trace=_overwrite_trace,
            universe=lambda data: _overwrite_data(MarketDataItem("UNIVERSE", "CURRENT"), data),
        ),
        set_closes=lambda at, closes: _add_bars(cloud.market, at, closes),
        set_bars=lambda at, bars: _ignored(cloud.market.add({(k, Timeframe.H1): bars[k] for k in bars}, at)),
    )


def _ignored(_count: int) -> None:
    """The twin does not count."""


def _overwrite(pk: str, sk: str, text: str) -> None:
    LedgerItem(pk, sk).update([LedgerItem.body.set(text)])


def _overwrite_trace(decision_bar: datetime, instrument: InstrumentId, data: bytes) -> None:
    _overwrite_data(DecisionItem(f"BAR#{to_text(decision_bar)}", f"TRACE#{instrument}"), data)


def _overwrite_data(item: DecisionItem | MarketDataItem, data: bytes) -> None:
    item.update([type(item).data.set(data)])


def _add_bars(market: MarketDataStore, at: datetime, closes: Mapping[InstrumentId, float]) -> None:
    """One bar a coin, closed at the quarter of an hour before `at`."""
    opened = int(Timeframe.M15.floor(at).timestamp()) - Timeframe.M15.seconds
    bars = {}
    for instrument, close in closes.items():
        bar = Candle(open_time=opened, open=close, high=close, low=close, close=close, volume=1.0)
        bars[instrument, Timeframe.M15] = CandleSeries(Timeframe.M15, [bar])
    market.add(bars, at)


def packed(text: str) -> bytes:
    """As texts are compressed in `data`."""
    return zlib.compress(text.encode())


def opened(stores: Stores, name: str = "COIN") -> Position:
    """A position written ahead under K0."""
    if stores.control.control(NOW).version == 0:
        stores.control.set_control(control())
    stores.ledger.add_signal(signal(name))
    return stores.ledger.open_position(planned(name), signal(name), stores.ledger.book(NOW))


def everything(stores: Stores) -> tuple[object, ...]:
    """What a refused write must leave as it was."""
    return (
        stores.ledger.readable_positions(),
        stores.ledger.signals_decided_since(BAR, NOW),
        stores.ledger.closed_positions(["2024-05"]),
        stores.ledger.book(NOW),
        stores.control.risk_day(),
    )
