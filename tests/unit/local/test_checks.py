"""What must hold at the end of a run, and the equity that our own ledger gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.local.checks import Books, Evidence, differences, violations
from infra.local.invoker import Tally
from infra.local.progress import Progress
from infra.local.records import Records
from infra.local.sandbox_client import SandboxState
from infra.local.summary import money
from tests.fakes.records import NOW, coin, filled, trade
from trading.model.instruments import Side, Universe
from trading.model.positions import Position
from trading.model.units import Money
from trading.model.venue import LedgerRow
from trading.reconciliation.equity import OpenBook, ledger_equity

ZERO = Decimal(0)


def records(*held: Position) -> Records:
    return Records(
        start=NOW,
        end=NOW,
        universe=Universe(instruments=(coin("COIN"),)),
        bars=(),
        decisions=(),
        stages=(),
        trades=(),
        held=held,
        ended=(),
    )


def venue(**changes: Any) -> SandboxState:
    values: dict[str, Any] = {
        "now": NOW,
        "last": NOW + timedelta(days=1),
        "kind": "generated",
        "positions": {},
        "client_order_ids": (),
        "equity": Decimal(10_000),
        "fills": 0,
        "seconds_without_stop_max": ZERO,
    }
    return SandboxState(**(values | changes))


def evidence(**changes: Any) -> Evidence:
    values: dict[str, Any] = {
        "records": replace(records(), universe=Universe(instruments=())),
        "progress": Progress(start=NOW, equity_start=Decimal(10_000), tally=Tally(alerts=2)),
        "venue": venue(),
        "books": Books(ours=ZERO, venue=ZERO, fees=ZERO, funding=ZERO, differences=()),
        "posts": {"slack": 2, "discord": 2, "rejected": 0},
        "undelivered": {},
    }
    return Evidence(**(values | changes))


def row(execution: str | None, *, fee: str = "0", funding: str = "0") -> LedgerRow:
    return LedgerRow(
        id=1,
        at=NOW,
        contract="PF_COINUSD",
        kind="futures trade",
        execution=execution,
        fee=Money(fee),
        realised=Money(0),
        funding=Money(funding),
    )


def resting_ids(position: Position) -> tuple[str, ...]:
    return tuple(each.client_order_id for each in position.intents if each.state.may_rest)


def test_equal_positions_and_orders_differ_in_nothing() -> None:
    position = filled()
    there = venue(positions={position.contract: position.quantity}, client_order_ids=resting_ids(position), fills=1)

    assert differences(records(position), there) == ()


def test_short_position_is_compared_with_its_sign() -> None:
    position = filled(side=Side.SHORT)
    there = venue(positions={position.contract: position.quantity}, client_order_ids=resting_ids(position), fills=1)

    assert differences(records(position), there) == ("PF_COINUSD: our ledger has -10, the venue 10",)


def test_order_known_to_one_side_only_is_named() -> None:
    position = filled()
    there = venue(positions={position.contract: position.quantity}, client_order_ids=("stranger",))
    found = differences(records(position), there)

    assert any("stranger: rests at the venue" in each for each in found)
    assert any("rests in our ledger" in each for each in found)


def test_fill_known_to_the_venue_only_is_named() -> None:
    assert differences(records(), venue(fills=1)) == ("our ledger has 0 fills, the venue 1",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"posts": {"slack": 1, "discord": 2, "rejected": 0}}, "1 posts arrived at slack; expected 2"),
        ({"posts": {"slack": 2, "discord": 2, "rejected": 1}}, "1 posts had a shape"),
        ({"undelivered": {"BarsQueue": 3}}, "3 messages were left in BarsQueue"),
        ({"venue": venue(seconds_without_stop_max=Decimal(61))}, "61 s without a stop"),
        (
            {"books": Books(ours=Decimal("1.02"), venue=Decimal(1), fees=ZERO, funding=ZERO, differences=())},
            "equity is",
        ),
        ({"books": Books(ours=ZERO, venue=ZERO, fees=ZERO, funding=ZERO, differences=("x",))}, "discrepancy"),
        ({"records": replace(records(), bars=(NOW,))}, "0 decisions; expected 1 coins x 1 decision bars"),
    ],
)
def test_violation_is_found_and_said(changes: dict[str, Any], said: str) -> None:
    found = [each for each in violations(evidence(**changes)) if said in each]

    assert len(found) == 1


def test_equity_within_a_cent_is_no_violation() -> None:
    books = Books(ours=Decimal("1.01"), venue=Decimal(1), fees=ZERO, funding=ZERO, differences=())
    found = violations(evidence(books=books))

    assert not [each for each in found if "equity" in each]


def test_same_failure_is_counted_under_its_first_time() -> None:
    tally = Tally()
    for minute in range(3):
        tally.add_error("ingest_candles", NOW + timedelta(minutes=minute), "ValueError: no")
    tally.add_error("score_setups", NOW, "ValueError: no")

    assert list(tally.errors.values()) == [3, 1]


def test_ledger_equity_adds_trades_and_open_positions() -> None:
    position = filled(side=Side.SHORT)
    book = OpenBook(position=position, rows=(row("entry-COIN", fee="2"), row(None, funding="-1")), mark=Decimal(90))
    entry = position.average_entry
    assert entry is not None
    found = ledger_equity(Decimal(10_000), [trade(net=-50)], [book], NOW)

    assert found.equity == Decimal(10_000) - 50 - 2 - 1 + 10 * (entry - 90)
    assert (found.fees, found.funding) == (Decimal(2), Decimal(-1))


@pytest.mark.parametrize(("value", "text"), [("10000", "10000"), ("-0.0000000001", "0"), ("1.50", "1.5"), ("0", "0")])
def test_money_has_no_exponent_and_no_idle_zeros(value: str, text: str) -> None:
    assert money(Decimal(value)) == text
