"""Our records add up to the venue's equity: closed trades, what open positions realised and what they stand at."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.fakes.records import NOW, filled, seconds, trade
from trading.model.instruments import Side
from trading.model.units import Money, Price, Quantity
from trading.model.venue import LedgerRow
from trading.reconciliation.equity import ledger_equity

MARKS = {"PF_COINUSD": Price(103)}


def row(**changes: object) -> LedgerRow:
    values: dict[str, object] = {
        "id": 1,
        "at": NOW,
        "contract": "PF_COINUSD",
        "kind": "futures trade",
        "execution": "entry-COIN",
        "fee": Money("0.5"),
        "realised": Money(4),
        "funding": Money("-0.25"),
    }
    return LedgerRow(**(values | changes))  # type: ignore[arg-type]


def test_closed_trades_are_added_up() -> None:
    assert ledger_equity(Money(1000), [trade(-50), trade(20)], [], [], {}) == 970


@pytest.mark.parametrize(("side", "profit"), [(Side.LONG, 30), (Side.SHORT, -30)])
def test_open_position_stands_at_its_mark(side: Side, profit: int) -> None:
    found = ledger_equity(Money(1000), [], [filled(side=side)], [row()], MARKS)
    assert found == 1000 + profit + 4 - Decimal("0.5") - Decimal("0.25")


def test_flat_record_counts_only_what_was_booked() -> None:
    flat = filled(quantity=Quantity(0))
    assert ledger_equity(Money(1000), [], [flat], [row()], {}) == Decimal("1003.25")
    never = replace(flat, fills=())
    assert ledger_equity(Money(1000), [], [never], [], {}) == 1000


@pytest.mark.parametrize("stranger", [row(contract="PF_OTHERUSD"), row(at=NOW - seconds(1)), row(contract=None)])
def test_rows_of_others_count_for_nobody(stranger: LedgerRow) -> None:
    assert ledger_equity(Money(1000), [], [filled()], [stranger], MARKS) == 1030
