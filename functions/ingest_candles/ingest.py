"""Stores the bars of each 15m close once the exchange has them, until every coin is in or the deadline passes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from functions.ingest_candles.fetch import Catch, Fetcher
from shared.alerts import Alerts
from shared.progress import DISCOVER, INGEST, REFETCH, ingested_until, universe_version
from shared.storage.control import ControlStore
from shared.storage.market_data import MarketDataStore
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.instruments import Instrument, InstrumentId
from trading.model.times import Timeframe, to_text
from trading.ports import SpotMarket

LATE_AFTER = timedelta(minutes=10)
"""How long a close is waited for; then the coins that lack it are named and scoring goes on without them."""
PATIENCE_S = 45.0
"""The function's own time limit is 60 s: what has come by then is stored."""
SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """What ingest works with. `announce` tells scoring that the bars of a close are in."""

    spot: SpotMarket
    store: MarketDataStore
    control: ControlStore
    alerts: Alerts
    announce: Callable[[datetime], None]
    patience_s: float = PATIENCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """Proof of a run. `watermark`: newest close whose bars are all in (or were given up), for `universe_version`."""

    watermark: datetime | None = None
    universe_version: int = 0
    coins: int = 0
    bars: int = 0
    new_coins: int = 0
    folded: int = 0
    waiting: Mapping[str, str]

    def proof(self) -> dict[str, Any]:
        return {
            "watermark": to_text(self.watermark) if self.watermark else None,
            "universe_version": self.universe_version,
            "coins": self.coins,
            "bars": self.bars,
            "new_coins": self.new_coins,
            "folded": self.folded,
            "waiting": dict(self.waiting),
        }


def ingest_due(world: Ingest, now: datetime) -> IngestReport:
    """One scheduled run: nothing but one read and one write unless a close or a new universe is waiting."""
    runs = world.control.last_runs()
    close, done = Timeframe.M15.floor(now), ingested_until(runs)
    newest, version = universe_version(runs, DISCOVER), universe_version(runs, INGEST)
    before = IngestReport(watermark=done, universe_version=version, waiting={})
    stored = None
    if newest and (done is None or done < close or version != newest):
        stored = world.store.universe()
    if stored is None:
        world.control.record_run(INGEST, now, before.proof())
        return before
    task = _Task(close=close, coins=stored.universe.instruments, version=stored.version, due=_due(done, close))
    report = _finish(world, _ingest(world, task), before, now)
    world.control.record_run(INGEST, now, report.proof())
    # Told only after the record: scoring reads the watermark from it.
    if report.watermark != before.watermark:
        world.announce(close)
    return report


def ingest_coins(world: Ingest, coins: Collection[InstrumentId], now: datetime) -> IngestReport:
    """One shard: only these coins, without touching the watermark. Repeating it is harmless."""
    stored = world.store.universe()
    if stored is None:
        return IngestReport(waiting={})
    chosen = tuple(each for each in stored.universe.instruments if each.id in coins)
    close = Timeframe.M15.floor(now)
    return _ingest(world, _Task(close=close, coins=chosen, version=stored.version, due=tuple(Timeframe)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    close: datetime
    coins: tuple[Instrument, ...]
    version: int
    due: tuple[Timeframe, ...]


def _due(done: datetime | None, close: datetime) -> tuple[Timeframe, ...]:
    """Timeframes with a bar that closed since the last complete close; the others are all in."""
    return tuple(each for each in Timeframe if done is None or each.floor(done) < each.floor(close))


def _ingest(world: Ingest, task: _Task) -> IngestReport:
    folded = world.store.fold(task.close)
    _forget_unreadable(world, task.close)
    coverage = world.store.coverage(task.close, task.due)
    fetcher = Fetcher(spot=world.spot, coverage=coverage, close=task.close, due=task.due, patience_s=world.patience_s)
    catch = fetcher.fetch_all(task.coins)
    bars = _store(world.store, catch, task.close)
    if catch.defects:
        raise catch.defects[0]
    return IngestReport(
        universe_version=task.version,
        coins=len(task.coins),
        bars=bars,
        new_coins=sum(each.history for each in catch.fetched),
        folded=folded,
        waiting={str(coin): why for coin, why in catch.waiting.items()},
    )


def _store(store: MarketDataStore, catch: Catch, close: datetime) -> int:
    history, recent = catch.bars(history=True), catch.bars(history=False)
    stored = store.add_history(history, close) if history else 0
    return stored + (store.add(recent, close) if recent else 0)


def _forget_unreadable(world: Ingest, close: datetime) -> None:
    suspects = sorted(key for key in world.control.observations() if key.startswith(REFETCH))
    world.store.forget((InstrumentId(key.removeprefix(REFETCH)) for key in suspects), close)
    for key in suspects:
        world.control.forget_observation(key)


def _finish(world: Ingest, report: IngestReport, before: IngestReport, now: datetime) -> IngestReport:
    """Move the watermark when every coin is in, or when waiting any longer would hold up the others."""
    close = Timeframe.M15.floor(now)
    if report.waiting and now - close < LATE_AFTER:
        return replace(report, watermark=before.watermark, universe_version=before.universe_version)
    if report.waiting:
        world.alerts.tell(_late_alert(report, close, now))
    return replace(report, watermark=close)


def _late_alert(report: IngestReport, close: datetime, now: datetime) -> Alert:
    coins = sorted(report.waiting)
    return Alert(
        kind=AlertKind.STALE_DATA,
        severity=Severity.WARNING,
        subject=f"bars of {to_text(close)}",
        title=f"{len(coins)} of {report.coins} coins have no new bar",
        text=f"The bars that closed at {to_text(close)} are missing for {', '.join(coins[:SHOWN])}.",
        at=now,
        fields=tuple((coin, report.waiting[coin]) for coin in coins[:SHOWN]),
    )
