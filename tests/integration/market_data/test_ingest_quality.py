"""Coins that lose the trust in their candles: who waits for them, what stands in, how they come back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.fakes.spot_market import wave
from tests.integration.market_data.conftest import Told
from tests.integration.market_data.ingest_scene import (
    COINS,
    MIDNIGHT,
    MINUTE,
    START,
    Scene,
    assert_complete,
    list_coins,
)
from trading.model.candles import Candle, CandleSeries
from trading.model.folding import merged
from trading.model.instruments import InstrumentId
from trading.model.quality import QualityState
from trading.model.times import Timeframe, to_text

QUARTER = timedelta(minutes=15)
INDEX = wave(MIDNIGHT - 600 * 900, 900, 777.0)


@pytest.fixture
def failing(scene: Scene) -> Scene:
    """BBB has bars of one close and does not answer from then on; the index knows it."""
    scene.run(START)
    scene.spot.down = {"XBBBZUSD"}
    scene.index.history = {"PF_BBBUSD": INDEX}
    return scene


def degrade(scene: Scene) -> datetime:
    """Run until BBB is degraded; returns the last run's time."""
    for minute in range(3):
        now = START + QUARTER + minute * MINUTE
        scene.run(now)
    assert state_of(scene) is QualityState.DEGRADED
    return now


def state_of(scene: Scene, coin: str = "BBB") -> QualityState | None:
    quality = scene.quality(coin)
    return quality.state if quality else None


def test_failing_coin_is_awaited_until_it_is_degraded(failing: Scene, told: Told) -> None:
    watermarks = [failing.run(START + QUARTER + minute * MINUTE)["watermark"] for minute in range(3)]
    assert watermarks == [to_text(START.replace(second=0))] * 2 + [to_text((START + QUARTER).replace(second=0))]
    (alert,) = told.take()
    assert alert.fields[0] == ("BBB", "DEGRADED: VenueUnavailable: XBBBZUSD does not answer")


def test_degraded_coin_holds_up_nobody(failing: Scene) -> None:
    degrade(failing)
    now = START + 2 * QUARTER
    proof = failing.run(now)
    assert (list(proof["waiting"]), proof["awaited"]) == (["BBB"], 0)  # type: ignore[call-overload]
    assert proof["watermark"] == to_text(now.replace(second=0))


def test_index_stands_in_for_a_degraded_coin(failing: Scene) -> None:
    now = degrade(failing)
    shown = failing.series("BBB", Timeframe.M15, now)
    assert shown.last(1) == INDEX.until(int(now.timestamp())).last(1)
    assert failing.world.store.last_closes(now)[InstrumentId("BBB")] == shown.closes[-1]
    assert_complete(failing, now, ("AAA", "CCC"))


def test_without_fallback_nothing_stands_in(failing: Scene) -> None:
    failing.change_rules("ingest", fallback=False)
    now = degrade(failing)
    assert failing.index.calls == []
    assert failing.series("BBB", Timeframe.M15, now) == failing.expected("BBB", Timeframe.M15, START)


def test_healthy_coins_never_get_substitutes(failing: Scene) -> None:
    failing.run(START + QUARTER)
    assert failing.index.calls == []


def test_exchange_bars_replace_substitutes(failing: Scene) -> None:
    degrade(failing)
    failing.spot.down = set()
    now = START + 2 * QUARTER
    failing.run(now)
    assert_complete(failing, now)


def test_substitutes_reach_the_higher_timeframes(failing: Scene) -> None:
    degrade(failing)
    now = START + 3 * QUARTER
    failing.run(START + 2 * QUARTER)
    failing.run(now)  # 11:00
    hours = failing.series("BBB", Timeframe.H1, now)
    assert hours.closed_at == now.replace(second=0)
    assert hours.closes[-1] == INDEX.until(int(now.timestamp())).closes[-1]


