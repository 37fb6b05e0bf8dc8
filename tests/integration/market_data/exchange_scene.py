"""What a run over a whole exchange is about: its plan, the universe and stores it plays on, what was seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from infra.local.sandbox_client import SpotLogEntry
from shared.progress import ingested_until
from shared.storage.control import ControlStore
from shared.storage.market_data import MarketDataStore
from tests.integration.market_data.exchange_stack import INGEST, ExchangeStack
from trading.model.instruments import Instrument, InstrumentId
from trading.model.times import Timeframe
from trading.rules import load_rules

RULES = load_rules()
START = datetime(2024, 8, 1, 10, 0, tzinfo=UTC)
LATENCY_S, FAILING_SHARE, LATE_S = 0.1, 0.05, 20.0
NOBODY = InstrumentId("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One close to ingest. `minute_s`: seconds between two scheduled runs; other times shrink with it."""

    limit: str
    coins: int
    calls_per_second: float
    minute_s: float
    close: datetime = START
    hanging: InstrumentId = NOBODY
    late: tuple[InstrumentId, ...] = ()

    @property
    def whole(self) -> bool:
        """At the exchange's own speed, so with the rules as they are."""
        return self.minute_s == 60

    @property
    def shard_coins(self) -> int:
        return min(RULES.ingest.shard_coins, math.ceil(self.coins / 3))

    @property
    def first_run_s(self) -> float:
        return self.minute_s / 12

    @property
    def late_s(self) -> float:
        """A rehearsal's runs take a larger share of its short minute, and its late coins must still be asked early."""
        return LATE_S if self.whole else 0.7 * self.minute_s

    @property
    def healthy_by_s(self) -> float:
        """Within the first minute with shards; all calls one after the other may take six."""
        return self.start_s + (self.first_run_s + self.minute_s if self.limit == "per_pair" else 6 * self.minute_s)

    @property
    def run_max_s(self) -> float:
        """A shard is done before its minute is over, a run with one budget for all coins within its passes."""
        return self.start_s + self.minute_s * (1 if self.limit == "per_pair" else 6.5)

    @property
    def late_by_s(self) -> float:
        """Early in the next run, or in the next pass of the same one."""
        return self.start_s + self.first_run_s + 1.5 * self.minute_s

    @property
    def start_s(self) -> float:
        """What a short minute does not shorten: starting a process for a handler, storing. Generous, because the suite
        runs on busy machines: a rehearsal proves order and completeness, the whole run proves the times."""
        return 0.0 if self.whole else 10.0

    @property
    def patience_s(self) -> float:
        return 8 * self.minute_s

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """Those of 15m and 1h that have a bar which ends at the close."""
        return tuple(each for each in (Timeframe.M15, Timeframe.H1) if each.floor(self.close) == self.close)

    def rules(self) -> dict[str, Any]:
        ingest: dict[str, Any] = {
            "limit_per_ip": self.limit == "per_ip",
            "calls_per_second": self.calls_per_second,
            **sharding(self.coins),
        }
        if self.whole:
            return {"ingest": ingest}
        share = self.minute_s / 60
        ingest["run_s"] = RULES.ingest.run_s * share
        ingest["run_s_per_ip"] = RULES.ingest.run_s_per_ip * share
        # Failures count once a minute of venue time, which does not shrink.
        return {"ingest": ingest, "quality": {"degraded_after_failures": 1}}

    def conditions(self, scene: Scene) -> dict[str, Any]:
        pair = {coin: each.spot_pair for coin, each in scene.instruments.items()}
        return {
            "latency_s": LATENCY_S,
            "failing_share": FAILING_SHARE,
            "hanging": [pair[self.hanging]],
            "late_s": {pair[coin]: self.late_s for coin in self.late},
            "limit": self.limit,
            "calls_per_second": self.calls_per_second,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The stack, its stores, and the universe. `coin_of`: by spot pair."""

    stack: ExchangeStack
    store: MarketDataStore
    control: ControlStore
    instruments: Mapping[InstrumentId, Instrument]
    coin_of: Mapping[str, InstrumentId]

    @classmethod
    def of(cls, stack: ExchangeStack) -> Scene:
        environment = stack.template.function(INGEST).environment
        store = MarketDataStore(environment["SMC_MARKET_DATA_TABLE"], bars_kept=RULES.data.bars_kept)
        stored = store.universe()
        assert stored is not None
        coins = {coin.id: coin for coin in stored.universe.instruments}
        return cls(
            stack=stack,
            store=store,
            control=ControlStore(environment["SMC_LEDGER_TABLE"]),
            instruments=coins,
            coin_of={each.spot_pair: coin for coin, each in coins.items()},
        )

    @property
    def coins(self) -> frozenset[InstrumentId]:
        return frozenset(self.instruments)

    def rank(self, coin: InstrumentId) -> int:
        """0 for majors, then 1 to 3 by tier."""
        return 0 if coin in RULES.universe.pinned else 1 + "ABC".index(self.instruments[coin].tier.value)

    def stored(self, close: datetime) -> frozenset[InstrumentId]:
        return frozenset(coin for coin, _ in self.store.present(close, (Timeframe.M15,)))

    def watermark(self) -> datetime | None:
        return ingested_until(self.control.last_runs())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """One invocation, times in seconds after the close. `stored`: those of its coins that had the close at its end;
    `failing`: those whose last call so far was not answered."""

    name: str
    began: float
    ended: float
    timeout_s: float
    error: str
    shards: int
    coins: frozenset[InstrumentId]
    stored: frozenset[InstrumentId]
    failing: frozenset[InstrumentId]

    @property
    def seconds(self) -> float:
        return self.ended - self.began


@dataclass(slots=True, kw_only=True)
class Played:
    """What was seen. `stored`: seconds after the close by coin; `waiting`: of the record that concluded the close;
    `failing_at_conclusion`: coins whose last call before it was not answered."""

    stored: dict[InstrumentId, float] = field(default_factory=dict)
    runs: list[RunSeen] = field(default_factory=list)
    log: list[SpotLogEntry] = field(default_factory=list)
    concluded_s: float | None = None
    waiting: dict[InstrumentId, str] = field(default_factory=dict)
    failing_at_conclusion: frozenset[InstrumentId] = frozenset()
    substituted: tuple[InstrumentId, ...] = ()
    refused: int = 0

    def outcomes(self, scene: Scene) -> dict[InstrumentId, list[str]]:
        """How the calls of each coin went, in order."""
        found: dict[InstrumentId, list[str]] = {}
        for entry in self.log:
            found.setdefault(scene.coin_of[entry.pair], []).append(entry.outcome)
        return found

    def unlucky(self, scene: Scene, plan: Plan) -> frozenset[InstrumentId]:
        """Coins that were answered in none of a run's attempts, only by chance."""
        tries = RULES.ingest.attempts
        return frozenset(
            coin
            for coin, outcomes in self.outcomes(scene).items()
            if coin != plan.hanging
            and any("ok" not in outcomes[first : first + tries] for first in range(len(outcomes) - tries + 1))
        )


def sharding(coins: int) -> dict[str, int]:
    """Rules that give a smaller exchange three shards too."""
    if coins > RULES.ingest.shard_above:
        return {}
    size = math.ceil(coins / 3)
    return {"shard_above": size, "shard_coins": size}
