"""Scoring with the real strategy, real stores and a venue in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from functions.score_setups.score import Scoring, score_due
from shared.alerts import Alerts
from shared.progress import INGEST, REFETCH
from shared.storage.control import ControlStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore
from shared.storage.quality import QualityStore
from shared.storage.tables import DecisionItem, MarketDataItem
from tests.fakes.futures_market import FuturesInMemory, a_contract, a_pair, a_quote
from tests.fakes.spot_market import wave
from tests.integration.market_data.conftest import DECISIONS, MARKET, Told
from tests.integration.market_data.test_market_data_store import damage
from trading.model.candles import CandleSeries
from trading.model.decisions import Decision, Outcome
from trading.model.folding import fold
from trading.model.instruments import InstrumentId, Side
from trading.model.quality import CoinQuality, QualityState
from trading.model.signals import Levels, Setup, Signal, signal_id
from trading.model.times import Timeframe, to_text
from trading.model.units import Price
from trading.rules import load_rules
from trading.universe.joining import Markets, join

BAR = datetime(2024, 5, 1, 12, tzinfo=UTC)
NOW = BAR + timedelta(seconds=20)
COINS = ("AAA", "BBB", "NEW")
AAA = InstrumentId("AAA")
HISTORY = wave(int(BAR.timestamp()) - 3000 * 900, 3000)


@dataclass(slots=True)
class Scene:
    """Three coins, one of them without candles, whose bars are in."""

    scoring: Scoring
    futures: FuturesInMemory
    announced: list[Signal] = field(default_factory=list)

    def run(self, now: datetime = NOW) -> dict[str, object]:
        return score_due(self.scoring, now).proof()

    def outcomes(self, bar: datetime = BAR) -> dict[InstrumentId, Outcome]:
        return self.scoring.decisions.decided(bar)


@pytest.fixture
def scene(control: ControlStore, ledger: Ledger, alerts: Alerts) -> Scene:
    market = MarketDataStore(MARKET, bars_kept=720)
    rules = replace(load_rules().universe, pinned=COINS)
    markets = Markets(pairs=tuple(map(a_pair, COINS)), contracts=tuple(map(a_contract, COINS)), quotes={})
    market.save_universe(join(markets, rules), BAR, None)
    for coin in COINS[:2]:
        bars = {timeframe: fold(HISTORY, timeframe).last(720) for timeframe in Timeframe}
        market.add_history({(InstrumentId(coin), timeframe): series for timeframe, series in bars.items()}, BAR)
    futures = FuturesInMemory(tickers={f"PF_{coin}USD": a_quote(f"PF_{coin}USD") for coin in COINS})
    control.record_run(INGEST, BAR, {"watermark": to_text(BAR), "universe_version": 1})
    scene = Scene(scoring=None, futures=futures)  # type: ignore[arg-type]
    scene.scoring = Scoring(
        futures=futures,
        market=market,
        quality=QualityStore(MARKET),
        decisions=DecisionStore(DECISIONS),
        ledger=ledger,
        control=control,
        alerts=alerts,
        announce=scene.announced.append,
        rules=load_rules(),
        code_version="test",
    )
    return scene


def a_signal(bar: datetime) -> Signal:
    levels = Levels(
        side=Side.LONG,
        entry=Price("100"),
        stop=Price("98"),
        invalidation=Price("99"),
        target_1=Price("102"),
        target_2=Price("105"),
    )
    return Signal(
        id=signal_id(AAA, bar, Setup.ORDER_BLOCK, "ob-1"),
        instrument=AAA,
        decision_bar=bar,
        expires_at=bar + timedelta(hours=1),
        setup=Setup.ORDER_BLOCK,
        structure_id="ob-1",
        score=80,
        aligned=True,
        levels=levels,
        atr=Decimal(2),
        rules_fingerprint="rules",
        code_version="test",
    )


def a_signal_trace(bar: datetime) -> Decision:
    return Decision(
        instrument=AAA,
        decision_bar=bar,
        outcome=Outcome.SIGNAL,
        sentence="A long order block.",
        code_version="test",
        rules_fingerprint="rules",
        inputs_fingerprint="inputs",
        signal=a_signal(bar),
    )


def test_every_coin_gets_one_trace_per_bar(scene: Scene) -> None:
    proof = scene.run()
    assert (proof["coins"], proof["traces"]) == (3, 3)
    assert set(scene.outcomes()) == set(COINS)
    assert scene.outcomes()[InstrumentId("NEW")] is Outcome.NO_DATA
    assert Outcome.NO_DATA not in (scene.outcomes()[AAA], scene.outcomes()[InstrumentId("BBB")])
    assert sum(proof["outcomes"].values()) == 3  # type: ignore[attr-defined]
    assert scene.scoring.control.last_runs()["score_setups"].proof["decided_bar"] == to_text(BAR)


def test_candles_reach_the_decision_complete(scene: Scene) -> None:
    scene.run()
    (trace,) = scene.scoring.decisions.traces_of(AAA, [BAR])
    assert trace.outcome not in (Outcome.STALE_DATA, Outcome.INSUFFICIENT_HISTORY, Outcome.NO_DATA)


def test_nothing_is_scored_before_bars_are_in(scene: Scene) -> None:
    proof = scene.run(NOW + timedelta(hours=1))
    assert (proof["scored_bar"], proof["traces"]) == (None, 0)
    assert scene.outcomes(BAR + timedelta(hours=1)) == {}


def test_repeated_run_scores_nothing_again(scene: Scene) -> None:
    scene.run()
    again = scene.run(NOW + timedelta(minutes=1))
    assert (again["scored_bar"], again["decided_bar"]) == (None, to_text(BAR))


def test_signal_of_crashed_run_is_emitted_once(scene: Scene) -> None:
    scene.scoring.decisions.add([a_signal_trace(BAR)])
    proof = scene.run()
    assert (proof["signals"], [each.id for each in scene.announced]) == (1, [a_signal(BAR).id])
    (stored,) = scene.scoring.ledger.signals_decided_since(BAR, NOW)
    assert stored.signal == a_signal(BAR)
    scene.scoring.control.record_run("score_setups", NOW, {})
    assert scene.run(NOW + timedelta(minutes=1))["signals"] == 0
    assert len(scene.announced) == 1


def test_signal_of_an_old_bar_is_not_emitted(scene: Scene) -> None:
    scene.scoring.decisions.add([a_signal_trace(BAR)])
    proof = scene.run(BAR + timedelta(minutes=31))
    assert (proof["traces"], proof["signals"], scene.announced) == (3, 0, [])
    assert scene.scoring.ledger.signals_decided_since(BAR, NOW) == ()


def test_silent_futures_venue_still_gives_traces(scene: Scene) -> None:
    scene.futures.down = True
    assert scene.run()["traces"] == 3


@pytest.mark.parametrize("unsaid", [{"hourly_funding": None}, {"bid": None}, {"bid": Price(101)}, {"suspended": True}])
def test_what_a_quote_leaves_open_gives_no_conditions(scene: Scene, unsaid: dict[str, object]) -> None:
    scene.futures.tickers["PF_AAAUSD"] = a_quote("PF_AAAUSD", **unsaid)
    scene.run()
    inputs = {each.instrument: each.inputs for each in scene.scoring.decisions.listing(BAR).decisions}
    assert {name for name, each in inputs.items() if each and each.market is not None} == {"BBB", "NEW"}


def inputs_of(scene: Scene) -> dict[InstrumentId, str]:
    """What every coin is decided from, as if it had never been decided."""
    for item in DecisionItem.query(f"BAR#{to_text(BAR)}"):
        item.delete()
    scene.scoring.control.record_run("score_setups", NOW, {})
    scene.run()
    return {trace.instrument: trace.inputs_fingerprint for trace in scene.scoring.decisions.traces(BAR)}


def save_quality(shard: int, **states: QualityState) -> None:
    """What ingest would know about these coins."""
    since = BAR - timedelta(hours=1)
    qualities = {
        InstrumentId(coin): CoinQuality(
            state=state,
            since=since,
            reason="no answer for an hour",
            failures=60,
            passes=0,
            failing_since=since,
            probe_at=NOW if state is QualityState.SUSPENDED else None,
        )
        for coin, state in states.items()
    }
    QualityStore(MARKET).save(shard, qualities, since)


def test_stored_quality_decides_and_is_counted(scene: Scene) -> None:
    save_quality(0, AAA=QualityState.DEGRADED, GONE=QualityState.SUSPENDED)
    save_quality(1, BBB=QualityState.SUSPENDED)
    proof = scene.run()
    assert proof["quality"] == {"healthy": 1, "degraded": 1, "suspended": 1}
    assert scene.outcomes() == {"AAA": Outcome.DEGRADED, "BBB": Outcome.SUSPENDED, "NEW": Outcome.NO_DATA}
    (trace,) = scene.scoring.decisions.traces_of(AAA, [BAR])
    assert trace.sentence == "AAA: its candles are degraded: no answer for an hour."


def test_coins_without_record_are_healthy(scene: Scene) -> None:
    assert scene.run()["quality"] == {"healthy": 3, "degraded": 0, "suspended": 0}
    assert {Outcome.DEGRADED, Outcome.SUSPENDED}.isdisjoint(scene.outcomes().values())


def test_share_of_healthy_coins_reaches_every_decision(scene: Scene) -> None:
    before = inputs_of(scene)
    save_quality(0, AAA=QualityState.DEGRADED)
    after = inputs_of(scene)
    assert {coin for coin in COINS if after[InstrumentId(coin)] != before[InstrumentId(coin)]} == set(COINS)


def test_unreadable_quality_is_told_and_trusted(scene: Scene, told: Told) -> None:
    save_quality(0, AAA=QualityState.DEGRADED)
    item = MarketDataItem.get("QUALITY", "00")
    item.data = b"damaged"
    item.save()
    assert scene.run()["quality"] == {"healthy": 3, "degraded": 0, "suspended": 0}
    assert [alert.subject for alert in told.take()] == ["stored quality"]


def test_signal_of_last_hour_reaches_its_coin_only(scene: Scene) -> None:
    before = inputs_of(scene)
    scene.scoring.ledger.add_signal(a_signal(BAR - timedelta(hours=1)))
    after = inputs_of(scene)
    assert {coin for coin in after if after[coin] != before[coin]} == {AAA}


def test_own_and_old_signals_do_not_change_decisions(scene: Scene) -> None:
    before = inputs_of(scene)
    scene.scoring.ledger.add_signal(a_signal(BAR))
    scene.scoring.ledger.add_signal(a_signal(BAR - timedelta(days=2)))
    assert inputs_of(scene) == before


def test_unreadable_candles_are_told_and_refetched(scene: Scene, told: Told) -> None:
    damage(scene.scoring.market, "CANDLES#AAA", "1h")
    scene.run()
    assert scene.outcomes()[AAA] is Outcome.NO_DATA
    assert list(scene.scoring.control.observations()) == [REFETCH + "AAA"]
    assert [alert.subject for alert in told.take()] == ["stored candles"]


def test_unreadable_trace_is_told_as_missing_coverage(scene: Scene, told: Told) -> None:
    scene.scoring.decisions.add([a_signal_trace(BAR)])
    item = DecisionItem.get(f"BAR#{to_text(BAR)}", "TRACE#AAA")
    item.data = b"of another time"
    item.save()
    proof = scene.run()
    assert (proof["traces"], proof["decided_bar"]) == (2, None)
    (alert,) = told.take()
    assert alert.title == "1 of 3 coins were not decided"
    assert "the trace of AAA" in alert.fields[0][1]


def test_empty_universe_scores_nothing(scene: Scene) -> None:
    empty = MarketDataStore("test-decisions", bars_kept=720)
    assert empty.universe() is None
    scene.scoring = replace(scene.scoring, market=empty)
    assert scene.run()["scored_bar"] is None


def test_series_of_new_coin_is_empty_not_missing(scene: Scene) -> None:
    loaded = scene.scoring.market.load_series([InstrumentId("NEW")], Timeframe, BAR)
    assert loaded == {(InstrumentId("NEW"), each): CandleSeries(each) for each in Timeframe}
