"""What one coin lacks, fetched: 15m bars from the exchange, higher bars derived from them where the set is complete."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.storage.candle_index import Coverage, SeriesKey
from trading.errors import TradingError, VenueNotAsked
from trading.model.candles import CandleSeries
from trading.model.folding import fold, merged, newest_closed, since
from trading.model.instruments import Instrument, InstrumentId
from trading.model.quality import CoinQuality
from trading.model.times import Timeframe, from_epoch
from trading.ports import SpotMarket
from trading.rules import QualityRules

WORKERS = 8
FIRST_PORTION_S = 5.0
SILENT_AFTER = 10
"""So many coins failing one after the other, with none between that answered, mean that the venue is silent: asking
for the others would only use up the run's time."""


class Ending(StrEnum):
    """How the fetch of one coin ended."""

    COMPLETE = "complete"
    LATE = "late"
    FAILED = "failed"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """New bars of one coin. `history`: they are its first. `why`: a sentence unless COMPLETE. `skipped`: open time
    of its newest 15m bar when the exchange has none for it, else 0. `seen`: the 15m bars of the answer, with a few
    stored ones before the new ones, so that the new ones can be judged by them."""

    instrument: InstrumentId
    ending: Ending
    bars: Mapping[Timeframe, CandleSeries] = field(default_factory=dict)
    history: bool = False
    why: str = ""
    skipped: int = 0
    seen: CandleSeries = field(default_factory=lambda: CandleSeries(Timeframe.M15))


