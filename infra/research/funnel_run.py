"""Chooses the recordings, replays them coin by coin in processes of their own, and keeps what is done on disk.

A coin's file is written whole when the coin is done, so a run can be stopped anywhere and goes on with the coins that
are missing. A file made with other code, rules, candles, conditions or dates is made anew.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import trading
from infra.local.market.candle_files import CandleFile
from infra.local.market.recorded import QUOTES, Recording, find_recordings
from infra.research import archives, funnel_outcomes, funnel_replay
from infra.research.funnel_records import CoinFunnel, load, save
from infra.research.funnel_replay import Conditions, Period, Recorded, replay
from trading.errors import InvalidInput
from trading.model.costs import MarketConditions
from trading.model.times import Timeframe
from trading.model.units import BasisPoints
from trading.rules import load_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelOptions:
    """What is replayed. `first` and `end` (decision bars from, and before) cut every year when they are given.

    `bootstrap`: only coins with recorded 1d candles of their own, and these (and 1h and 4h ones) stand before what is
    folded, as a new coin's bars are fetched from the exchange.
    """

    candles: Path
    years: tuple[int, ...]
    coins: int
    folder: Path
    workers: int = 1
    bootstrap: bool = False
    first: datetime | None = None
    end: datetime | None = None
    spread_bps: Decimal = Decimal(4)
    hourly_funding: Decimal = Decimal("0.00001")
    maker_fee_bps: Decimal = Decimal(2)
    taker_fee_bps: Decimal = Decimal(5)

    def __post_init__(self) -> None:
        if not self.years or len(set(self.years)) != len(self.years):
            raise InvalidInput(f"years are {list(self.years)}; expected some, each once")
        if self.coins < 1 or self.workers < 1:
            raise InvalidInput(f"coins are {self.coins} and workers {self.workers}; expected at least 1 of both")
        if min(self.spread_bps, self.maker_fee_bps, self.taker_fee_bps) < 0:
            raise InvalidInput(
                f"spread and fees are {self.spread_bps}, {self.maker_fee_bps} and {self.taker_fee_bps} bps; "
                "expected 0 or more"
            )

    @property
    def conditions(self) -> Conditions:
        return Conditions(
            market=MarketConditions(spread=BasisPoints(self.spread_bps), hourly_funding=self.hourly_funding),
            maker_fee=BasisPoints(self.maker_fee_bps),
            taker_fee=BasisPoints(self.taker_fee_bps),
        )

    def period(self, year: int) -> Period:
        first, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        first, end = max(first, self.first or first), min(end, self.end or end)
        return Period(first=int(first.timestamp()), end=int(end.timestamp()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One coin in one year and the recording it is replayed from."""

    year: int
    recording: Recording
    higher: tuple[CandleFile, ...]
    options: FunnelOptions

    @property
    def coin(self) -> str:
        return self.recording.base

    def bars(self) -> Recorded:
        """Reads the recording. Raises InvalidInput at the first bad line."""
        higher = tuple(archives.read(each) for each in self.higher)
        return Recorded(coin=self.coin, quarters=archives.read(self.recording.file), higher=higher)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A finished job. `seconds` of CPU in its process, 0 for a file that was there."""

    coin: str
    year: int
    decisions: int
    candidates: int
    signals: int
    seconds: float


def choose_jobs(options: FunnelOptions) -> list[Job]:
    """Of every year, coins that are recorded in all the years first, then the others by name.

    One recording a coin and year: the one that covers most of it. Raises InvalidInput for a year without any.
    """
    higher = _higher(options)
    recordings = [each for each in find_recordings(options.candles) if not options.bootstrap or each.base in higher]
    found = {year: _of_year(recordings, options.period(year)) for year in options.years}
    everywhere = set.intersection(*(set(coins) for coins in found.values()))
    jobs = []
    for year, coins in found.items():
        if not coins:
            raise InvalidInput(f"{options.candles} has no 15m candles of {year} in the period; expected some")
        chosen = sorted(coins, key=lambda coin: (coin not in everywhere, coin))[: options.coins]
        jobs += [Job(year=year, recording=coins[coin], higher=higher.get(coin, ()), options=options) for coin in chosen]
    return jobs


def _higher(options: FunnelOptions) -> dict[str, tuple[CandleFile, ...]]:
    """Recorded candles of higher timeframes by coin, of coins that have daily ones. Empty without `bootstrap`."""
    if not options.bootstrap:
        return {}
    found = [each for each in archives.find(options.candles) if each.timeframe is not Timeframe.M15]
    daily = {each.coin for each in found if each.timeframe is Timeframe.D1 and each.quote in QUOTES}
    return {coin: tuple(each for each in found if each.coin == coin and each.quote in QUOTES) for coin in daily}


def _of_year(recordings: Sequence[Recording], period: Period) -> dict[str, Recording]:
    best: dict[str, tuple[float, Recording]] = {}
    for each in sorted(recordings, key=lambda recording: recording.preference):
        covered = min(each.end.timestamp(), period.end) - max(each.first.timestamp(), period.first)
        if covered > 0 and (each.base not in best or covered > best[each.base][0]):
            best[each.base] = (covered, each)
    return {coin: recording for coin, (_, recording) in best.items()}


def run(jobs: Sequence[Job], workers: int, tell: Callable[[Done], None]) -> list[CoinFunnel]:
    """All funnels in the order of the jobs; `tell` hears of every one as it is done. Stored ones are taken as they are.

    The figures depend on nothing but the jobs: not on the workers, nor on how often the run was stopped.
    """
    code = fingerprint_of_code()
    waiting = []
    for job in jobs:
        stored = load(job.options.folder, job.coin, job.year, made_with(job, code))
        if stored is None:
            waiting.append(job)
        else:
            tell(_done(stored, 0.0))
    if workers == 1 or len(waiting) < 2:
        for job in waiting:
            tell(measure(job, code))
    else:
        _in_processes(waiting, workers, code, tell)
    funnels = [load(job.options.folder, job.coin, job.year, made_with(job, code)) for job in jobs]
    missing = [f"{job.coin} {job.year}" for job, funnel in zip(jobs, funnels, strict=True) if funnel is None]
    if missing:
        raise InvalidInput(f"{', '.join(missing)}: candles or results changed during the run; start it again")
    return [funnel for funnel in funnels if funnel is not None]


def _in_processes(waiting: Sequence[Job], workers: int, code: str, tell: Callable[[Done], None]) -> None:
    # Spawned, not forked: a fork of a process with threads (a progress bar has one) may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=min(workers, len(waiting)), mp_context=context) as pool:
        running = [pool.submit(measure, job, code) for job in waiting]
        try:
            for finished in as_completed(running):
                tell(finished.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def measure(job: Job, code: str) -> Done:
    """Replay one job and store its file."""
    began = time.process_time()
    funnel = replay(job.bars(), job.year, job.options.period(job.year), job.options.conditions, load_rules())
    funnel = replace(funnel, made_with=made_with(job, code))
    save(funnel, job.options.folder)
    return _done(funnel, time.process_time() - began)


def _done(funnel: CoinFunnel, seconds: float) -> Done:
    return Done(
        coin=funnel.coin,
        year=funnel.year,
        decisions=funnel.decisions,
        candidates=len(funnel.rows),
        signals=funnel.outcomes.get("SIGNAL", 0),
        seconds=seconds,
    )


def made_with(job: Job, code: str) -> dict[str, str]:
    """Everything the figures of a job depend on."""
    options, period = job.options, job.options.period(job.year)
    files = [job.recording.file.path, *(each.path for each in job.higher)]
    return {
        "candles": " ".join(path.name for path in files),
        "candles_sha256": hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16],
        "first": str(period.first),
        "end": str(period.end),
        "spread_bps": str(options.spread_bps),
        "hourly_funding": str(options.hourly_funding),
        "maker_fee_bps": str(options.maker_fee_bps),
        "taker_fee_bps": str(options.taker_fee_bps),
        "rules": load_rules().fingerprint,
        "code": code,
    }


def fingerprint_of_code() -> str:
    """16 hex digits over the sources that make the figures: the trading core and the replay."""
    core = Path(trading.__file__).parent
    sources = [(str(path.relative_to(core)), path) for path in sorted(core.rglob("*.py"))]
    sources += [(module.__name__, Path(str(module.__file__))) for module in (funnel_outcomes, funnel_replay)]
    digest = hashlib.sha256()
    for name, path in sources:
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
