"""Goes deeper than the exchange's newest 720 bars: reads its public trades and stores the bars they make.

15m bars are built from trades, the longer ones folded from them. What is complete goes into the history at the end of
every day of trades, then the progress is written: interrupted anywhere, the next run reads at most one page again and
finds its bars stored already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from infra.research.history import EXCHANGE_QUOTE, HistoryStore, Line, blocks
from infra.research.trade_bars import NANOSECONDS, Built, build
from infra.research.trade_progress import Reached, TradeProgress, TradeProgressStore
from trading.errors import InvalidInput, VenueAnswerInvalid
from trading.model.candles import CandleSeries
from trading.model.folding import fold, since
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe
from trading.model.venue import Trade, TradePage
from trading.ports import TradeHistory

SETTLED = timedelta(seconds=60)
"""The newest trades may be published late: a bar that ended less than this ago is complete only if a later one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Trades of `pair` from `start` (midnight) to `until`, a day or the present; `now` on the exchange's clock."""

    coin: InstrumentId
    pair: str
    start: datetime
    until: datetime
    now: datetime

    def __post_init__(self) -> None:
        if self.start != Timeframe.D1.floor(self.start):
            raise InvalidInput(f"start is {self.start}; expected midnight UTC")
        if not self.start < self.until <= self.now:
            raise InvalidInput(
                f"trades are wanted from {self.start:%Y-%m-%d} until {self.until:%Y-%m-%d %H:%M}; "
                f"expected a first day before the end, and an end by {self.now:%Y-%m-%d %H:%M} UTC"
            )

    @property
    def end(self) -> int:
        """Seconds since 1970 at which reading ends: a bar is never cut."""
        return int(Timeframe.M15.floor(self.until).timestamp())


@dataclass(slots=True, kw_only=True)
class Stored:
    """Of one timeframe: bars that this run added, that differ from stored ones (which stay), and what it went over.

    `replaced`: stored blocks that did not decode and now hold these bars alone.
    """

    bars: int = 0
    added: int = 0
    differing: int = 0
    replaced: int = 0
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did. `pages` and `trades` are of this run; `resumed_at`: where an earlier run had come to."""

    wanted: Wanted
    pages: int
    trades: int
    resumed_at: datetime | None
    stored: dict[Timeframe, Stored]


Advance = Callable[[TradeProgress], None]
"""Told where reading begins, and after every page whose progress is kept."""


def backfill_trades(
    wanted: Wanted, source: TradeHistory, store: HistoryStore, progress: TradeProgressStore, advance: Advance
) -> Outcome:
    """Read on to the end. Raises InvalidInput before anything is read, VenueUnavailable with the progress kept."""
    _require_one_market(wanted, store)
    begun = state = progress.load(wanted.coin, wanted.start)
    advance(begun)
    writer = _Writer(wanted, store)
    pages = trades = 0
    while True:
        page = source.trades(wanted.pair, state.reached.next_since)
        fresh = _fresh(page, state.reached)
        inside = tuple(trade for trade in fresh if trade.at < wanted.end * NANOSECONDS)
        pages, trades = pages + 1, trades + len(inside)
        built = _built(wanted, state.built, inside)
        if len(inside) < len(fresh):
            # The page stays unread in the progress: a later run with a later end needs the trades left out here.
            writer.write(built.closed_by(wanted.end))
            break
        if not fresh and page.next_since == state.reached.next_since:
            settled = int((wanted.now - SETTLED).timestamp())
            writer.write(built.closed_by(min(wanted.end, settled)))
            break
        complete, rest = _split(built)
        writer.write(complete)
        state = _advanced(state, page, inside, Built(rest, built.open_bar))
        progress.save(wanted.coin, wanted.start, state)
        advance(state)
    return Outcome(
        wanted=wanted,
        pages=pages,
        trades=trades,
        resumed_at=begun.at if begun.reached.pages else None,
        stored=writer.stored,
    )


def _fresh(page: TradePage, reached: Reached) -> tuple[Trade, ...]:
    """Trades not read before: a page may begin with the very trade that the one before ended with."""
    trades, newest = page.trades, reached.newest
    if trades and trades[0] == newest:
        trades = trades[1:]
    if page.next_since < reached.next_since or (trades and page.next_since == reached.next_since):
        raise VenueAnswerInvalid(
            f"page of {len(page.trades)} trades after {reached.next_since} goes on at {page.next_since}; expected later"
        )
    return trades


def _built(wanted: Wanted, before: Built, trades: tuple[Trade, ...]) -> Built:
    try:
        return build(before, trades)
    except InvalidInput as error:
        raise VenueAnswerInvalid(f"trades of {wanted.pair} make no bars: {error}") from None


def _split(built: Built) -> tuple[CandleSeries, CandleSeries]:
    """Bars of the days that are over, and those of the day that the newest trade fell into."""
    if built.open_bar is None:
        return CandleSeries(built.bars.timeframe), built.bars
    day = built.open_bar.open_time - built.open_bar.open_time % Timeframe.D1.seconds
    return built.bars.until(day), since(built.bars, day)


def _advanced(state: TradeProgress, page: TradePage, inside: tuple[Trade, ...], built: Built) -> TradeProgress:
    reached = Reached(
        next_since=page.next_since,
        newest=inside[-1] if inside else state.reached.newest,
        open_bar=built.open_bar,
        pages=state.reached.pages + 1,
        trades=state.reached.trades + len(inside),
    )
    return TradeProgress(reached=reached, bars=built.bars, version=state.version + 1)


def _require_one_market(wanted: Wanted, store: HistoryStore) -> None:
    for line in store.lines():
        if line.coin == wanted.coin and line.quote != EXCHANGE_QUOTE:
            raise InvalidInput(
                f"history of {line.coin} {line.timeframe} has prices in {line.quote}; expected {EXCHANGE_QUOTE} as in "
                f"the exchange's trades of {wanted.pair}: two markets are never mixed"
            )


@dataclass(slots=True)
class _Writer:
    """Puts complete 15m bars, and the longer ones that they make, into the history."""

    wanted: Wanted
    store: HistoryStore
    stored: dict[Timeframe, Stored] = field(default_factory=lambda: {each: Stored() for each in Timeframe})

    def write(self, bars: CandleSeries) -> None:
        for timeframe in Timeframe:
            # No fold of fewer bars than one set of parts needs.
            if len(bars) * bars.timeframe.seconds >= timeframe.seconds:
                self._add(bars if timeframe is bars.timeframe else fold(bars, timeframe))

    def _add(self, series: CandleSeries) -> None:
        if not series.times:
            return
        line = Line(coin=self.wanted.coin, timeframe=series.timeframe, quote=EXCHANGE_QUOTE)
        self.store.enter(line)
        count = self.stored[series.timeframe]
        for block in blocks(series):
            added = self.store.add(line, block)
            count.added += added.bars
            count.differing += added.differing
            count.replaced += added.replaced
        count.bars += len(series)
        count.first = series.times[0] if count.first is None else count.first
        count.last = series.times[-1]
