"""Market disorder of all: who pauses everything, who does not, and what of it is news."""

from __future__ import annotations

import pytest

from tests.fakes.records import NOW, quote, seconds
from tests.unit.risk.market_sights import HALF_AN_HOUR, MAJOR, RISK, each_of, looked, paused, sight, torn
from trading.model.disorder import EVERYWHERE, DisorderPause, MarketWatch
from trading.model.venue import Quote
from trading.risk.disorder import started, watch_quotes


@pytest.mark.parametrize(
    "odd",
    [
        torn(MAJOR, 102),
        quote(MAJOR, suspended=True),
        quote(MAJOR, post_only=True),
    ],
)
def test_major_in_disorder_pauses_everything(odd: Quote) -> None:
    watch = looked(sight(MAJOR=odd))
    assert paused(watch) == [EVERYWHERE, MAJOR]
    assert watch.pauses[0].why.startswith("MAJOR moves the whole market: ")
    assert watch.pause("E", NOW + seconds(1799)) is not None


def test_three_shaken_together_pause_everything() -> None:
    fell = dict.fromkeys("ABC", 94)
    watch = looked(sight(), sight(NOW + seconds(60), fell))
    assert paused(watch) == [EVERYWHERE, "A", "B", "C"]
    assert watch.pauses[0].why == (
        "3 contracts began to shake together (A: mark 94 is 6.00 % from 100 of 60 s ago, "
        "B: mark 94 is 6.00 % from 100 of 60 s ago, C: mark 94 is 6.00 % from 100 of 60 s ago)"
    )
    two = looked(sight(), sight(NOW + seconds(60), dict.fromkeys("AB", 94)))
    assert paused(two) == ["A", "B"]


@pytest.mark.parametrize(("apart", "everywhere"), [(5, True), (59, True), (60, False), (300, False)])
def test_together_means_within_one_minute(apart: int, everywhere: bool) -> None:
    first = sight(A=torn("A", 102), B=torn("B", 102))
    second = sight(NOW + seconds(apart), A=torn("A", 102), B=torn("B", 102), C=torn("C", 102))
    assert (EVERYWHERE in paused(looked(first, second))) is everywhere


def test_coins_that_stay_torn_hold_up_only_themselves() -> None:
    """Three coins torn for hours pause everything once, when first seen, and not for as long as they are torn."""
    chronic = each_of("ABC", lambda name: torn(name, 103))
    watch = looked(*(sight(NOW + seconds(60 * number), **chronic) for number in range(31)))
    assert paused(watch) == ["A", "B", "C"]


def test_few_halted_coins_leave_the_market_open() -> None:
    halted = each_of("ABC", lambda name: quote(name, suspended=True))
    assert paused(looked(sight(**halted))) == ["A", "B", "C"]
    most = each_of("ABCD", lambda name: quote(name, post_only=True))
    watch = looked(sight(**most))
    assert watch.pauses[0].contract == EVERYWHERE
    assert watch.pauses[0].why == "the venue has halted 4 of 6 contracts"


def test_halted_coin_counts_once_it_shakes() -> None:
    halted = sight(A=quote("A", suspended=True))
    torn_now = sight(NOW + seconds(600), **each_of("ABC", lambda name: torn(name, 102)))
    assert EVERYWHERE in paused(looked(halted, torn_now))


def test_unreadable_watch_pauses_everything() -> None:
    watch = watch_quotes(MarketWatch(unreadable="no JSON", version=7), sight(), RISK)
    assert [(each.contract, each.until) for each in watch.pauses] == [(EVERYWHERE, NOW + HALF_AN_HOUR)]
    assert "no JSON" in watch.pauses[0].why
    assert (watch.unreadable, watch.version) == ("", 7)


def test_market_wide_pause_is_no_shaken_contract() -> None:
    """Two coins shake just after a major's halt paused everything: they are two, not three."""
    halted = sight(MAJOR=quote(MAJOR, suspended=True))
    two = sight(NOW + seconds(30), A=torn("A", 102), B=torn("B", 102))
    everywhere, *_ = looked(halted, two).pauses
    assert (everywhere.contract, everywhere.shaken_at) == (EVERYWHERE, None)
    assert everywhere.until == NOW + HALF_AN_HOUR


def test_market_wide_pause_names_three_contracts() -> None:
    watch = looked(sight(**each_of("ABCD", lambda name: torn(name, 102))))
    assert watch.pauses[0].why.count("from its index") == 3


def test_only_new_pauses_are_news() -> None:
    first = looked(sight(A=torn("A", 102)))
    second = watch_quotes(first, sight(NOW + seconds(60), A=torn("A", 102), B=torn("B", 102)), RISK)
    assert [each.contract for each in started(None, first, NOW)] == ["A"]
    assert [each.contract for each in started(first, second, NOW + seconds(60))] == ["B"]
    assert started(second, second, NOW + seconds(120)) == ()
    again = looked(sight(NOW + seconds(1860), A=torn("A", 102)))
    assert [each.contract for each in started(first, again, NOW + seconds(1860))] == ["A"]


def test_nothing_is_news_while_everything_is_paused() -> None:
    held = MarketWatch(pauses=(DisorderPause(contract=EVERYWHERE, until=NOW + seconds(60), why="test"),))
    after = watch_quotes(held, sight(A=torn("A", 102)), RISK)
    assert paused(after) == [EVERYWHERE, "A"]
    assert started(held, after, NOW) == ()
    later = watch_quotes(held, sight(NOW + seconds(60), A=torn("A", 102)), RISK)
    assert [each.contract for each in started(held, later, NOW + seconds(60))] == ["A"]
