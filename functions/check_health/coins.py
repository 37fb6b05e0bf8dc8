"""How far every coin of the universe has come: its newest closed 15m bar and its newest decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.progress import decided_until
from shared.storage.candle_index import Coverage
from shared.storage.control import RunRecord
from shared.storage.decisions import DecisionStore
from shared.storage.market_data import MarketDataStore
from shared.storage.quality import QualityStore
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, from_epoch

CANDLE_AGE = timedelta(minutes=30)
"""Two bars: a coin whose newest one is older has missed a whole close."""

DECISION = Timeframe.H1
BARS_LOOKED_BACK = 2
KEPT = 20

Times = tuple[tuple[str, datetime], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`due`: the close that every coin should have by now. `behind`: how many have not; `oldest`: the 20 furthest
    behind of them with the close of their newest, or, where none is known, the time at which that was first seen.
    `last`: the coin that is furthest behind of all, also when none is late."""

    due: datetime
    behind: int
    oldest: Times
    last: tuple[str, datetime] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinsLook:
    """Of the universe as stored at `at`."""

    at: datetime
    coins: int
    candles: Progress
    decisions: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinSources:
    """`late_after`: how long after its close a bar may still be decided."""

    market: MarketDataStore
    quality: QualityStore
    decisions: DecisionStore
    late_after: timedelta


def look_at_coins(
    sources: CoinSources, before: CoinsLook | None, runs: Mapping[str, RunRecord], now: datetime
) -> CoinsLook:
    """At most one Get of universe and index each, and one Query of the bars since the last fold; the traces of a bar
    are asked for once, and again only while one is missing."""
    stored = sources.market.universe()
    coins = [each.id for each in stored.universe.instruments] if stored else []
    return CoinsLook(
        at=now,
        coins=len(coins),
        candles=_candles(sources, coins, before, now),
        decisions=_decisions(sources, coins, before, _Decided(now=now, until=decided_until(runs))),
    )


def _candles(sources: CoinSources, coins: Sequence[InstrumentId], before: CoinsLook | None, now: datetime) -> Progress:
    length = Timeframe.M15.length
    due = Timeframe.M15.floor(now - CANDLE_AGE + length)
    coverage = sources.market.coverage(now, (Timeframe.M15,)) if coins else None
    newest = {coin: _newest(coverage, coin) + length for coin in coins} if coverage else {}
    if any(close < due for close in newest.values()):
        # Bars that the exchange itself has not got are not missing here.
        absent = sources.quality.load()
        newest = {
            coin: max(close, from_epoch(absent[coin].absent_until) + length) if coin in absent else close
            for coin, close in newest.items()
        }
    first_seen = dict(before.candles.oldest) if before else {}
    never = from_epoch(0) + timedelta(days=1)
    closes = {coin: close if close > never else first_seen.get(coin, now) for coin, close in newest.items()}
    late = [coin for coin, close in newest.items() if close < due]
    return _progress(due, closes, late)


def _newest(coverage: Coverage, coin: InstrumentId) -> datetime:
    key = (coin, Timeframe.M15)
    tail = coverage.tail(key)
    return from_epoch(max(coverage.index.newest.get(key, 0), tail.times[-1] if tail else 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """`until`: the newest bar of which scoring says that every coin is decided."""

    now: datetime
    until: datetime | None


def _decisions(
    sources: CoinSources, coins: Sequence[InstrumentId], before: CoinsLook | None, decided: _Decided
) -> Progress:
    due = DECISION.floor(decided.now - sources.late_after)
    known = before.decisions if before else None
    if known is not None and before is not None and (known.due, known.behind, before.coins) == (due, 0, len(coins)):
        lacking: list[InstrumentId] = []
    else:
        made = sources.decisions.decided(due) if coins else {}
        lacking = [coin for coin in coins if coin not in made]
    seen = {InstrumentId(coin): since for coin, since in known.oldest} if known else {}
    earlier = _earlier(sources, [coin for coin in lacking if coin not in seen], due)
    closes = {coin: seen.get(coin) or earlier.get(coin, decided.now) for coin in lacking}
    newest = max(due, decided.until) if decided.until else due
    fresh = {coin: newest for coin in coins if coin not in closes}
    return _progress(due, {**fresh, **closes}, lacking)


def _earlier(sources: CoinSources, coins: Sequence[InstrumentId], due: datetime) -> dict[InstrumentId, datetime]:
    """The newest earlier bar that was decided, of the coins for which one is found among the last few."""
    found: dict[InstrumentId, datetime] = {}
    for back in range(1, BARS_LOOKED_BACK + 1):
        missing = [coin for coin in coins if coin not in found]
        if not missing:
            break
        bar = due - back * DECISION.length
        made = sources.decisions.decided(bar)
        found.update({coin: bar for coin in missing if coin in made})
    return found


def _progress(due: datetime, closes: Mapping[InstrumentId, datetime], late: Sequence[InstrumentId]) -> Progress:
    def age(coin: InstrumentId) -> tuple[datetime, str]:
        return closes[coin], coin

    oldest = sorted(late, key=age)
    last = oldest[0] if oldest else min(closes, key=age, default=None)
    return Progress(
        due=due,
        behind=len(late),
        oldest=tuple((coin, closes[coin]) for coin in oldest[:KEPT]),
        last=None if last is None else (last, closes[last]),
    )
