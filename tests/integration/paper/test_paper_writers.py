"""Runs that write at the same time, and writes whose answer does not arrive."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from pynamodb.exceptions import PutError

from shared.storage.paper_books import PaperBooks, PaperBooksStore
from tests.fakes.cloud import LEDGER
from tests.integration.paper.desk import PaperDesk
from trading.errors import StoreConflict
from trading.model.orders import OrderType
from trading.model.units import Quantity
from trading.model.venue import SendOutcome


class FaultyStore(PaperBooksStore):
    """The next write goes through or not, and its answer is this error."""

    def __init__(self, error: Exception, *, stored: bool) -> None:
        super().__init__(LEDGER)
        self.error: Exception | None = error
        self.stored = stored

    def save(self, paper: PaperBooks, token: str) -> None:
        error, self.error = self.error, None
        if error is None or self.stored:
            super().save(paper, token)
        if error is not None:
            raise error


def test_concurrent_runs_lose_no_order(desk: PaperDesk) -> None:
    first, second = desk.run(), desk.run()
    assert (first.open_orders(), second.open_orders()) == ((), ())
    for venue in (first, second, first, second):
        answer = venue.place(desk.request(OrderType.POST, price="99"))
        assert answer.outcome is SendOutcome.ACCEPTED
    assert len(desk.run().open_orders()) == 4


def test_parallel_writers_all_get_through(desk: PaperDesk) -> None:
    requests = [desk.request(OrderType.POST, price=str(90 + number)) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda request: desk.run().place(request), requests))
    accepted = [each.order_id for each in answers if each.outcome is SendOutcome.ACCEPTED]
    assert sorted(accepted) == sorted(each.order_id for each in desk.run().open_orders())
    assert len(accepted) == len(requests)


def test_conflict_of_two_entries_checks_the_margin_again(desk: PaperDesk) -> None:
    """Each alone fits the account; replayed on the other's books the second does not."""
    desk.run().open_account(Decimal(2500))
    first, second = desk.run(), desk.run()
    assert second.positions() == ()
    large = {"price": "99", "quantity": Quantity(900)}
    assert first.place(desk.request(OrderType.POST, **large)).outcome is SendOutcome.ACCEPTED
    answer = second.place(desk.request(OrderType.POST, **large))
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, "insufficientAvailableFunds")


@pytest.mark.parametrize("stored", [True, False])
def test_lost_answer_of_the_store_is_unknown(desk: PaperDesk, stored: bool) -> None:
    venue = desk.run(FaultyStore(PutError("timed out"), stored=stored))
    request = desk.request(OrderType.POST, price="99")
    assert venue.place(request).outcome is SendOutcome.UNKNOWN
    assert len(desk.run().open_orders()) == stored
    # The same run goes on with what is stored, not with what it thinks it has stored.
    assert len(venue.open_orders()) == stored


def test_own_write_is_recognised_after_a_conflict(desk: PaperDesk) -> None:
    """The client tried twice: the first write went through, the second met its own version."""
    venue = desk.run(FaultyStore(StoreConflict("not at version 0"), stored=True))
    assert venue.place(desk.request(OrderType.POST, price="99")).outcome is SendOutcome.ACCEPTED
    assert len(desk.run().open_orders()) == 1


def test_name_of_a_stored_order_is_never_used_twice(desk: PaperDesk) -> None:
    request = desk.request(OrderType.POST, price="99")
    assert desk.run().place(request).outcome is SendOutcome.ACCEPTED
    assert desk.run().place(request).outcome is SendOutcome.UNKNOWN
    assert len(desk.run().open_orders()) == 1


def test_older_look_never_takes_the_books_back(desk: PaperDesk) -> None:
    slow = desk.run()
    slow.quotes()
    old = dict(desk.market.tickers)
    desk.pass_time(60)
    desk.buy()
    bought_at = desk.run().fills()[0].at
    desk.market.tickers = old
    assert slow.place(desk.request(OrderType.POST, price="99")).outcome is SendOutcome.ACCEPTED
    assert all(each.received_at >= bought_at for each in desk.run().open_orders())
