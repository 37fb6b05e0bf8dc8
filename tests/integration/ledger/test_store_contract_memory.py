"""What only the twins in memory have: no gap towards the real stores, copies of the whole state, and speed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from time import process_time

import pytest

from shared.alerts import Alerts
from shared.storage.control import ControlStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger, SignalState
from shared.storage.market_data import MarketDataStore
from shared.storage.market_watch import MarketWatchStore
from tests.fakes.records import BAR, NOW, planned, risk_day, seconds, signal
from tests.simulation.memory.alerts import MemoryAlerts
from tests.simulation.memory.control import MemoryControlStore
from tests.simulation.memory.decisions import MemoryDecisions
from tests.simulation.memory.either import Stores, everything, memory_stores, opened
from tests.simulation.memory.ledger import MemoryLedger
from tests.simulation.memory.market import MemoryMarketData
from tests.simulation.memory.tables import RESTORED, MemoryTables
from tests.simulation.memory.watch import MemoryWatch
from tests.unit.control.records import decision, universe
from trading.errors import StoreConflict
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.candles import Candle, CandleSeries
from trading.model.control import RiskDay
from trading.model.disorder import MarketWatch
from trading.model.instruments import InstrumentId
from trading.model.positions import PositionState
from trading.model.times import Timeframe

ALERT = Alert(kind=AlertKind.HEALTH, severity=Severity.INFO, subject="a", title="t", text="t", at=NOW)
TWINS = [
    (MemoryLedger, Ledger),
    (MemoryControlStore, ControlStore),
    (MemoryDecisions, DecisionStore),
    (MemoryWatch, MarketWatchStore),
    (MemoryMarketData, MarketDataStore),
]


def public(kind: type) -> set[str]:
    return {name for name, each in vars(kind).items() if callable(each) and not name.startswith("_")}


@pytest.mark.parametrize(("twin", "real"), TWINS)
def test_twin_has_every_public_method_itself(twin: type, real: type) -> None:
    assert twin.__mro__[1] is real
    assert public(real) != set()
    assert public(real) - public(twin) == set()


@pytest.mark.parametrize(("twin", "real"), TWINS)
def test_twin_has_no_table_of_dynamodb(twin: Callable[[MemoryTables], object], real: type) -> None:
    assert set(vars(twin(MemoryTables()))) == {"_tables"}


def test_alerts_are_told_by_the_real_method() -> None:
    assert public(Alerts) == {"tell"}
    assert "_publish" in vars(MemoryAlerts)


def test_candles_are_refused_by_name() -> None:
    market, none = MemoryMarketData(MemoryTables()), InstrumentId("BTC")
    calls: dict[str, Callable[[], object]] = {
        "load_series": lambda: market.load_series([none], [Timeframe.M15], NOW),
        "load": lambda: market.load([none], [Timeframe.M15], NOW),
        "index": lambda: market.index(NOW),
        "coverage": lambda: market.coverage(NOW),
        "present": lambda: market.present(NOW, []),
        "add": lambda: market.add({}, NOW),
        "add_history": lambda: market.add_history({}, NOW),
        "fold": lambda: market.fold(NOW),
        "forget": lambda: market.forget([], NOW),
    }
    kept = {"universe", "replaceable_universe", "save_universe", "last_closes"}
    assert set(calls) == public(MarketDataStore) - kept
    for name, call in calls.items():
        with pytest.raises(NotImplementedError, match=f"^{name} works on candles"):
            call()


def hours(number: int) -> CandleSeries:
    """One bar that opens this many hours after BAR."""
    opened = int((BAR + timedelta(hours=number)).timestamp())
    return CandleSeries(Timeframe.H1, [Candle(open_time=opened, open=1.0, high=1.0, low=1.0, close=1.0, volume=1.0)])


def fill(stores: Stores) -> None:
    """Something in every table."""
    for name in ("COIN", "GONE"):
        position = opened(stores, name)
    stores.ledger.close_position(position.moved(PositionState.CLOSED), None)
    stores.control.forget_unreadable_day(RiskDay.unknown("lost", 0), NOW)
    stores.control.save_risk_day(risk_day())
    stores.control.record_run("manage_exits", NOW, {})
    stores.control.first_observed("drift", NOW)
    stores.control.add_token("token", "all", NOW)
    stores.control.tell_once("key", NOW, seconds(60))
    stores.decisions.add([decision("BTC", BAR)])
    stores.watch.save(MarketWatch())
    stores.market.save_universe(universe("BTC"), NOW, None)
    stores.set_closes(NOW, {InstrumentId("BTC"): 1.0})
    stores.set_bars(NOW, {InstrumentId("BTC"): hours(-2)})


def change(stores: Stores) -> None:
    """Every kind of write over what `fill` left, including those into dicts inside dicts."""
    for each in stores.ledger.open_positions():
        stores.ledger.save_position(each)
    opened(stores, "MORE")
    stores.ledger.add_signal(signal("LATE"))
    stores.ledger.settle_signal(signal("LATE"), SignalState.EXPIRED)
    adopted = stores.ledger.adopt_position(planned("OTHER"))
    stores.ledger.close_position(adopted.moved(PositionState.CLOSED), None)
    stores.control.set_control(replace(stores.control.control(NOW), changed_at=NOW + seconds(1)))
    stores.control.save_risk_day(risk_day(version=1))
    stores.control.record_run("manage_exits", NOW + seconds(1), {"count": 1})
    stores.control.forget_observation("drift")
    stores.control.spend_token("token")
    stores.control.tell_once("key", NOW + seconds(90), seconds(60))
    stores.decisions.add([decision("ETH", BAR)])
    stores.watch.save(MarketWatch(version=1))
    stores.market.save_universe(universe("ETH"), NOW, stores.market.universe())
    stores.set_closes(NOW, {InstrumentId("BTC"): 2.0, InstrumentId("ETH"): 2.0})
    stores.set_bars(NOW, {InstrumentId("BTC"): hours(-1)})
    stores.damage.position(InstrumentId("COIN"), "{")
    stores.damage.trace(BAR, InstrumentId("BTC"), b"")


def rest(stores: Stores) -> tuple[object, ...]:
    return (
        stores.control.control(NOW),
        stores.control.last_runs(),
        stores.control.observations(),
        stores.decisions.all_of(BAR),
        stores.watch.read(),
        stores.market.universe(),
        stores.market.last_closes(NOW),
        stores.market.load([InstrumentId("BTC")], [Timeframe.H1], NOW),
    )


def test_restored_state_is_the_one_copied() -> None:
    tables = MemoryTables()
    stores = memory_stores(tables)
    fill(stores)
    empty = [name for name in RESTORED if not getattr(tables, name)]
    assert empty == ["flat_stop", "stages", "watch_seen"]
    before, copied = (everything(stores), rest(stores)), tables.snapshot()
    for _ in range(2):
        change(stores)
        assert everything(stores) != before[0]
        assert all(now != then for now, then in zip(rest(stores), before[1], strict=True))
        tables.restore(copied)
        assert (everything(stores), rest(stores)) == before
        assert tables.snapshot() == copied


def test_restored_tables_do_not_unsend_alerts() -> None:
    tables = MemoryTables()
    alerts = MemoryAlerts(tables, MemoryControlStore(tables))
    copied = tables.snapshot()
    assert alerts.tell(ALERT)
    tables.restore(copied)
    assert alerts.tell(replace(ALERT, title="again"))
    assert [each.title for each in alerts.told] == ["t", "again"]
    assert MemoryAlerts(tables, MemoryControlStore(tables)).told == alerts.told


def test_topic_out_of_reach_counts_as_failed() -> None:
    tables = MemoryTables()
    alerts = MemoryAlerts(tables, MemoryControlStore(tables))
    tables.topic_down = True
    assert not alerts.tell(ALERT)
    tables.topic_down = False
    assert not alerts.tell(ALERT)
    later = replace(ALERT, at=NOW + timedelta(seconds=1))
    assert [alerts.tell(later), alerts.tell(later)] == [True, False]
    assert (alerts.published, alerts.muted, alerts.failed, len(alerts.told)) == (1, 1, 2, 1)


def test_two_writers_of_one_table_meet() -> None:
    tables = MemoryTables()
    one, other = memory_stores(tables), memory_stores(tables)
    position = opened(one)
    assert other.ledger.open_positions() == (position,)
    other.ledger.save_position(position)
    with pytest.raises(StoreConflict):
        one.ledger.save_position(position)


def test_operation_takes_a_few_microseconds() -> None:
    """20 leaves room for a busy machine: measured alone it is 1 to 4."""
    stores, rounds = memory_stores(MemoryTables()), 500
    position = opened(stores)
    started = process_time()
    for number in range(rounds):
        position = stores.ledger.save_position(position)
        stores.ledger.open_positions()
        stores.control.control(NOW)
        stores.control.risk_day()
        stores.control.tell_once("key", NOW, seconds(60))
        stores.control.record_run("manage_exits", NOW, {"count": number})
        stores.watch.read()
        stores.market.last_closes(NOW)
    assert (process_time() - started) / (8 * rounds) < 20e-6