@dataclass(slots=True, kw_only=True)
class Catch:
    """What came back for all coins, in order of their ids. `defects` are errors that no venue should cause."""

    fetched: list[Fetched] = field(default_factory=list)
    defects: list[BaseException] = field(default_factory=list)

    def bars(self, *, history: bool) -> dict[SeriesKey, CandleSeries]:
        """Series to store; for new coins also the empty ones, which say that the exchange has none."""
        return {
            (each.instrument, timeframe): series
            for each in self.fetched
            if each.history is history
            for timeframe, series in each.bars.items()
            if series or history
        }

    @property
    def waiting(self) -> dict[InstrumentId, str]:
        return {each.instrument: each.why for each in self.fetched if each.ending is not Ending.COMPLETE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Fetches what is missing of the bars that closed by `close`. A coin that fails or hangs stops no other.

    `due`: the timeframes to look at; a new coin gets all of them anyway. Coins are begun in the order given.
    """

    spot: SpotMarket
    coverage: Coverage
    qualities: Mapping[InstrumentId, CoinQuality]
    close: datetime
    due: tuple[Timeframe, ...]
    patience_s: float
    quality: QualityRules

    def fetch_all(self, coins: tuple[Instrument, ...], keep: Callable[[Catch], None]) -> Catch:
        """What came back for every coin. `keep` gets it in portions while others are still being fetched: what has
        come must not wait for a coin that hangs, or for the end of a run that lasts a minute."""
        executor = ThreadPoolExecutor(max_workers=WORKERS)
        futures = {executor.submit(self.fetch, coin): coin.id for coin in coins}
        gathering = _Gathering(futures=futures, keep=keep)
        gathering.until(time.monotonic() + self.patience_s)
        # A hanging call ends by its own time limit; nobody waits for it here.
        executor.shutdown(wait=False, cancel_futures=True)
        return gathering.whole(f"no answer within {self.patience_s:g} s")

    def fetch(self, coin: Instrument) -> Fetched:
        one = _OneCoin(fetcher=self, coin=coin)
        history = not self.coverage.index.has_blocks(coin.id)
        bars = one.first_bars() if history else one.new_bars()
        lacking = one.lacking(bars)
        return Fetched(
            instrument=coin.id,
            ending=Ending.LATE if lacking else Ending.COMPLETE,
            bars=bars,
            history=history,
            why=lacking,
            skipped=0 if lacking else one.skipped(bars),
            seen=one.seen.get(Timeframe.M15, CandleSeries(Timeframe.M15)),
        )


@dataclass(slots=True, kw_only=True)
class _Gathering:
    """Collects the coins of a run as they come, and hands them on at 5, 15, 35 ... seconds and at the end."""

    futures: Mapping[Future[Fetched], InstrumentId]
    keep: Callable[[Catch], None]
    settled: list[Fetched] = field(default_factory=list)
    fresh: Catch = field(default_factory=Catch)
    defects: list[BaseException] = field(default_factory=list)
    failed_in_a_row: int = 0

    def until(self, deadline: float) -> None:
        """Wait until all are done, the time is up, or the venue turns out to be silent."""
        pending = set(self.futures)
        pause = FIRST_PORTION_S
        next_portion = time.monotonic() + pause
        while pending and not self._silent and (left := deadline - time.monotonic()) > 0:
            done, pending = wait(pending, timeout=min(left, 1.0), return_when=FIRST_COMPLETED)
            for future in done:
                self._take(self._result(future))
            if time.monotonic() >= next_portion:
                self._hand_on()
                pause *= 2
                next_portion = time.monotonic() + pause
        self._hand_on()

    @property
    def _silent(self) -> bool:
        return self.failed_in_a_row >= SILENT_AFTER

    def whole(self, unanswered: str) -> Catch:
        """Everything, in order of ids, with those that were not done when the waiting ended."""
        seen = {each.instrument for each in self.settled}
        for future, instrument in self.futures.items():
            if instrument not in seen:
                self.settled.append(self._left(instrument, future.cancelled(), unanswered))
        return Catch(fetched=sorted(self.settled, key=lambda each: each.instrument), defects=self.defects)

    def _left(self, instrument: InstrumentId, cancelled: bool, unanswered: str) -> Fetched:
        if self._silent:
            return Fetched(instrument=instrument, ending=Ending.FAILED, why="the exchange answers no coin")
        if cancelled:
            return Fetched(instrument=instrument, ending=Ending.NOT_TRIED, why="its turn did not come in this run")
        return Fetched(instrument=instrument, ending=Ending.FAILED, why=unanswered)

    def _take(self, fetched: Fetched) -> None:
        if fetched.ending is not Ending.NOT_TRIED:
            self.failed_in_a_row = self.failed_in_a_row + 1 if fetched.ending is Ending.FAILED else 0
        self.settled.append(fetched)
        self.fresh.fetched.append(fetched)

    def _result(self, future: Future[Fetched]) -> Fetched:
        instrument, error = self.futures[future], future.exception()
        if error is None:
            return future.result()
        if isinstance(error, VenueNotAsked):
            return Fetched(instrument=instrument, ending=Ending.NOT_TRIED, why=str(error))
        if not isinstance(error, TradingError):
            self.defects.append(error)
        return Fetched(instrument=instrument, ending=Ending.FAILED, why=f"{type(error).__name__}: {error}")

    def _hand_on(self) -> None:
        if self.fresh.fetched:
            self.keep(self.fresh)
            self.fresh = Catch()


@dataclass(frozen=True, slots=True, kw_only=True)
class _OneCoin:
    """The fetch of one coin. By timeframe, `answered`: before which open time the exchange has told everything, and
    `seen`: the closed bars of its answer."""

    fetcher: Fetcher
    coin: Instrument
    answered: dict[Timeframe, int] = field(default_factory=dict)
    seen: dict[Timeframe, CandleSeries] = field(default_factory=dict)

    def first_bars(self) -> dict[Timeframe, CandleSeries]:
        return {timeframe: self._exchange(timeframe, None) for timeframe in Timeframe}

    def new_bars(self) -> dict[Timeframe, CandleSeries]:
        due = self.fetcher.due
        if Timeframe.M15 not in due:
            return {}
        bars = {Timeframe.M15: self._fetched_15m()}
        if not self.lacking(bars):
            known = merged(self.fetcher.coverage.tail((self.coin.id, Timeframe.M15)), bars[Timeframe.M15])
            bars.update({each: self._higher(each, known) for each in due if each is not Timeframe.M15})
        return bars

    def _fetched_15m(self) -> CandleSeries:
        key = (self.coin.id, Timeframe.M15)
        if self._has(Timeframe.M15):
            return CandleSeries(Timeframe.M15)
        first = self.fetcher.coverage.first_missing(key)
        return since(self._exchange(Timeframe.M15, from_epoch(first - self._bars_before() * key[1].seconds)), first)

    def _bars_before(self) -> int:
        """Stored bars that are asked for again, so that the new ones can be judged by them: those that lie in the
        block, which is not read here. 96 of them, the most, cost 1 ms of CPU a call (5 bars 1.2 ms, 97 bars 2.2 ms)."""
        rules, tail = self.fetcher.quality, self.fetcher.coverage.tail((self.coin.id, Timeframe.M15))
        return max(rules.inspected_bars - len(tail), rules.release_after_passes + 1)

    def _higher(self, timeframe: Timeframe, bars_15m: CandleSeries) -> CandleSeries:
        """Derived bars, and the exchange's own where a 15m bar inside is missing."""
        key, newest = (self.coin.id, timeframe), newest_closed(self.fetcher.close, timeframe)
        if self._has(timeframe):
            return CandleSeries(timeframe)
        first = self.fetcher.coverage.first_missing(key)
        derived = since(fold(bars_15m, timeframe), first)
        known = {*derived.times, *self.fetcher.coverage.tail(key).times}
        missing = [opened for opened in range(first, newest + 1, timeframe.seconds) if opened not in known]
        if not missing:
            return derived
        return merged(derived, self._exchange(timeframe, from_epoch(missing[0])))

    def _exchange(self, timeframe: Timeframe, start: datetime | None) -> CandleSeries:
        answer = self.fetcher.spot.candles(self.coin.spot_pair, timeframe, start)
        self.answered[timeframe] = answer.complete_before
        self.seen[timeframe] = answer.bars.until(int(self.fetcher.close.timestamp()))
        return self.seen[timeframe]

    def _has(self, timeframe: Timeframe) -> bool:
        newest = newest_closed(self.fetcher.close, timeframe)
        quality = self.fetcher.qualities.get(self.coin.id)
        known_skipped = timeframe is Timeframe.M15 and quality is not None and quality.absent_until >= newest
        return known_skipped or self.fetcher.coverage.has((self.coin.id, timeframe), newest)

    def lacking(self, bars: Mapping[Timeframe, CandleSeries]) -> str:
        """The first timeframe whose newest bar may still come; empty when there is none."""
        for timeframe, series in bars.items():
            newest = newest_closed(self.fetcher.close, timeframe)
            told = newest < self.answered.get(timeframe, 0)
            if newest not in series.times and not told and not self._has(timeframe):
                return f"the {timeframe} bar that opened at {from_epoch(newest):%Y-%m-%d %H:%M} is not there"
        return ""

    def skipped(self, bars: Mapping[Timeframe, CandleSeries]) -> int:
        """The newest 15m bar's open time when the exchange has none for it: nobody traded."""
        newest, fetched = newest_closed(self.fetcher.close, Timeframe.M15), bars.get(Timeframe.M15)
        if fetched is None or newest in fetched.times or self._has(Timeframe.M15):
            return 0
        return newest
