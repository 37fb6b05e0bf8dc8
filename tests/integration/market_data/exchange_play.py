"""Plays one close of a whole exchange: fires ingest by its schedule, hands out shards, notes what is stored when."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from infra.local.sandbox_client import SandboxClient
from tests.integration.market_data.exchange_scene import Plan, Played, RunSeen, Scene, sharding
from tests.integration.market_data.exchange_stack import (
    INGEST,
    Batch,
    Ended,
    ShardsQueue,
    VenueTime,
    flowing,
    scheduled,
)
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, to_text

UNDISTURBED = {"run_s": 150, "run_s_per_ip": 150, "calls_per_second": 1000}
"""For the closes before the tested one: nothing to spare the sandbox for."""
LOOK_EVERY_S, STEP_S, ROUNDS = 0.5, 0.05, 8


@dataclass(slots=True)
class Runs:
    """Invocations that run now, by what they are called."""

    scene: Scene
    queue: ShardsQueue = field(init=False)
    under_way: dict[Future[Ended], tuple[str, Batch | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.queue = ShardsQueue(self.scene.stack)

    def start(self, clock: VenueTime, name: str) -> None:
        """As the schedule does."""
        future = self.scene.stack.start(INGEST, scheduled(clock.now()), clock)
        self.under_way[future] = (name, None)

    def start_shards(self, clock: VenueTime) -> None:
        for batch in self.queue.take():
            future = self.scene.stack.start(INGEST, batch.event, clock)
            numbers = ", ".join(f"{body['shard']} ({len(body['instruments'])} coins)" for body in batch.bodies)
            self.under_way[future] = (f"shard {numbers}", batch)

    def take_ended(self) -> list[tuple[str, frozenset[InstrumentId], Ended]]:
        """Name, coins and end of every invocation that ended since the last look."""
        found = []
        for future in [each for each in self.under_way if each.done()]:
            name, batch = self.under_way.pop(future)
            ended = future.result()
            if batch is None:
                found.append((name, self.scene.coins, ended))
                continue
            if failed := self.queue.settle(batch, ended):
                ended = replace(ended, error=ended.error or f"it reported {failed} messages as failed")
            coins = frozenset(InstrumentId(coin) for body in batch.bodies for coin in body["instruments"])
            found.append((name, coins, ended))
        return found


def prepare(scene: Scene, closes: list[datetime]) -> None:
    """Ingest these closes while nothing disturbs the sandbox; the first of them finds only new coins."""
    scene.stack.rules = {"ingest": {**UNDISTURBED, **sharding(len(scene.coins))}}
    sandbox, runs = scene.stack.sandbox(), Runs(scene)
    for close in closes:
        clock = VenueTime(at=close + timedelta(seconds=5))
        sandbox.advance(clock.at)
        for _ in range(ROUNDS):
            runs.start(clock, "quiet run")
            while runs.under_way:
                time.sleep(STEP_S)
                runs.start_shards(clock)
                for name, _coins, ended in runs.take_ended():
                    if ended.error:
                        raise RuntimeError(f"{name} of {close} failed without any disturbance: {ended.error}")
                runs.start_shards(clock)
            if scene.watermark() == close:
                break
        else:
            record = scene.control.last_run(INGEST)
            waiting = record.proof["waiting"] if record else "nothing"
            raise RuntimeError(f"{close} was not concluded in {ROUNDS} undisturbed runs; waiting for {waiting}")


def play(scene: Scene, plan: Plan, sandbox: SandboxClient) -> Played:
    """Ingest the plan's close; the sandbox stands at it under the plan's conditions."""
    scene.stack.rules = plan.rules()
    sandbox.spot_log()
    refused = sandbox.spot_conditions()["counts"]["limited"]
    stage = _Stage(scene=scene, plan=plan, sandbox=sandbox, zero=time.monotonic())
    with flowing(scene.stack.sandbox(), stage.clock):
        stage.play()
    stage.played.refused = sandbox.spot_conditions()["counts"]["limited"] - refused
    substitutes = scene.store.coverage(plan.close, (Timeframe.M15,)).substitutes
    stage.played.substituted = tuple(sorted({coin for coin, _ in substitutes}))
    return stage.played


@dataclass(slots=True, kw_only=True)
class _Stage:
    scene: Scene
    plan: Plan
    sandbox: SandboxClient
    zero: float
    played: Played = field(default_factory=Played)
    looked: float = 0.0

    @property
    def clock(self) -> VenueTime:
        return VenueTime(at=self.plan.close, zero=self.zero)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.zero

    def play(self) -> None:
        """Until the close is concluded and nothing runs any more, or the patience is over."""
        runs, due = Runs(self.scene), self.plan.first_run_s
        while self.seconds < self.plan.patience_s and (self.played.concluded_s is None or runs.under_way):
            if self.seconds >= due and self.played.concluded_s is None:
                runs.start(self.clock, f"run at {due:.3g} s")
                due += self.plan.minute_s
            runs.start_shards(self.clock)
            for name, coins, ended in runs.take_ended():
                self._note(name, coins, ended)
            self._look()
            time.sleep(STEP_S)

    def _note(self, name: str, coins: frozenset[InstrumentId], ended: Ended) -> None:
        stored = self._stored()
        self.played.log += self.sandbox.spot_log()
        outcomes = self.played.outcomes(self.scene)
        response = ended.response or {}
        self.played.runs.append(
            RunSeen(
                name=name,
                began=ended.began - self.zero,
                ended=ended.ended - self.zero,
                timeout_s=ended.timeout_s,
                error=ended.error,
                shards=response.get("shards", 0),
                coins=coins,
                stored=stored & coins,
                failing=frozenset(coin for coin, calls in outcomes.items() if calls[-1] != "ok"),
            )
        )
        self._conclude(response)

    def _look(self) -> None:
        if self.seconds - self.looked >= LOOK_EVERY_S:
            self._stored()
            self.looked = self.seconds

    def _stored(self) -> frozenset[InstrumentId]:
        stored = self.scene.stored(self.plan.close)
        for coin in stored - self.played.stored.keys():
            self.played.stored[coin] = self.seconds
        return stored

    def _conclude(self, response: Mapping[str, Any]) -> None:
        """Note when the close is all in, and who is named then. A scheduled run says it in its response; a shard only
        in the record, which the next run replaces."""
        if self.played.concluded_s is not None or self.scene.watermark() != self.plan.close:
            return
        record = self.scene.control.last_run(INGEST)
        concluded_here = response.get("watermark") == to_text(self.plan.close)
        proof = response if concluded_here else record.proof if record else {}
        self.played.concluded_s = self.seconds
        self.played.waiting = dict(proof["waiting"])
        self.played.failing_at_conclusion = self.played.runs[-1].failing
