"""A system that ingests from an exchange in memory into real stores."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.ingest_candles.ingest import Ingest, ingest_due, ingest_shard
from functions.ingest_candles.sharding import Shard
from shared.alerts import Alerts
from shared.progress import DISCOVER
from shared.storage.control import ControlStore
from shared.storage.market_data import MarketDataStore
from shared.storage.quality import QualityStore
from tests.fakes.futures_market import a_contract, a_pair
from tests.fakes.index_market import IndexInMemory
from tests.fakes.spot_market import SpotInMemory, wave
from trading.model.candles import CandleSeries
from trading.model.folding import fold
from trading.model.instruments import InstrumentId
from trading.model.quality import CoinQuality
from trading.model.times import Timeframe
from trading.rules import load_rules
from trading.universe.joining import Markets, join

MIDNIGHT = 1_714_521_600
START = datetime(2024, 5, 1, 10, 15, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEPT = 120
COINS = ("AAA", "BBB", "CCC")


@dataclass(slots=True)
class Scene:
    """A system that starts at START, and the exchange it reads."""

    world: Ingest
    spot: SpotInMemory
    announced: list[datetime] = field(default_factory=list)
    sent: list[Shard] = field(default_factory=list)
    index: IndexInMemory = field(default_factory=IndexInMemory)

    __hash__ = object.__hash__

    def now(self) -> datetime:
        """The time, for the product as well."""
        return self.spot.now

    def run(self, now: datetime) -> dict[str, object]:
        self.spot.now = now
        self.spot.calls.clear()
        return ingest_due(self.world, now).proof()

    def run_shards(self, now: datetime) -> list[dict[str, object]]:
        """Work off what was sent out, as the queue would."""
        sent, self.sent[:] = list(self.sent), []
        return [ingest_shard(self.world, shard.number, shard.coins, now).proof() for shard in sent]

    def change_rules(self, section: str, **changes: Any) -> None:
        rules = self.world.rules
        self.world = replace(self.world, rules=replace(rules, **{section: replace(getattr(rules, section), **changes)}))

    def quality(self, coin: str) -> CoinQuality | None:
        return self.world.quality.load().get(InstrumentId(coin))

    def series(self, coin: str, timeframe: Timeframe, now: datetime) -> CandleSeries:
        name = InstrumentId(coin)
        return self.world.store.load_series([name], [timeframe], now)[name, timeframe]

    def expected(self, coin: str, timeframe: Timeframe, now: datetime) -> CandleSeries:
        whole = self.spot.history[f"X{coin}ZUSD"]
        bars = whole if timeframe is Timeframe.M15 else fold(whole, timeframe)
        return bars.until(int(now.timestamp())).last(KEPT)


def open_scene(table: str, control: ControlStore, alerts: Alerts) -> Scene:
    spot = SpotInMemory(history={}, now=START)
    scene = Scene(world=None, spot=spot)  # type: ignore[arg-type]
    rules = load_rules()
    scene.world = Ingest(
        spot_for=lambda coins: nullcontext(spot),
        index=lambda: scene.index,
        store=MarketDataStore(table, bars_kept=KEPT),
        quality=QualityStore(table),
        control=control,
        alerts=alerts,
        rules=replace(rules, ingest=replace(rules.ingest, run_s=5.0)),
        clock=scene,
        send_out=scene.sent.append,
        announce=scene.announced.append,
    )
    list_coins(scene, COINS, START)
    return scene


def list_coins(scene: Scene, coins: tuple[str, ...], now: datetime) -> None:
    rules = replace(load_rules().universe, pinned=coins)
    markets = Markets(pairs=tuple(map(a_pair, coins)), contracts=tuple(map(a_contract, coins)), quotes={})
    stored = scene.world.store.save_universe(join(markets, rules), now, scene.world.store.universe())
    scene.world.control.record_run(DISCOVER, now, {"universe_version": stored.version})
    for index, coin in enumerate(coins):
        scene.spot.history.setdefault(f"X{coin}ZUSD", wave(MIDNIGHT - 600 * 900, 900, 100.0 + 50 * index))


def assert_complete(scene: Scene, now: datetime, coins: tuple[str, ...] = COINS) -> None:
    for coin in coins:
        for timeframe in Timeframe:
            got = scene.series(coin, timeframe, now)
            assert got == scene.expected(coin, timeframe, now), (coin, timeframe, now)