def test_silent_index_leaves_a_gap_and_the_rest_intact(failing: Scene) -> None:
    failing.index.down = True
    now = degrade(failing)
    assert failing.series("BBB", Timeframe.M15, now) == failing.expected("BBB", Timeframe.M15, START)
    assert_complete(failing, now, ("AAA", "CCC"))


def test_degraded_coin_is_healthy_after_three_sound_closes(failing: Scene, told: Told) -> None:
    degrade(failing)
    told.take()
    failing.spot.down = set()
    for close in range(2, 5):
        assert state_of(failing) is QualityState.DEGRADED
        failing.run(START + close * QUARTER)
    assert state_of(failing) is QualityState.HEALTHY
    (alert,) = told.take()
    assert alert.fields == (("BBB", "HEALTHY: sound again"),)


def test_suspended_coin_is_only_probed(failing: Scene) -> None:
    failing.change_rules("quality", suspended_after_minutes=15, probe_minutes=30)
    degrade(failing)
    failing.run(START + 2 * QUARTER)
    assert state_of(failing) is QualityState.SUSPENDED
    failing.run(START + 3 * QUARTER)
    assert ("XBBBZUSD", Timeframe.M15) not in failing.spot.calls
    proof = failing.run(START + 4 * QUARTER)
    assert ("XBBBZUSD", Timeframe.M15) in failing.spot.calls
    assert proof["substituted"] == ["BBB"]
    failing.spot.down = set()
    failing.run(START + 6 * QUARTER)
    assert state_of(failing) is QualityState.DEGRADED


def test_jump_degrades_the_coin_at_once(scene: Scene) -> None:
    scene.run(START)
    opened = MIDNIGHT + 41 * 900
    whole = scene.spot.history["XAAAZUSD"]
    jump = Candle(open_time=opened, open=900.0, high=999.0, low=900.0, close=999.0, volume=1.0)
    scene.spot.history["XAAAZUSD"] = merged(CandleSeries(Timeframe.M15, [jump]), whole)
    scene.run(START + QUARTER)
    quality = scene.quality("AAA")
    assert quality is not None
    assert quality.state is QualityState.DEGRADED
    assert "the close moved" in quality.reason


def test_quiet_coin_without_a_bar_is_not_awaited(scene: Scene) -> None:
    scene.run(START)
    scene.spot.skipped = {("XAAAZUSD", MIDNIGHT + 41 * 900)}
    now = START + QUARTER
    proof = scene.run(now)
    assert (proof["waiting"], proof["watermark"]) == ({}, to_text(now.replace(second=0)))
    assert scene.series("AAA", Timeframe.M15, now) == scene.expected("AAA", Timeframe.M15, START)
    scene.run(now + QUARTER)
    assert scene.series("AAA", Timeframe.M15, now + QUARTER).gaps == 1


def test_ordinary_close_writes_no_quality(scene: Scene) -> None:
    for quarter in range(3):
        scene.run(START + quarter * QUARTER)
    assert scene.world.quality.load() == {}


def test_recovery_in_another_shard_is_believed(failing: Scene) -> None:
    now = degrade(failing)
    failing.spot.down = set()
    failing.change_rules("ingest", shard_above=2, shard_coins=2)
    for close in range(2, 5):
        now = START + close * QUARTER
        failing.run(now)
        failing.run_shards(now)
    assert state_of(failing) is QualityState.HEALTHY


def test_silent_exchange_ends_the_run_early(scene: Scene) -> None:
    coins = tuple(f"C{number:02d}" for number in range(30))
    scene.run(START)
    list_coins(scene, (*COINS, *coins), START)
    scene.spot.down = {"all"}
    proof = scene.run(START + QUARTER)
    assert len(scene.spot.calls) < 30
    assert len(proof["waiting"]) == 33  # type: ignore[arg-type]
    assert "the exchange answers no coin" in proof["waiting"].values()  # type: ignore[attr-defined]
