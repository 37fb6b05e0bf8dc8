"""Stores the bars of each 15m close once the exchange has them, until every coin is in or the deadline passes.

A small universe is fetched by the scheduled run itself. A large one is sent out in shards, which run at the same time;
the last of them to finish moves the watermark.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.ingest_candles.fetch import Catch, Ending, Fetcher
from functions.ingest_candles.judge import Moment, judged
from functions.ingest_candles.remember import Note, remember
from functions.ingest_candles.report import IngestReport, late_alert, quality_alert
from functions.ingest_candles.sharding import Shard, by_priority, shard_numbers, shards_of
from functions.ingest_candles.substitute import Substitution
from shared.alerts import Alerts
from shared.progress import DISCOVER, INGEST, REFETCH, ingested_until, still_waiting, universe_version
from shared.spot_runs import PASSES, pass_s
from shared.storage.candle_index import Coverage
from shared.storage.control import ControlStore
from shared.storage.market_data import SUBSTITUTES, MarketDataStore, StoredUniverse
from shared.storage.quality import QualityStore
from trading.model.folding import newest_closed
from trading.model.instruments import Instrument, InstrumentId
from trading.model.quality import CoinQuality
from trading.model.times import Timeframe
from trading.ports import Clock, IndexCandles, SpotMarket
from trading.quality.states import is_awaited, is_due
from trading.rules import Rules

Qualities = Mapping[InstrumentId, CoinQuality]

GRACE_SHARE = 0.05
"""Of a pass, after it: what was asked just before its end may still be answered, and is no failure of the coin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """What ingest works with.

    `spot_for(coins)`: the spot market for one run, with turns for so many coins; `index`: where substitutes come
    from; `send_out` hands a shard to the queue; `announce` tells scoring that the bars of a close are in.
    """

    spot_for: Callable[[int], AbstractContextManager[SpotMarket]]
    index: Callable[[], IndexCandles]
    store: MarketDataStore
    quality: QualityStore
    control: ControlStore
    alerts: Alerts
    rules: Rules
    clock: Clock
    send_out: Callable[[Shard], object]
    announce: Callable[[datetime], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One close to fetch, for these coins; `due`: the timeframes with a bar that it ends."""

    close: datetime
    now: datetime
    due: tuple[Timeframe, ...]
    universe: StoredUniverse
    coins: tuple[Instrument, ...]
    shard: int = 0


def ingest_due(world: Ingest, now: datetime) -> IngestReport:
    """One scheduled run: nothing but one read and one write unless a close or a new universe is waiting."""
    runs = world.control.last_runs()
    close, done = Timeframe.M15.floor(now), ingested_until(runs)
    newest, version = universe_version(runs, DISCOVER), universe_version(runs, INGEST)
    before = IngestReport(watermark=done, universe_version=version, waiting=still_waiting(runs))
    stored = None
    if newest and (done is None or done < close or version != newest):
        stored = world.store.universe()
    if stored is None:
        world.control.record_run(INGEST, now, before.proof())
        return before
    coins = by_priority(stored.universe.instruments, world.rules.universe)
    task = _Task(close=close, now=now, due=_due(done, close), universe=stored, coins=coins)
    _prepare(world, task)
    report = _send_out(world, task) if _is_large(world, stored) else _in_passes(world, task)
    return _conclude(world, task, report, before)


def ingest_shard(world: Ingest, number: int, coins: Collection[InstrumentId], now: datetime) -> IngestReport:
    """One shard: only these coins. Repeating it is harmless. The last shard of a close concludes it."""
    runs, stored = world.control.last_runs(), world.store.universe()
    if stored is None:
        return IngestReport()
    close, done = Timeframe.M15.floor(now), ingested_until(runs)
    whole = by_priority(stored.universe.instruments, world.rules.universe)
    chosen = tuple(each for each in whole if each.id in coins)
    task = _Task(close=close, now=now, due=_due(done, close), universe=stored, coins=chosen, shard=number)
    report = _ingest(world, task)
    before = IngestReport(watermark=done, universe_version=universe_version(runs, INGEST))
    concluded = before.watermark == close and before.universe_version == stored.version
    # A shard that comes again after the conclusion would only take the names of those that wait off the record.
    if report.awaited or concluded:
        return report
    everything = _state_of_close(world, replace(task, coins=whole, shard=0))
    if not everything.awaited:
        _conclude(world, task, everything, before)
    return report


def _due(done: datetime | None, close: datetime) -> tuple[Timeframe, ...]:
    """Timeframes with a bar that closed since the last complete close; the others are all in."""
    return tuple(each for each in Timeframe if done is None or each.floor(done) < each.floor(close))


def _is_large(world: Ingest, stored: StoredUniverse) -> bool:
    """With one budget of calls for all coins, several functions at once would only stand in each other's way."""
    return not world.rules.ingest.limit_per_ip and len(stored.universe) > world.rules.ingest.shard_above


def _prepare(world: Ingest, task: _Task) -> None:
    suspects = sorted(key for key in world.control.observations() if key.startswith(REFETCH))
    world.store.forget((InstrumentId(key.removeprefix(REFETCH)) for key in suspects), task.close)
    for key in suspects:
        world.control.forget_observation(key)


def _in_passes(world: Ingest, task: _Task) -> IngestReport:
    """With one budget of calls for all coins a run goes on until they are in: it stays ahead of the next minute's run,
    which finds the time taken."""
    report = _ingest(world, task)
    for _ in range(PASSES - 1 if world.rules.ingest.limit_per_ip else 0):
        now = world.clock.now()
        if not report.awaited or not report.asked or Timeframe.M15.floor(now) != task.close:
            break
        task = replace(task, now=now)
        latest = _ingest(world, task)
        report = replace(latest, bars=report.bars + latest.bars, new_coins=report.new_coins + latest.new_coins)
    return report


def _ingest(world: Ingest, task: _Task) -> IngestReport:
    folded = world.store.fold(task.close) if task.shard == 0 else 0
    known = world.quality.load()
    tried = tuple(coin for coin in task.coins if coin.id not in known or is_due(known[coin.id], task.now))
    stored = _Stored(world=world, task=task)
    with world.spot_for(len(tried)) as spot:
        # What is there is read when the run's turn has come: another run may have stored bars until then.
        coverage = world.store.coverage(task.close, task.due)
        catch = _fetcher(world, task, spot, coverage, known).fetch_all(tried, stored.keep)
    qualities = {**known, **judged(catch, known, coverage, Moment(close=task.close, now=task.now), world.rules.quality)}
    waiting = _waiting(task, catch, qualities)
    substituted = _substitute(world, task, coverage, [coin for coin in task.coins if coin.id in waiting], qualities)
    _remember(world, task, known, qualities)
    if catch.defects:
        raise catch.defects[0]
    return IngestReport(
        universe_version=task.universe.version,
        coins=len(task.coins),
        bars=stored.bars,
        new_coins=sum(each.history for each in catch.fetched),
        folded=folded,
        asked=sum(each.ending is not Ending.NOT_TRIED for each in catch.fetched),
        waiting=waiting,
        awaited=_awaited(waiting, qualities),
        substituted=substituted,
    )


def _fetcher(world: Ingest, task: _Task, spot: SpotMarket, coverage: Coverage, known: Qualities) -> Fetcher:
    rules = world.rules.ingest
    return Fetcher(
        spot=spot,
        coverage=coverage,
        qualities=known,
        close=task.close,
        due=task.due,
        patience_s=pass_s(rules) * (1 + GRACE_SHARE),
        quality=world.rules.quality,
    )


@dataclass(slots=True, kw_only=True)
class _Stored:
    """Stores what a run brings, portion by portion."""

    world: Ingest
    task: _Task
    bars: int = 0

    def keep(self, catch: Catch) -> None:
        store, close = self.world.store, self.task.close
        history, recent = catch.bars(history=True), catch.bars(history=False)
        self.bars += store.add_history(history, close) if history else 0
        self.bars += store.add(recent, close, self.task.shard) if recent else 0


def _waiting(task: _Task, catch: Catch, qualities: Qualities) -> dict[InstrumentId, str]:
    """Why coins lack the close: what their fetch said, an earlier failure at this close, or that they are suspended."""
    waiting = catch.waiting
    for each in catch.fetched:
        failed_at = qualities[each.instrument].failed_at
        if each.ending is Ending.NOT_TRIED and failed_at is not None and failed_at >= task.close:
            waiting[each.instrument] = qualities[each.instrument].reason
    tried = {each.instrument for each in catch.fetched}
    suspended = {
        coin.id: f"suspended since {qualities[coin.id].since:%Y-%m-%d %H:%M}: {qualities[coin.id].reason}"
        for coin in task.coins
        if coin.id not in tried
    }
    return waiting | suspended


def _awaited(waiting: Collection[InstrumentId], qualities: Qualities) -> tuple[InstrumentId, ...]:
    return tuple(sorted(coin for coin in waiting if coin not in qualities or is_awaited(qualities[coin])))


def _substitute(
    world: Ingest, task: _Task, coverage: Coverage, coins: list[Instrument], qualities: Qualities
) -> tuple[InstrumentId, ...]:
    """Bars of the index for coins that are no longer awaited; they get no entries, but may have open positions."""
    given_up = [coin for coin in coins if coin.id in qualities and not is_awaited(qualities[coin.id])]
    if not given_up or not world.rules.ingest.fallback:
        return ()
    substitution = Substitution(index=world.index(), coverage=coverage, close=task.close, due=task.due)
    found = substitution.take(given_up)
    if found:
        world.store.add(found, task.close, SUBSTITUTES)
    return tuple(sorted({coin for coin, _ in found}))


def _remember(world: Ingest, task: _Task, known: Qualities, qualities: Qualities) -> None:
    mine = {coin.id: qualities[coin.id] for coin in task.coins if coin.id in qualities}
    universe = {coin.id for coin in task.universe.universe.instruments}
    note = Note(shard=task.shard, known=known, mine=mine, universe=universe, at=task.now)
    if alert := quality_alert(remember(world.quality, note), task.close, task.now):
        world.alerts.tell(alert)


def _send_out(world: Ingest, task: _Task) -> IngestReport:
    """Shards of the coins that lack the close. Sent again every minute until it is concluded."""
    folded = world.store.fold(task.close)
    state = _state_of_close(world, task)
    sent = shards_of(task.universe.universe, state.waiting, world.rules.ingest.shard_coins, task.close)
    for shard in sent:
        world.send_out(shard)
    return replace(state, folded=folded, shards=len(sent))


def _state_of_close(world: Ingest, task: _Task) -> IngestReport:
    """Which coins lack the close, seen from the store."""
    index = world.store.index(task.close)
    present = world.store.present(task.close, task.due, index)
    lacking = [
        coin.id
        for coin in task.coins
        if not (index.has_blocks(coin.id) and all((coin.id, timeframe) in present for timeframe in task.due))
    ]
    # Read even where the run has done so before its fetch: other shards have judged their coins meanwhile.
    qualities = world.quality.load() if lacking else {}
    newest = newest_closed(task.close, Timeframe.M15)
    numbers = shard_numbers(task.universe.universe, world.rules.ingest.shard_coins)
    waiting = {}
    for coin in lacking:
        quality = qualities.get(coin)
        if quality is not None and quality.absent_until >= newest and index.has_blocks(coin):
            continue
        waiting[coin] = (quality.reason if quality else "") or f"asked for in shard {numbers[coin]}"
    return IngestReport(
        universe_version=task.universe.version,
        coins=len(task.coins),
        waiting=waiting,
        awaited=_awaited(waiting, qualities),
    )


def _conclude(world: Ingest, task: _Task, report: IngestReport, before: IngestReport) -> IngestReport:
    """Move the watermark when every awaited coin is in, or when waiting any longer would hold up the others."""
    given_up = task.now - task.close >= timedelta(seconds=world.rules.ingest.give_up_after_s)
    if report.awaited and not given_up:
        # A run may last for minutes: another may have concluded this or the next close meanwhile.
        reached = ingested_until(world.control.last_runs()) or before.watermark
        report = replace(report, watermark=reached, universe_version=before.universe_version)
    else:
        if report.awaited:
            world.alerts.tell(late_alert(report, task.close, task.now))
        report = replace(report, watermark=task.close)
    world.control.record_run(INGEST, max(task.now, world.clock.now()), report.proof())
    # Told only after the record: scoring reads the watermark from it.
    if report.watermark == task.close != before.watermark:
        world.announce(task.close)
    return report
