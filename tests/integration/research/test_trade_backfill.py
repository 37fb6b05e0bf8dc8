"""Backfill from trades: the bars that the trades make, once, however often it is interrupted and started again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from infra.research.backfill import backfill
from infra.research.history import HistoryStore, Line
from infra.research.trade_backfill import Outcome, Wanted, backfill_trades
from infra.research.trade_bars import TRADED, Built, build
from infra.research.trade_progress import PARTITION, TradeProgress, TradeProgressStore
from tests.fakes.candle_archives import START, segment_lines, write_segment
from tests.fakes.cloud import MARKET
from tests.fakes.trade_history import TradesInMemory
from tests.integration.research.test_backfill import Interrupted, items
from trading.errors import InvalidInput, VenueAnswerInvalid
from trading.model.candles import CandleSeries
from trading.model.folding import fold
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe
from trading.model.venue import Trade, TradePage

DAY = datetime(2024, 1, 1, tzinfo=UTC)
BTC = InstrumentId("BTC")
WANTED = Wanted(
    coin=BTC, pair="XXBTZUSD", start=DAY, until=DAY + timedelta(hours=57, minutes=20), now=DAY + timedelta(days=9)
)
END = START + 57 * 3600 + 900


def random_trades(hours: int = 60, seed: int = 7) -> list[Trade]:
    """A trade every four minutes or so, with a quiet stretch on the first morning."""
    random, at, found = Random(seed), START * 10**9, []
    while at < (START + hours * 3600) * 10**9:
        found.append(Trade(at=at, price=random.randint(9000, 9100) / 10, volume=random.randint(1, 10**9) / 10**8))
        at += random.randint(1, 480 * 10**9) if len(found) != 100 else 2 * 3600 * 10**9
    return found


def run(source: Any, wanted: Wanted = WANTED, advance: Callable[[TradeProgress], None] = lambda _: None) -> Outcome:
    return backfill_trades(wanted, source, HistoryStore(MARKET), TradeProgressStore(MARKET), advance)


def stored(history: HistoryStore, timeframe: Timeframe = TRADED) -> CandleSeries:
    return history.load(Line(coin=BTC, timeframe=timeframe, quote="USD"))


def expected(trades: list[Trade], end: int = END) -> CandleSeries:
    return build(Built(CandleSeries(TRADED), None), trades).closed_by(end)


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("page", [2, 61, 100_000])
def test_history_holds_the_bars_of_all_trades(history: HistoryStore, page: int, inclusive: bool) -> None:
    trades = random_trades()
    outcome = run(TradesInMemory(trades, page=page, inclusive=inclusive))
    bars = expected(trades)
    assert (bars.times[0], bars.times[-1], bars.gaps > 4) == (START, END - 900, True)
    for timeframe in Timeframe:
        assert stored(history, timeframe) == (bars if timeframe is TRADED else fold(bars, timeframe))
        assert outcome.stored[timeframe].added == len(stored(history, timeframe))
    assert outcome.trades == sum(each.at < END * 10**9 for each in trades)
    assert len(stored(history, Timeframe.D1)) == 1


def interrupted_at(number: int) -> Callable[[int], None]:
    def before(call: int) -> None:
        if call == number:
            raise Interrupted

    return before


@pytest.mark.parametrize("number", range(15))
def test_run_killed_between_pages_goes_on_there(history: HistoryStore, number: int) -> None:
    trades = random_trades()
    first = TradesInMemory(trades, page=61, before=interrupted_at(number))
    with pytest.raises(Interrupted):
        run(first)
    second = TradesInMemory(trades, page=61)
    outcome = run(second)
    assert second.called[0] == first.called[-1]
    assert len(first.called) + len(second.called) == 16
    assert (outcome.resumed_at is None) == (number == 0)
    assert stored(history) == expected(trades)
    assert stored(history, Timeframe.H4) == fold(expected(trades), Timeframe.H4)


def test_kill_at_any_write_changes_nothing_stored(history: HistoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    trades, save, count = random_trades(), history._item.save, [0, -1]

    def save_until(item: Any, **options: Any) -> Any:
        count[0] += 1
        if count[0] == count[1]:
            raise Interrupted
        return save(item, **options)

    monkeypatch.setattr(history._item, "save", save_until)
    run(TradesInMemory(trades, page=61))
    whole, writes = items(), count[0]
    assert writes > 20
    for kill in range(1, writes + 1):
        for item in history._item.scan():
            item.delete()
        count[:] = [0, kill]
        with pytest.raises(Interrupted):
            run(TradesInMemory(trades, page=61))
        run(TradesInMemory(trades, page=61))
        assert items() == whole


def test_second_run_reads_one_page_adds_nothing(history: HistoryStore) -> None:
    trades = random_trades()
    run(TradesInMemory(trades, page=61))
    before = items()
    again = TradesInMemory(trades, page=61)
    outcome = run(again)
    assert len(again.called) == 1
    assert {each.added + each.differing for each in outcome.stored.values()} == {0}
    assert items() == before


def test_later_end_goes_on_from_the_earlier(history: HistoryStore) -> None:
    trades = random_trades()
    run(TradesInMemory(trades, page=61), replace(WANTED, until=DAY + timedelta(hours=10, minutes=20)))
    assert stored(history) == expected(trades, START + 10 * 3600 + 900)
    assert len(stored(history, Timeframe.H4)) == len(fold(stored(history), Timeframe.H4))
    outcome = run(TradesInMemory(trades, page=61))
    assert outcome.resumed_at is not None
    assert stored(history) == expected(trades)
    assert stored(history, Timeframe.D1) == fold(expected(trades), Timeframe.D1)


@pytest.mark.parametrize(("after_last", "bars"), [(0, 3), (59, 3), (60, 4)])
def test_newest_bar_waits_until_trades_have_settled(history: HistoryStore, after_last: int, bars: int) -> None:
    trades = [Trade(at=(START + number * 900 + 5) * 10**9, price=10.0 + number, volume=1.0) for number in range(4)]
    now = DAY + timedelta(seconds=3600 + after_last)
    run(TradesInMemory(trades), replace(WANTED, until=now, now=now))
    assert len(stored(history)) == bars


def test_late_trade_still_joins_its_bar(history: HistoryStore) -> None:
    trades = [Trade(at=(START + 5) * 10**9, price=10.0, volume=1.0)]
    now = DAY + timedelta(seconds=901)
    run(TradesInMemory(trades), replace(WANTED, until=now, now=now))
    assert len(stored(history)) == 0
    trades.append(Trade(at=(START + 899) * 10**9, price=12.0, volume=2.0))
    now += timedelta(hours=1)
    run(TradesInMemory(trades), replace(WANTED, until=now, now=now))
    assert [list(column) for column in stored(history).columns[2:]] == [[12.0], [10.0], [12.0], [3.0]]


def test_unreadable_progress_begins_again_and_says_so(history: HistoryStore) -> None:
    trades = random_trades()
    run(TradesInMemory(trades, page=61))
    item = history._item.get(PARTITION, "BTC#2024-01-01")
    item.data = b"SMCB" + bytes(40)
    item.save()
    told: list[TradeProgress] = []
    outcome = run(TradesInMemory(trades, page=61), advance=told.append)
    assert "candle record" in told[0].defect
    assert (told[0].reached.next_since, outcome.resumed_at) == (START * 10**9 - 1, None)
    assert stored(history) == expected(trades)


def test_two_runs_at_once_are_told_apart(history: HistoryStore) -> None:
    trades = random_trades()

    def meanwhile(call: int) -> None:
        if call == 3:
            run(TradesInMemory(trades, page=61))

    with pytest.raises(InvalidInput, match="another backfill of BTC from 2024-01-01 is running"):
        run(TradesInMemory(trades, page=61, before=meanwhile))
    assert stored(history) == expected(trades)


def test_progress_written_twice_meets_itself_in_peace(history: HistoryStore) -> None:
    progress = TradeProgressStore(MARKET)
    begun = progress.load(BTC, DAY)
    first = replace(begun, version=1)
    progress.save(BTC, DAY, first)
    progress.save(BTC, DAY, first)
    assert progress.load(BTC, DAY) == first
    with pytest.raises(InvalidInput, match="another backfill"):
        progress.save(BTC, DAY, replace(first, reached=replace(begun.reached, pages=5)))


def test_stored_bars_stay_beside_those_of_trades(history: HistoryStore, tmp_path: Path) -> None:
    archive = write_segment(tmp_path, segment_lines(8), "BTC_USD-15m-20240101-20240101.csv.gz")
    backfill([archive], history, WANTED.now, lambda _: None)
    before = stored(history)
    outcome = run(TradesInMemory(random_trades()))
    assert stored(history).until(START + 8 * 900) == before
    assert (outcome.stored[TRADED].differing, outcome.stored[Timeframe.H1].differing) == (8, 0)


def test_tether_history_is_not_mixed_with_dollars(history: HistoryStore, tmp_path: Path) -> None:
    backfill([write_segment(tmp_path, segment_lines(8))], history, WANTED.now, lambda _: None)
    before, source = items(), TradesInMemory(random_trades())
    with pytest.raises(InvalidInput, match=r"prices in USDT; expected USD .* two markets are never mixed"):
        run(source)
    assert (items(), source.called) == (before, [])


class Stuck:
    """A venue whose next page is always the same one."""

    def __init__(self, step: int) -> None:
        self._step = step

    def trades(self, pair: str, since: int) -> TradePage:
        return TradePage(trades=(Trade(at=since + 9, price=1.0, volume=1.0),), next_since=since + self._step)


@pytest.mark.parametrize("step", [0, -1])
def test_paging_that_does_not_advance_is_refused(history: HistoryStore, step: int) -> None:
    with pytest.raises(VenueAnswerInvalid, match="expected later"):
        run(Stuck(step))
    assert items() == {}


@pytest.mark.parametrize(
    ("start", "until", "sentence"),
    [
        (DAY + timedelta(hours=1), WANTED.until, "expected midnight UTC"),
        (DAY, DAY, "expected a first day before the end"),
        (DAY, WANTED.now + timedelta(days=1), "an end by 2024-01-10 00:00 UTC"),
    ],
)
def test_impossible_period_is_refused_in_words(start: datetime, until: datetime, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        replace(WANTED, start=start, until=until)
