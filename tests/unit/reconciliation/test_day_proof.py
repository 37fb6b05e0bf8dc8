"""A day of the account log adds up, or what does not is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.records import NOW, fill_of, filled
from tests.unit.reconciliation.test_trades import END, ENTRY_ROW, EXIT_ROW, FUNDING_ROW, ended, row
from tests.unit.reconciliation.views import intent_of
from trading.model.orders import Purpose
from trading.model.units import Money
from trading.model.venue import LedgerRow
from trading.reconciliation.day_proof import DayBooks, DayProof, prove_day
from trading.reconciliation.trades import book_trade

DAY = NOW.date()


def chained(rows: list[LedgerRow], opening: str = "1000", jumps: dict[int, str] | None = None) -> tuple[LedgerRow, ...]:
    """The rows in their order with balances that follow from their figures; `jumps` are added by row id."""
    balance, found = Decimal(opening), []
    for number, each in enumerate(sorted(rows, key=lambda one: one.at), start=1):
        change = each.realised - each.fee + each.funding + Decimal((jumps or {}).get(each.id, "0"))
        found.append(replace(each, id=number, old_balance=Money(balance), new_balance=Money(balance + change)))
        balance += change
    return tuple(found)


ROWS = [ENTRY_ROW, EXIT_ROW, FUNDING_ROW]
TRADE = book_trade(ended(), (ENTRY_ROW, EXIT_ROW, FUNDING_ROW), END)


def proof(rows: tuple[LedgerRow, ...] | None = None, **changes: Any) -> DayProof:
    values: dict[str, Any] = {
        "day": DAY,
        "rows": chained(ROWS) if rows is None else rows,
        "records": (ended(),),
        "trades": (TRADE,),
        "fills": (),
        "equity": Decimal(1000),
    }
    return prove_day(DayBooks(**(values | changes)))


def test_day_that_adds_up_is_proven() -> None:
    found = proof()
    assert (found.faults, found.waiting, found.proven) == ((), (), True)
    assert (found.opening, found.closing, found.unexplained) == (1000, Decimal("978.95"), 0)
    assert (found.realised, found.fees, found.funding) == (-20, Decimal("0.7"), Decimal("-0.35"))
    assert (found.ours, found.others, found.trades, found.rows) == (Decimal("-21.05"), 0, 1, 3)


def test_day_without_anything_is_proven() -> None:
    found = proof((), records=(), trades=())
    assert (found.proven, found.rows, found.opening, found.closing) == (True, 0, 0, 0)


@pytest.mark.parametrize(("jump", "proven"), [("0.1", True), ("0.11", False), ("-0.11", False)])
def test_change_without_a_reason_is_named_beyond_its_share(jump: str, proven: bool) -> None:
    found = proof(chained(ROWS, jumps={1: jump}))
    assert found.unexplained == abs(Decimal(jump))
    assert found.proven is proven


def test_missing_row_shows_between_its_neighbours() -> None:
    rows = chained([*ROWS, row(7, at=NOW + timedelta(minutes=5), realised=Money(3), execution="x")])
    found = proof(tuple(each for each in rows if each.execution != "x"))
    assert found.unexplained == 3
    assert found.faults == ("3.00 USD of the balance's changes have no row that explains them",)


def test_two_wrong_changes_do_not_set_each_other_off() -> None:
    assert proof(chained(ROWS, jumps={1: "5", 2: "-5"})).unexplained == 10


def test_transfer_is_no_loss_and_no_profit() -> None:
    paid_in = row(9, kind="cross-exchange transfer", contract=None)
    found = proof(chained([*ROWS, paid_in], jumps={9: "500"}))
    assert (found.transfers, found.unexplained, found.proven) == (500, 0, True)


def test_rows_without_balances_prove_nothing() -> None:
    found = proof(tuple(ROWS))
    assert found.faults == ("rows 1, 2, 3 tell no balance",)


def test_other_days_and_other_assets_are_left_out() -> None:
    rows = chained(ROWS)
    before = row(0, at=NOW - timedelta(days=1), fee=Money(9), old_balance=Money(1), new_balance=Money(2))
    coins = replace(rows[0], id=99, asset="xbt", execution=None, contract=None, fee=Money(5))
    assert proof((before, *rows, coins)) == proof(rows)


def test_fee_of_no_known_fill_is_named() -> None:
    strange = row(9, at=NOW + timedelta(minutes=5), execution="theirs", fee=Money("0.01"))
    rows = chained([*ROWS, strange])
    (fault,) = proof(rows).faults
    assert fault.startswith("fee 0.01 of row 2 (futures trade) is of no recorded fill")
    stop = intent_of(filled(), Purpose.STOP)
    by_hand = fill_of(filled(), stop, 1, "theirs", client_order_id=None)
    assert proof(rows, fills=(by_hand,)).proven
    assert proof(rows, fills=(by_hand,)).others == Decimal("-0.01")
    assert not proof(rows, fills=(replace(by_hand, client_order_id="smc-unrecorded"),)).proven


def test_fee_without_an_execution_is_named() -> None:
    charged = row(9, kind="liquidation fee", fee=Money(2), at=NOW + timedelta(minutes=5))
    assert len(proof(chained([*ROWS, charged])).faults) == 2  # nor does the trade say so


def test_recorded_fill_waits_for_its_row() -> None:
    found = proof(chained([ENTRY_ROW, FUNDING_ROW]), records=(filled(),), trades=())
    assert found.proven
    found = proof(chained([FUNDING_ROW]), records=(filled(),), trades=())
    assert (found.waiting, found.proven) == (("no row yet for execution entry-COIN",), False)


@pytest.mark.parametrize("name", ["gross", "fees", "funding"])
def test_trade_booked_beside_the_log_is_named(name: str) -> None:
    wrong = replace(TRADE, **{name: Money(getattr(TRADE, name) + 1)})
    (fault,) = proof(trades=(wrong,)).faults
    assert f"is booked with {name} " in fault


def test_trade_without_record_or_booked_twice_is_named() -> None:
    assert proof(records=(), fills=(), trades=(TRADE,)).faults[-1] == f"trade {TRADE.id} has no record of its position"
    assert set(proof(trades=(TRADE, TRADE)).faults) == {f"trade {TRADE.id} is booked more than once"}


def test_trade_of_another_day_is_not_compared() -> None:
    later = replace(TRADE, closed_at=datetime(2024, 5, 2, tzinfo=END.tzinfo), fees=Money(99))
    assert (proof(trades=(later,)).trades, proof(trades=(later,)).proven) == (0, True)
