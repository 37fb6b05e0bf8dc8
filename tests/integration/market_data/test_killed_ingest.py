"""Ingest killed between any two of its I/O calls, and run again: the store ends as if nothing had happened."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pynamodb.connection.base import Connection

from tests.integration.market_data.conftest import LEDGER, MARKET, Amazon
from tests.integration.market_data.ingest_scene import COINS, MINUTE, START, Scene, assert_complete
from trading.model.candles import CandleAnswer
from trading.model.times import Timeframe

MIDNIGHT_RUN = START.replace(day=2, hour=0, minute=0)
"""Its close ends a bar of every timeframe; the close after it folds the day into blocks."""


class Killed(BaseException):
    """The process is gone: no `except Exception` of the product may survive it."""


@dataclass
class Wires:
    """Counts every call that leaves the process; from call number `fatal` on none leaves it any more."""

    fatal: int | None = None
    calls: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cross(self) -> None:
        with self._lock:
            self.calls += 1
            if self.fatal is not None and self.calls >= self.fatal:
                raise Killed

    def wrapped(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def crossing(*arguments: Any, **named: Any) -> Any:
            self.cross()
            return call(*arguments, **named)

        return crossing


@dataclass
class WiredSpot:
    """The exchange behind the same wires."""

    scene: Scene
    wires: Wires

    def candles(self, pair: str, timeframe: Timeframe, since: datetime | None) -> CandleAnswer:
        self.wires.cross()
        answer = self.scene.spot.candles(pair, timeframe, since)
        self.wires.cross()
        return answer


@pytest.fixture
def wires(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Wires:
    wires = Wires()
    # PynamoDB's last step before the network, not our code.
    monkeypatch.setattr(Connection, "_make_api_call", wires.wrapped(Connection._make_api_call), raising=True)
    spot: Any = WiredSpot(scene, wires)
    scene.world = replace(
        scene.world,
        spot_for=lambda coins: nullcontext(spot),
        announce=wires.wrapped(scene.world.announce),
        send_out=wires.wrapped(scene.world.send_out),
    )
    return wires


@dataclass(frozen=True)
class Episode:
    """Runs before (`prepared`), the run that is killed, and the later closes that must come right."""

    prepared: tuple[datetime, ...]
    killed: datetime
    later: tuple[datetime, ...] = ()
    sharded: bool = False


EPISODES = {
    "the first bars of a new coin": Episode(prepared=(), killed=START),
    "the close of an hour": Episode(
        prepared=tuple(START + quarter * timedelta(minutes=15) for quarter in range(3)),
        killed=START + timedelta(minutes=45),
    ),
    "the close of a day": Episode(
        prepared=(MIDNIGHT_RUN - timedelta(hours=4), MIDNIGHT_RUN - timedelta(minutes=15)),
        killed=MIDNIGHT_RUN,
        later=(MIDNIGHT_RUN + timedelta(minutes=15),),
    ),
    "the fold of a day": Episode(
        prepared=(MIDNIGHT_RUN - timedelta(hours=4), MIDNIGHT_RUN), killed=MIDNIGHT_RUN + timedelta(minutes=15)
    ),
    "a close in shards": Episode(prepared=(START,), killed=START + timedelta(minutes=15), sharded=True),
}


@pytest.mark.parametrize("name", EPISODES)
def test_killed_run_is_made_good_by_the_next(name: str, scene: Scene, wires: Wires, amazon: Amazon) -> None:
    episode = EPISODES[name]
    if episode.sharded:
        scene.change_rules("ingest", shard_above=2, shard_coins=2)
    for now in episode.prepared:
        run(scene, now)
    before = dump(amazon)
    wires.calls = 0
    run(scene, episode.killed)
    points = wires.calls
    assert points > 10
    after = finish(scene, episode, amazon)
    for point in range(1, points + 1):
        restore(amazon, before)
        with killed_at(wires, point), suppress(Killed):
            run(scene, episode.killed)
        assert finish(scene, episode, amazon) == after, f"killed before call {point} of {points}"


def run(scene: Scene, now: datetime) -> None:
    scene.run(now)
    scene.run_shards(now)


def finish(scene: Scene, episode: Episode, amazon: Amazon) -> dict[tuple[str, str], bytes | None]:
    """The next minute's run and the later closes; then everything is there, and this is what the table holds."""
    run(scene, episode.killed + MINUTE)
    assert_complete(scene, episode.killed + MINUTE)
    for now in episode.later:
        run(scene, now)
        assert_complete(scene, now)
    candles = {(item["pk"]["S"], item["sk"]["S"]): item.get("data", {}).get("B") for item in dump(amazon)[MARKET]}
    return {key: data for key, data in candles.items() if key[0].startswith(("CANDLES#", "SLAB#"))}


@contextmanager
def killed_at(wires: Wires, point: int) -> Iterator[None]:
    wires.calls, wires.fatal = 0, point
    try:
        yield
    finally:
        wires.fatal = None


def dump(amazon: Amazon) -> dict[str, list[dict[str, Any]]]:
    return {table: amazon.tables.scan(TableName=table)["Items"] for table in (MARKET, LEDGER)}


def restore(amazon: Amazon, tables: dict[str, list[dict[str, Any]]]) -> None:
    for table, items in tables.items():
        for item in amazon.tables.scan(TableName=table)["Items"]:
            amazon.tables.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
        for item in items:
            amazon.tables.put_item(TableName=table, Item=item)


def test_dump_and_restore_bring_back_the_tables(scene: Scene, amazon: Amazon) -> None:
    scene.run(START)
    before = dump(amazon)
    scene.run(START + timedelta(minutes=15))
    assert dump(amazon) != before
    restore(amazon, before)
    assert dump(amazon) == before
    assert len(before[MARKET]) > 4 * len(COINS)
