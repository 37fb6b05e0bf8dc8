"""One budget of calls for all runs of the system, also when they overlap."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, pairwise, permutations, product
from threading import Semaphore, Thread, current_thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynamodb.exceptions import PynamoDBException

from shared.storage.call_budget import AHEAD, BUDGET, SPOT_CALLS, CallBudget, first_start, slots_before
from shared.storage.tables import LedgerItem, bind
from tests.integration.market_data.conftest import LEDGER, listening
from trading.errors import InvalidInput

NOW = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LIMIT = timedelta(seconds=10)
Slots = tuple[datetime, ...]


def reserved(now: datetime = NOW, count: int = 5, budget: CallBudget | None = None) -> Slots:
    return (budget or CallBudget(LEDGER)).reserve(now, count, SECOND, now + MINUTE)


def after(*seconds: float) -> Slots:
    return tuple(NOW + timedelta(seconds=each) for each in seconds)


def test_first_run_owns_the_time_from_now() -> None:
    assert reserved(count=3) == after(0, 1, 2)


def test_next_run_begins_where_the_last_ends() -> None:
    reserved(count=3)

    assert reserved(NOW + SECOND, count=2) == after(3, 4)


def test_time_that_passed_unreserved_is_not_owned() -> None:
    reserved(count=3)

    assert reserved(NOW + HOUR, count=1) == (NOW + HOUR,)


def test_run_reserves_nothing_behind_a_long_one() -> None:
    reserved(count=20)

    assert reserved(NOW + SECOND * 9) == ()
    assert reserved(NOW + SECOND * 10, count=1) == after(20)


def test_reservation_ends_before_its_deadline() -> None:
    assert CallBudget(LEDGER).reserve(NOW, 100, SECOND, NOW + SECOND * 2) == after(0, 1)
    assert CallBudget(LEDGER).reserve(NOW, 100, SECOND, NOW + SECOND * 2) == ()


def test_unused_time_goes_to_the_next_run() -> None:
    budget = CallBudget(LEDGER)
    slots = reserved(count=40, budget=budget)
    budget.give_back(slots[7])

    assert reserved(NOW + SECOND * 3, count=2) == after(7, 8)


def test_time_that_another_run_follows_is_kept() -> None:
    budget = CallBudget(LEDGER)
    slots = reserved(budget=budget)
    follower = reserved()
    budget.give_back(slots[2])

    assert follower == after(5, 6, 7, 8, 9)
    assert reserved(count=1) == after(10)


def test_repeated_give_back_takes_nothing_from_others() -> None:
    budget = CallBudget(LEDGER)
    slots = reserved(budget=budget)
    budget.give_back(slots[2])
    reserved(count=3)
    budget.give_back(slots[2])

    assert reserved(count=1) == after(5)


def test_only_own_time_can_be_given_back() -> None:
    budget = CallBudget(LEDGER)
    reserved(count=3)
    reserved(count=3, budget=budget)
    CallBudget(LEDGER).give_back(NOW)
    budget.give_back(NOW + SECOND)
    budget.give_back(NOW + SECOND * 30)

    assert reserved(count=1) == after(6)


def test_own_write_with_a_lost_answer_counts() -> None:
    lost = iter([True])

    def refuse(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        if next(lost, False):
            parsed["Error"] = {"Code": "ConditionalCheckFailedException", "Message": "repeated by the client"}
            http_response.status_code = 400

    with listening(bind(LedgerItem, LEDGER), "after-call.dynamodb.PutItem", refuse):
        assert reserved(count=30) == after(*range(30))


@pytest.mark.parametrize("stored", ["soon", "2099-01-01T00:00:00.000Z"])
def test_impossible_record_binds_nobody_and_is_told(caplog: pytest.LogCaptureFixture, stored: str) -> None:
    bind(LedgerItem, LEDGER)(BUDGET, SPOT_CALLS, at=stored, body="x").save()
    with caplog.at_level(logging.WARNING):
        assert reserved(count=2) == after(0, 1)

    assert "counts as free" in caplog.text
    assert reserved(count=1) == after(2)


def test_fractions_of_milliseconds_never_shorten_a_gap() -> None:
    spacing = timedelta(microseconds=343_333)
    slots = [CallBudget(LEDGER).reserve(NOW, 1, spacing, NOW + MINUTE)[0] for _ in range(4)]

    assert all(later - earlier >= spacing for earlier, later in pairwise(slots))


@pytest.mark.parametrize(("spacing", "until"), [(timedelta(0), NOW + MINUTE), (SECOND, NOW + HOUR)])
def test_impossible_reservation_is_refused(spacing: timedelta, until: datetime) -> None:
    with pytest.raises(InvalidInput, match="expected"):
        CallBudget(LEDGER).reserve(NOW, 1, spacing, until)


class Turnstile:
    """Lets the requests of runs through one at a time, in a given order of runs; then one run after the other."""

    def __init__(self, runs: dict[str, Callable[[], Any]]) -> None:
        self.results: dict[str, Any] = {}
        self._go = {name: Semaphore(0) for name in runs}
        self._stopped = {name: Semaphore(0) for name in runs}
        self._threads = {name: Thread(target=self._run, name=name, args=(task,)) for name, task in runs.items()}

    def play(self, order: tuple[str, ...]) -> dict[str, Any]:
        with listening(bind(LedgerItem, LEDGER), "before-call.dynamodb", self._arrive):
            for name, thread in self._threads.items():
                thread.start()
                assert self._stopped[name].acquire(timeout=5)
            for name in chain(order, *([name] * 20 for name in self._threads)):
                if name not in self.results:
                    self._go[name].release()
                    assert self._stopped[name].acquire(timeout=5)
        for thread in self._threads.values():
            thread.join(5)
        return self.results

    def _arrive(self, **_: Any) -> None:
        name = current_thread().name
        self._stopped[name].release()
        assert self._go[name].acquire(timeout=5)

    def _run(self, task: Callable[[], Any]) -> None:
        name = current_thread().name
        try:
            self.results[name] = task()
        except PynamoDBException as error:
            self.results[name] = error
        self._stopped[name].release()


def require_apart(*runs: Slots) -> None:
    calls = sorted(chain(*runs))
    assert all(later - earlier >= SECOND for earlier, later in pairwise(calls)), calls


def test_runs_that_interleave_never_share_time() -> None:
    for number, order in enumerate(sorted(set(permutations("AABBCC")))):
        now = NOW + HOUR * number
        results = Turnstile({name: partial(reserved, now, 3) for name in "ABC"}).play(order)

        require_apart(*results.values())
        assert sorted(map(len, results.values())) == [3, 3, 3], order


def test_giving_back_meanwhile_never_shares_time() -> None:
    for number, order in enumerate(product("AB", repeat=4)):
        now, budget = NOW + HOUR * number, CallBudget(LEDGER)
        slots = reserved(now, 6, budget)
        results = Turnstile({"A": partial(budget.give_back, slots[2]), "B": partial(reserved, now, 3)}).play(order)

        require_apart(slots[:2], results["B"], reserved(now, 3))


def test_run_that_loses_every_race_reserves_nothing() -> None:
    def overtake(**_: Any) -> None:
        if current_thread().name == "loser":
            winner = Thread(target=reserved, args=(NOW, 1))
            winner.start()
            winner.join(5)

    results: list[Slots] = []
    with listening(bind(LedgerItem, LEDGER), "before-call.dynamodb.PutItem", overtake):
        loser = Thread(target=lambda: results.append(reserved()), name="loser")
        loser.start()
        loser.join(5)

    assert results == [()]
    assert reserved(count=1) == after(4)


moments = st.integers(0, 120_000).map(lambda milliseconds: NOW + timedelta(milliseconds=milliseconds))
spacings = st.integers(1, 9_000).map(lambda milliseconds: timedelta(milliseconds=milliseconds))


@given(moments, moments, st.integers(0, 200), spacings)
@settings(max_examples=200, deadline=None)
def test_slots_fill_the_time_and_no_more(start: datetime, until: datetime, count: int, spacing: timedelta) -> None:
    slots = slots_before(until, start, count, spacing)

    assert all(later - earlier == spacing for earlier, later in pairwise(slots))
    assert all(start <= slot < until for slot in slots)
    assert slots[:1] in ((), (start,))
    assert len(slots) == count or start + spacing * len(slots) >= until


@given(moments, moments)
def test_first_call_waits_at_most_ten_seconds(now: datetime, free: datetime) -> None:
    start = first_start(now, free)

    assert start == (None if free > now + LIMIT else max(now, free))
    assert AHEAD == LIMIT
