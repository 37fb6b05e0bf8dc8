"""The books at their fullest."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from shared.storage.paper_books import KEPT_CLIENT_IDS, PaperBooksStore
from shared.storage.tables import LedgerItem
from tests.fakes.cloud import LEDGER
from tests.integration.paper.desk import LIMIT, START, PaperDesk, sizes
from trading.model.orders import OrderType


def test_full_books_are_far_below_an_items_limit(desk: PaperDesk) -> None:
    """Every list as long as it may get, with the core's limit of live orders."""
    store, venue = PaperBooksStore(LEDGER), desk.run()
    venue.place(desk.request(OrderType.POST, price="99"))
    paper = store.read()
    assert paper is not None
    (order,) = paper.books.live.values()
    chance = random.Random(5)
    for number in range(499):
        name = f"{chance.getrandbits(128):032x}"
        paper.books.live[name] = replace(order, order_id=name, client_order_id=f"smc-{name}", sequence=number)
    paper.books.client_ids = {f"smc-{name}": name for name in paper.books.live}
    paper.books.client_ids |= {
        f"smc-{chance.getrandbits(128):032x}": f"{number:032x}" for number in range(KEPT_CLIENT_IDS)
    }
    store.save(paper, "token")
    assert sizes("PAPER")[0] < LIMIT / 2
    assert len(desk.run().open_orders()) == 500


def test_names_of_working_orders_are_never_forgotten(desk: PaperDesk) -> None:
    request = desk.request(OrderType.POST, price="80")
    desk.run().place(request)
    store = PaperBooksStore(LEDGER)
    for _ in range(3):
        paper = store.read()
        assert paper is not None
        (live,) = paper.books.live.values()
        for number in range(400):
            name = f"old-{len(paper.books.client_ids)}-{number}"
            paper.books.closed[name] = replace(live, order_id=name, updated_at=START - timedelta(days=1))
            paper.books.client_ids[name] = name
        store.save(paper, "token")
    paper = store.read()
    assert paper is not None
    assert len(paper.books.client_ids) <= KEPT_CLIENT_IDS
    assert request.client_order_id in paper.books.client_ids
    assert desk.run().place(request).detail == "clientOrderIdAlreadyExist"


def test_account_opened_again_uses_new_ids(desk: PaperDesk) -> None:
    desk.buy()
    first = desk.run().fills()[0].id
    LedgerItem("PAPER", "BOOKS").delete()
    desk.pass_time(1)
    desk.run().open_account(Decimal(500))
    desk.buy()
    assert desk.run().fills()[0].id != first


def test_events_that_nobody_reads_are_not_stored(desk: PaperDesk) -> None:
    desk.buy()
    desk.protect("95")
    paper = PaperBooksStore(LEDGER).read()
    assert paper is not None
    assert (paper.books.history, paper.books.position_log) == ([], [])
    assert len(paper.books.fills) == 1
