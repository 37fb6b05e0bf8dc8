"""A trade is booked from the account log: gross, fees and funding of this position and of nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.records import NOW, filled, planned, seconds
from tests.unit.reconciliation.views import intent_of
from trading.execution.plan import exit_intent, target_intent
from trading.model.orders import OrderIntent, Purpose
from trading.model.positions import Position, RecordedFill
from trading.model.units import Money, Price, Quantity
from trading.model.venue import LedgerRow
from trading.reconciliation.equity import OpenBook, ledger_equity, unrealised
from trading.reconciliation.trades import book_trade, missing_from

END = NOW + timedelta(hours=2)


def row(number: int, **changes: Any) -> LedgerRow:
    values: dict[str, Any] = {
        "id": number,
        "at": NOW + timedelta(hours=1),
        "contract": "PF_COINUSD",
        "kind": "futures trade",
        "execution": None,
        "fee": Money(0),
        "realised": Money(0),
        "funding": Money(0),
    }
    return LedgerRow(**(values | changes))


ENTRY_ROW = row(1, execution="entry-COIN", fee=Money("0.2"), at=NOW)
EXIT_ROW = row(2, execution="out", fee=Money("0.5"), realised=Money(-20), funding=Money("-0.05"), at=END)
FUNDING_ROW = row(3, kind="funding rate change", funding=Money("-0.3"))


def ended(by: OrderIntent | None = None, price: Any = 98, **changes: Any) -> Position:
    position = filled(quantity=Quantity(0), **changes)
    leaving = by or intent_of(position, Purpose.STOP)
    if position.by_client_order_id(leaving.client_order_id) is None:
        position = position.with_intent(leaving)
    fill = RecordedFill(
        id="out",
        client_order_id=leaving.client_order_id,
        opens=False,
        quantity=Quantity(10),
        price=Price(price),
        at=END,
    )
    return replace(position, fills=(*position.fills, fill))


def test_trade_is_net_of_fees_and_funding() -> None:
    booked = book_trade(ended(), (ENTRY_ROW, EXIT_ROW, FUNDING_ROW), END)
    assert (booked.gross, booked.fees, booked.funding) == (-20, Decimal("0.7"), Decimal("-0.35"))
    assert booked.net == Decimal("-21.05")
    assert booked.r_multiple == Decimal("-0.842")
    assert (booked.entry, booked.exit, booked.quantity, booked.closed_at) == (100, 98, 10, END)


@pytest.mark.parametrize(
    "stranger",
    [
        row(9, contract="PF_OTHERUSD", funding=Money(7)),
        row(9, contract=None, funding=Money(7)),
        row(9, execution="another", fee=Money(7), realised=Money(7), funding=Money(7)),
        row(9, funding=Money(7), at=NOW - seconds(1)),
    ],
)
def test_rows_of_others_are_left_out(stranger: LedgerRow) -> None:
    rows = (ENTRY_ROW, EXIT_ROW)
    assert book_trade(ended(), (*rows, stranger), END) == book_trade(ended(), rows, END)


def test_own_row_counts_whatever_the_clocks_say() -> None:
    early = replace(ENTRY_ROW, at=NOW - seconds(5))
    assert book_trade(ended(), (early, EXIT_ROW), END).fees == Decimal("0.7")


def test_log_must_hold_every_fill() -> None:
    assert not missing_from(ended(), (ENTRY_ROW, EXIT_ROW))
    assert missing_from(ended(), (ENTRY_ROW, FUNDING_ROW))
    assert missing_from(ended(), ())


def test_risk_of_a_partial_entry_is_its_share() -> None:
    half = ended(planned=Quantity(20))
    assert book_trade(half, (ENTRY_ROW, EXIT_ROW), END).r_multiple == Decimal("-1.66")


def target() -> OrderIntent:
    return target_intent(filled(), Purpose.TARGET_2, Quantity(10), Price(105), NOW)


@pytest.mark.parametrize(
    ("position", "reason"),
    [
        (ended(), "stop"),
        (ended(target(), 105), "target_2"),
        (ended(exit_intent(filled(), NOW)), "exit"),
        (ended(close_reason="time_exit"), "time_exit"),
        (filled(quantity=Quantity(0)), "gone"),
        (ended(risk=Money(0)), "stop"),
    ],
)
def test_exit_reason_names_what_ended_it(position: Position, reason: str) -> None:
    assert book_trade(position, (ENTRY_ROW, EXIT_ROW), END).exit_reason == reason


def test_moved_stop_is_told_as_break_even() -> None:
    position = ended()
    moved = replace(intent_of(position, Purpose.STOP), trigger_price=Price("100.4"))
    assert book_trade(position.with_intent(moved), (ENTRY_ROW, EXIT_ROW), END).exit_reason == "break_even_stop"


def test_closing_by_somebody_else_is_said() -> None:
    position = ended()
    nameless = replace(position.fills[-1], client_order_id=None)
    foreign = replace(position, fills=(position.fills[0], nameless))
    assert book_trade(foreign, (ENTRY_ROW, EXIT_ROW), END).exit_reason == "closed by somebody else"


def half_gone() -> Position:
    """Flat at the venue; the fills show four of ten leaving."""
    position = ended()
    return replace(position, fills=(position.fills[0], replace(position.fills[1], quantity=Quantity(4))))


UNSEEN = row(7, execution="unseen", realised=Money(-12), fee=Money("0.3"), at=END + seconds(5))


def test_closing_without_a_fill_is_priced_by_log() -> None:
    rows = (ENTRY_ROW, replace(EXIT_ROW, realised=Money(-8)), UNSEEN)
    assert missing_from(half_gone(), rows) == ""
    booked = book_trade(half_gone(), rows, END)
    assert (booked.gross, booked.fees, booked.exit) == (-20, 1, 98)
    assert booked.closed_at == UNSEEN.at


@pytest.mark.parametrize(
    "stranger",
    [
        replace(UNSEEN, realised=Money(0)),
        replace(UNSEEN, contract="PF_OTHERUSD"),
        replace(UNSEEN, execution=None),
        replace(UNSEEN, at=NOW - seconds(1)),
    ],
)
def test_end_that_nothing_prices_is_not_booked(stranger: LedgerRow) -> None:
    why = missing_from(half_gone(), (ENTRY_ROW, EXIT_ROW, stranger))
    assert why == "no row says how the last 6 PF_COINUSD were closed"


def test_position_that_is_held_lacks_nothing() -> None:
    held = replace(half_gone(), quantity=Quantity(6))
    assert missing_from(held, (ENTRY_ROW, EXIT_ROW)) == ""
    assert book_trade(held, (ENTRY_ROW, EXIT_ROW, UNSEEN), END).fees == Decimal("0.7")


def test_order_that_turned_it_over_costs_its_share() -> None:
    position = ended()
    turned = replace(position.fills[1], client_order_id=None, quantity=Quantity(25))
    booked = book_trade(replace(position, fills=(position.fills[0], turned)), (ENTRY_ROW, EXIT_ROW), END)
    assert (booked.fees, booked.exit, booked.exit_reason) == (Decimal("0.4"), 98, "closed by somebody else")


def test_funding_after_the_end_is_of_somebody_else() -> None:
    later = replace(FUNDING_ROW, at=END + seconds(1))
    assert book_trade(ended(), (ENTRY_ROW, EXIT_ROW, later), END).funding == Decimal("-0.05")
    held = filled()
    assert book_trade(held, (ENTRY_ROW, later), END).funding == Decimal("-0.3")


def test_equity_is_start_and_trades_and_what_is_open() -> None:
    trade = book_trade(ended(), (ENTRY_ROW, EXIT_ROW), END)
    open_book = OpenBook(position=filled(), rows=(ENTRY_ROW,), mark=Decimal(103))
    waiting_book = OpenBook(position=planned(), rows=(), mark=Decimal(103))
    found = ledger_equity(Decimal(1000), [trade], [open_book, waiting_book], END)
    assert found.equity == 1000 + trade.net + Decimal("-0.2") + 30
    assert (found.fees, found.funding) == (Decimal("0.9"), Decimal("-0.05"))
    assert unrealised(planned(), Decimal(103)) == 0


def test_position_without_an_entry_is_never_booked() -> None:
    with pytest.raises(AssertionError, match="without an entry fill"):
        book_trade(planned(), (), END)
