"""Contract of decisions, market watch, market data and alerts: DynamoDB and its twin in memory behave alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.storage.control import RunRecord
from shared.storage.decisions import StageRecord
from shared.storage.market_data import StoredUniverse
from tests.fakes.records import BAR, NOW, coin, seconds
from tests.simulation.memory.either import KINDS, Stores, packed, stores_of
from tests.unit.control.records import decision, universe
from trading.errors import CorruptRecord, StoreConflict
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.candles import Candle, CandleSeries
from trading.model.decisions import Decision, Outcome
from trading.model.disorder import EVERYWHERE, DisorderPause, MarketWatch, SeenMarks
from trading.model.instruments import InstrumentId, Universe
from trading.model.times import Timeframe
from trading.model.units import Price


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    with stores_of(request.param, monkeypatch) as either:
        yield either


def stage(name: str, outcome: Outcome = Outcome.SENT, **changes: object) -> StageRecord:
    made = StageRecord(
        instrument=InstrumentId(name), decision_bar=BAR, outcome=outcome, sentence="sent", at=NOW, details=(("a", "1"),)
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def traced(stores: Stores, *names: str, bar: datetime = BAR) -> list[Decision]:
    made = [decision(name, bar) for name in names]
    assert stores.decisions.add(made) == len(made)
    return made


# decisions


def test_trace_is_written_once_and_never_replaced(stores: Stores) -> None:
    (first,) = traced(stores, "BTC")
    assert stores.decisions.add([decision("BTC", BAR, sentence="other"), decision("ETH", BAR)]) == 1
    assert stores.decisions.traces(BAR)[0] == first
    assert stores.decisions.add([]) == 0


def test_traces_of_a_bar_come_by_coin(stores: Stores) -> None:
    traced(stores, "ETH", "BTC", "ADA")
    traced(stores, "XRP", bar=BAR - timedelta(hours=1))
    assert [each.instrument for each in stores.decisions.traces(BAR)] == ["ADA", "BTC", "ETH"]
    assert list(stores.decisions.decided(BAR).items()) == [
        (InstrumentId(name), Outcome.NO_SETUP) for name in ("ADA", "BTC", "ETH")
    ]
    assert stores.decisions.traces(BAR + timedelta(hours=1)) == ()
    assert stores.decisions.decided(BAR + timedelta(hours=1)) == {}


def test_traces_of_a_coin_come_oldest_first(stores: Stores) -> None:
    bars = [BAR - timedelta(hours=hours) for hours in (0, 2, 1, 5, 1)]
    made = {bar: traced(stores, "BTC", "ETH", bar=bar)[0] for bar in bars[:3]}
    expected = tuple(made[bar] for bar in sorted(made))
    assert stores.decisions.traces_of(InstrumentId("BTC"), bars) == expected
    assert stores.decisions.listing_of(InstrumentId("BTC"), bars).decisions == expected
    assert stores.decisions.traces_of(InstrumentId("BTC"), []) == ()


def test_damaged_trace_is_named_beside_the_others(stores: Stores) -> None:
    kept, _ = traced(stores, "ADA", "BTC")
    stores.damage.trace(BAR, InstrumentId("BTC"), packed('{"format":99,"trace":{}}'))
    told = ("the trace of BTC at 2024-05-01T10:00:00.000Z cannot be read: it has format 99, expected format 2",)
    for listing in (stores.decisions.listing(BAR), stores.decisions.all_of(BAR)[0]):
        assert (listing.decisions, listing.refused) == ((kept,), told)
    assert stores.decisions.listing_of(InstrumentId("BTC"), [BAR]).refused == told
    assert stores.decisions.decided(BAR)[InstrumentId("BTC")] is Outcome.NO_SETUP
    with pytest.raises(CorruptRecord, match="format 99"):
        stores.decisions.traces(BAR)
    with pytest.raises(CorruptRecord, match="format 99"):
        stores.decisions.traces_of(InstrumentId("BTC"), [BAR])


def test_stage_is_written_once_per_outcome(stores: Stores) -> None:
    made = [stage("B"), stage("A", Outcome.FAILED), stage("A"), stage("A1"), stage("A-1")]
    for each in made:
        stores.decisions.add_stage(each)
        stores.decisions.add_stage(replace(each, sentence="again"))
    expected = tuple(sorted(made, key=lambda each: f"{each.instrument}#{each.outcome}"))
    assert stores.decisions.stages(BAR) == expected
    (trace,) = traced(stores, "BTC")
    listing, stages = stores.decisions.all_of(BAR)
    assert (listing.decisions, stages) == ((trace,), expected)
    assert stores.decisions.stages(BAR + timedelta(hours=1)) == ()


def test_stage_of_a_rule_is_written_once_an_hour(stores: Stores) -> None:
    moved = stage("A", Outcome.STOP_MOVED, rule="trailing")
    others = [
        replace(moved, rule="break_even"),
        replace(moved, at=NOW + timedelta(hours=1)),
        stage("A", Outcome.EXIT, rule="trailing"),
    ]
    for each in (moved, *others, replace(moved, at=NOW + timedelta(minutes=59), sentence="again")):
        stores.decisions.add_stage(each)
    assert sorted(stores.decisions.stages(BAR), key=lambda each: each.key) == sorted(
        (moved, *others), key=lambda each: each.key
    )


def test_newest_trace_of_the_bars_asked_for(stores: Stores) -> None:
    coins = [InstrumentId(name) for name in ("ADA", "BTC", "ETH", "NONE")]
    later = BAR + timedelta(hours=1)
    ada, btc, _ = traced(stores, "ADA", "BTC", "ETH")
    new, _ = traced(stores, "BTC", "ETH", bar=later)
    stores.damage.trace(later, InstrumentId("ETH"), packed("{}"))
    assert stores.decisions.newest(coins, [later, BAR]) == {"ADA": ada, "BTC": new}
    assert stores.decisions.newest(coins[1:2], [BAR]) == {"BTC": btc}
    assert stores.decisions.newest(coins, []) == stores.decisions.newest([], [BAR]) == {}


# market watch


PAUSE = DisorderPause(contract=EVERYWHERE, until=NOW, why="4 of 6 halted", shaken_at=NOW)
SEEN = (
    SeenMarks(at=NOW + seconds(60), marks={"A": Price("84004.1"), "C": Price("0.00001234")}),
    SeenMarks(at=NOW, marks={"A": Price("83990"), "B": Price("1200000")}),
    SeenMarks(at=NOW, marks={}),
)


@pytest.mark.parametrize("watch", [MarketWatch(), MarketWatch(seen=SEEN), MarketWatch(seen=SEEN, pauses=(PAUSE,))])
def test_watch_reads_back_at_its_next_version(stores: Stores, watch: MarketWatch) -> None:
    assert stores.watch.read() is None
    stored = stores.watch.save(watch)
    assert stores.watch.read() == stored == replace(watch, version=1)


@pytest.mark.parametrize("version", [0, 1, 3])
def test_watch_that_moved_is_not_saved(stores: Stores, version: int) -> None:
    stored = stores.watch.save(stores.watch.save(MarketWatch()))
    with pytest.raises(StoreConflict, match=f"market watch is no longer at version {version}"):
        stores.watch.save(MarketWatch(seen=SEEN, version=version))
    assert stores.watch.read() == stored


def test_watch_keeps_its_own_marks(stores: Stores) -> None:
    marks = {"A": Price(1)}
    stores.watch.save(MarketWatch(seen=(SeenMarks(at=NOW, marks=marks),)))
    marks["A"] = Price(2)
    found = stores.watch.read()
    assert found is not None
    assert found.seen[0].marks["A"] == Price(1)


@pytest.mark.parametrize("present", [False, True])
def test_damaged_watch_is_unreadable_until_saved(stores: Stores, present: bool) -> None:
    if present:
        stores.watch.save(MarketWatch(seen=SEEN, pauses=(PAUSE,)))
    stores.damage.watch("{")
    found = stores.watch.read()
    assert found is not None
    assert (found.version, found.seen, found.pauses) == (int(present), (), ())
    assert found.unreadable.startswith("stored tuple does not decode")
    stores.watch.save(replace(found, pauses=(PAUSE,)))
    assert stores.watch.read() == MarketWatch(pauses=(PAUSE,), version=found.version + 1)


def test_watch_with_pauses_overwritten_keeps_marks(stores: Stores) -> None:
    stores.damage.watch("[]")
    absent = stores.watch.read()
    assert absent is not None
    assert absent.unreadable.startswith("remembered marks do not decode")
    stores.watch.save(MarketWatch(seen=SEEN, pauses=(PAUSE,), version=absent.version))
    stores.damage.watch("[]")
    assert stores.watch.read() == MarketWatch(seen=SEEN, version=1)


# market data


def test_universe_version_moves_with_its_markets(stores: Stores) -> None:
    assert stores.market.universe() is None
    assert stores.market.replaceable_universe() is None
    first = stores.market.save_universe(universe("BTC"), NOW, None)
    same = stores.market.save_universe(replace(universe("BTC"), left_out=(("X", "thin"),)), NOW + seconds(60), first)
    more = stores.market.save_universe(universe("BTC", "ETH"), NOW + seconds(120), same)
    assert [each.version for each in (first, same, more)] == [1, 1, 2]
    assert stores.market.universe() == stores.market.replaceable_universe() == more


@pytest.mark.parametrize("previous", [None, 1, 3])
def test_universe_that_moved_is_not_replaced(stores: Stores, previous: int | None) -> None:
    first = stores.market.save_universe(universe("BTC"), NOW, None)
    stored = stores.market.save_universe(universe("ETH"), NOW, first)
    late = None if previous is None else replace(first, version=previous)
    with pytest.raises(StoreConflict, match=f"universe is no longer at version {previous or 0}"):
        stores.market.save_universe(universe("ADA"), NOW, late)
    assert stores.market.universe() == stored


@pytest.mark.parametrize("data", [b"nonsense", packed("{")])
def test_damaged_universe_is_refused_but_replaceable(stores: Stores, data: bytes) -> None:
    stores.market.save_universe(universe("BTC"), NOW, None)
    stores.damage.universe(data)
    with pytest.raises(CorruptRecord):
        stores.market.universe()
    empty = stores.market.replaceable_universe()
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    assert empty == StoredUniverse(universe=Universe(instruments=()), version=1, at=long_ago)
    assert stores.market.save_universe(Universe(instruments=(coin(),)), NOW, empty).version == 2


def test_closes_are_of_the_newest_quarter_only(stores: Stores) -> None:
    quarter = BAR
    stores.set_closes(quarter + seconds(40), {InstrumentId("ETH"): 2.5, InstrumentId("BTC"): 0.1})
    stores.set_closes(quarter + seconds(50), {InstrumentId("ADA"): 3.0})
    expected = [(InstrumentId("ADA"), 3.0), (InstrumentId("BTC"), 0.1), (InstrumentId("ETH"), 2.5)]
    assert sorted(stores.market.last_closes(quarter).items()) == expected
    assert sorted(stores.market.last_closes(quarter + seconds(899.999)).items()) == expected
    assert stores.market.last_closes(quarter + seconds(900)) == {}
    assert stores.market.last_closes(quarter - seconds(1)) == {}


def test_hours_are_loaded_as_far_as_they_are_closed(stores: Stores) -> None:
    opened = int(BAR.timestamp())
    bars = [Candle(open_time=opened + 3600 * n, open=1.0, high=2.0, low=0.5, close=1.5, volume=1.0) for n in range(3)]
    hours = CandleSeries(Timeframe.H1, bars)
    btc, none = InstrumentId("BTC"), InstrumentId("NONE")
    until = BAR + timedelta(hours=3)
    stores.set_bars(until, {btc: hours.last(2)})
    stores.set_bars(until, {btc: hours.until(opened + 3600)})
    loaded = stores.market.load([btc, none], [Timeframe.H1], until - seconds(1))
    assert loaded.series == {
        (btc, Timeframe.H1): hours.until(opened + 7200),
        (none, Timeframe.H1): CandleSeries(Timeframe.H1),
    }
    assert stores.market.load([btc], [Timeframe.H1], until).series[btc, Timeframe.H1] == hours


# alerts


@pytest.mark.parametrize(("severity", "minutes"), [(Severity.INFO, 10), (Severity.WARNING, 10), (Severity.CRITICAL, 5)])
def test_alert_is_muted_within_its_window(stores: Stores, severity: Severity, minutes: int) -> None:
    alert = Alert(kind=AlertKind.HEALTH, severity=severity, subject="a", title="t", text="t", at=NOW)
    later = [replace(alert, at=NOW + timedelta(minutes=minutes) + seconds(at)) for at in (-0.001, 0)]
    others = [replace(alert, subject="b"), replace(alert, kind=AlertKind.COVERAGE)]
    assert [stores.alerts.tell(each) for each in (alert, alert, *later, *others)] == [
        True,
        False,
        False,
        True,
        True,
        True,
    ]
    assert (stores.alerts.published, stores.alerts.muted, stores.alerts.failed) == (4, 2, 0)


def test_graver_alert_is_not_muted_by_milder(stores: Stores) -> None:
    alert = Alert(kind=AlertKind.HEALTH, severity=Severity.WARNING, subject="a", title="t", text="t", at=NOW)
    assert stores.alerts.tell(alert)
    assert stores.alerts.tell(replace(alert, severity=Severity.CRITICAL))


@pytest.mark.parametrize("body", ["{broken", "[]", "7"])
def test_run_that_does_not_decode_hides_no_other(stores: Stores, body: str) -> None:
    stores.control.record_run("manage_exits", NOW, {"count": 1})
    stores.control.save_health(body, NOW)
    broken, whole = stores.control.last_runs().values()
    assert whole == RunRecord(function="manage_exits", at=NOW, proof={"count": 1})
    assert (broken.function, broken.at, broken.proof) == ("check_health", NOW, {})
    assert broken.unreadable.startswith("stored run proof is ")
    assert stores.control.last_run("check_health") == broken
