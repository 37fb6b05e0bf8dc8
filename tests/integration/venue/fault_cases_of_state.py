"""Section 15, second half: the world moves behind our back, and endpoints show it late, twice or spelt differently."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tests.integration.venue.faulty_venue import CONTRACT, SIZE, Rig
from trading.errors import VenueAnswerInvalid
from trading.model.instruments import Side
from trading.model.orders import OrderSide, OrderType
from trading.model.units import Quantity
from trading.model.venue import OrderFate, SendOutcome, refused_for_now

BUY_BY_HAND = {"action": "order", "side": "buy", "orderType": "mkt", "size": "0.01"}
HOURS = 60


def fill_between_read_and_send(rig: Rig) -> None:
    """We see a position, its stop fires, we send the exit: the second of the two is refused and that is success."""
    rig.buy()
    assert len(rig.venue.positions()) == 1
    rig.stop("1.0003")
    exit_now = rig.place("smc-exit-1", OrderType.MARKET, side=OrderSide.SELL)
    assert (exit_now.outcome, exit_now.detail) == (SendOutcome.REJECTED, "wouldNotReducePosition")
    assert rig.venue.positions() == ()
    assert sum(fill.quantity for fill in rig.venue.fills()) == 2 * SIZE


def cancel_said_done_then_fill(rig: Rig) -> None:
    """The cancel is acknowledged and the order fills all the same: later looks must show it."""
    started = rig.now()
    rig.place("smc-rest-1", OrderType.POST, "0.999")
    body = {"result": "success", "cancelStatus": {"status": "cancelled"}, "serverTime": started.isoformat()}
    rig.fault("/cancelorder", "answer", body=body)
    assert rig.venue.cancel("smc-rest-1").gone
    assert [each.client_order_id for each in rig.venue.open_orders()] == ["smc-rest-1"]
    _advance_until_filled(rig)
    report = rig.history("smc-rest-1", started)
    assert report is not None
    assert (report.fate, report.filled) == (OrderFate.FILLED, SIZE)
    assert rig.venue.cancel("smc-rest-1").detail == "filled"


def _advance_until_filled(rig: Rig) -> None:
    for _ in range(HOURS):
        rig.advance(hours=1)
        if not rig.venue.open_orders():
            return
    raise AssertionError(f"nothing filled within {HOURS} hours")


def stop_vanishes(rig: Rig) -> None:
    rig.buy()
    rig.stop("0.9")
    assert len(rig.venue.open_orders()) == 1
    rig.owner(action="remove_stops")
    assert (rig.venue.open_orders(), len(rig.venue.positions())) == ((), 1)
    report = rig.report("smc-stop-1")
    assert report is not None
    assert report.fate is OrderFate.CANCELLED


def stop_fires_while_flat(rig: Rig) -> None:
    """An orphan stays when the position is closed; when it fires it opens nothing."""
    started = rig.now()
    rig.buy()
    rig.stop("0.9995")
    rig.place("smc-exit-1", OrderType.MARKET, side=OrderSide.SELL)
    assert (rig.venue.positions(), len(rig.venue.open_orders())) == ((), 1)
    _advance_until_filled(rig)
    assert rig.venue.positions() == ()
    report = rig.history("smc-stop-1", started)
    assert report is not None
    assert (report.fate, report.filled) == (OrderFate.CANCELLED, Quantity(0))


def stop_fails_when_it_fires(rig: Rig) -> None:
    """Accepted, fired at once and failed: for a few seconds orders/status says so, and it counts as ended."""
    assert rig.stop("1.01").outcome is SendOutcome.ACCEPTED
    row = rig.served.futures.private_get_orders_status({"orderIds": [], "cliOrdIds": ["smc-stop-1"]})["orders"][0]
    assert row["status"] == "TRIGGER_ACTIVATION_FAILURE"
    report = rig.report("smc-stop-1")
    assert report is not None
    assert (report.fate, rig.venue.open_orders()) == (OrderFate.CANCELLED, ())
    rig.advance(seconds=6)
    assert rig.report("smc-stop-1") is None


def late_fills(rig: Rig) -> None:
    rig.switch(fills_lag_s=30)
    rig.buy()
    assert (rig.venue.fills(), rig.venue.positions()[0].quantity) == ((), SIZE)
    rig.advance(seconds=30)
    assert sum(fill.quantity for fill in rig.venue.fills()) == SIZE


def late_positions(rig: Rig) -> None:
    rig.switch(positions_lag_s=5)
    rig.buy()
    assert (rig.venue.positions(), sum(fill.quantity for fill in rig.venue.fills())) == ((), SIZE)
    rig.advance(seconds=5)
    assert rig.venue.positions()[0].quantity == SIZE
    rig.place("smc-exit-1", OrderType.MARKET, side=OrderSide.SELL)
    assert len(rig.venue.positions()) == 1
    rig.advance(seconds=5)
    assert rig.venue.positions() == ()


def late_open_orders(rig: Rig) -> None:
    """Both ways: the new order is not shown yet, the cancelled one is shown still; orders/status knows better."""
    rig.switch(open_orders_lag_s=3)
    rig.rest()
    report = rig.report("smc-rest-1")
    assert report is not None
    assert (report.fate, rig.venue.open_orders()) == (OrderFate.WORKING, ())
    rig.advance(seconds=3)
    assert rig.venue.cancel("smc-rest-1").gone
    assert len(rig.venue.open_orders()) == 1
    rig.advance(seconds=3)
    assert rig.venue.open_orders() == ()


def late_order_status(rig: Rig) -> None:
    """A short memory and a lag of its own: that it lists nothing proves nothing."""
    rig.switch(status_lag_s=4)
    rig.rest()
    assert (rig.report("smc-rest-1"), len(rig.venue.open_orders())) == (None, 1)
    rig.advance(seconds=4)
    assert rig.report("smc-rest-1") is not None
    rig.venue.cancel("smc-rest-1")
    rig.advance(seconds=10)
    assert rig.report("smc-rest-1") is None


def late_history(rig: Rig) -> None:
    started = rig.now()
    rig.switch(history_lag_s=120)
    rig.buy()
    assert (rig.history("smc-buy-1", started), rig.venue.ledger_rows(started)) == (None, ())
    rig.advance(seconds=120)
    report = rig.history("smc-buy-1", started)
    assert report is not None
    assert (report.fate, len(rig.venue.ledger_rows(started))) == (OrderFate.FILLED, len(rig.venue.fills()))


def lower_case(rig: Rig) -> None:
    rig.buy()
    rig.stop("0.9")
    rig.switch(lower_case_symbols=True, stop_type_in_open_orders="stp")
    looks = (rig.venue.positions(), rig.venue.open_orders(), rig.venue.fills(), rig.venue.order_reports(["smc-stop-1"]))
    assert all(look and {each.contract for each in look} == {CONTRACT} for look in looks)


def flipped_by_hand(rig: Rig) -> None:
    rig.buy()
    rig.owner(**{**BUY_BY_HAND, "side": "sell", "size": "0.03"})
    (position,) = rig.venue.positions()
    assert (position.side, position.quantity) == (Side.SHORT, Quantity("0.02"))
    assert {fill.client_order_id for fill in rig.venue.fills()} == {"smc-buy-1", None}


def liquidated(rig: Rig, kind: str) -> None:
    """Margin tiers rise until the account cannot hold what it holds."""
    rig.buy(quantity=Quantity("8"))
    held = rig.venue.positions()[0].quantity
    margin = str(Decimal("0.9") * rig.venue.account().equity / (held * rig.mark()))
    tier = {"from_notional": "0", "initial": margin, "maintenance": margin}
    worse = {
        **tier,
        "initial": str(Decimal(margin) * Decimal("1.2")),
        "maintenance": str(Decimal(margin) * Decimal("1.2")),
    }
    rig.switch(market=CONTRACT, terms={"margin_tiers": [worse]})
    rig.switch(partial_liquidation=kind == "partialLiquidation")
    started = rig.now()
    rig.advance(minutes=1)
    closing = [fill for fill in rig.venue.fills() if fill.side is OrderSide.SELL]
    assert {fill.kind for fill in closing} == {kind}
    assert {fill.client_order_id for fill in closing} == {None}
    left = sum(each.quantity for each in rig.venue.positions())
    assert left == held - sum(fill.quantity for fill in closing)
    assert (left > 0) is (kind == "partialLiquidation")
    assert {row.kind for row in rig.venue.ledger_rows(started)} >= {"futures liquidation"}


def restricted_market(rig: Rig, status: str, word: str) -> None:
    """Refused for now, and the ticker says why."""
    rig.switch(market=CONTRACT, status=status)
    answer = rig.buy()
    assert (answer.outcome, answer.detail, refused_for_now(answer.detail)) == (SendOutcome.REJECTED, word, True)
    quote = rig.venue.quotes()[CONTRACT]
    assert (quote.suspended, quote.post_only) == (status == "suspended", status == "post_only")


def terms_change(rig: Rig) -> None:
    """Tick and step change between two loads: the old ones are refused, the new ones are listed."""
    rig.switch(market=CONTRACT, terms={"tick_size": "50", "size_step": "0.1"})
    old_step = rig.place("smc-old-1", OrderType.POST, "0.9")
    old_tick = rig.place("smc-old-2", OrderType.POST, "0.9", quantity=Quantity("0.1"), limit_price=Decimal(50_001))
    assert [(each.outcome, each.detail) for each in (old_step, old_tick)] == [
        (SendOutcome.REJECTED, "invalidSize"),
        (SendOutcome.REJECTED, "invalidPrice"),
    ]
    listed = {each.contract: each for each in rig.venue.contracts()}[CONTRACT]
    assert (listed.tick, listed.step) == (Decimal(50), Decimal("0.1"))


def margin_tiers_change(rig: Rig) -> None:
    tiers = [{"from_notional": "0", "initial": "0.5", "maintenance": "0.25"}]
    rig.switch(market=CONTRACT, terms={"margin_tiers": tiers})
    answer = rig.buy(quantity=Quantity("2"))
    assert (answer.outcome, answer.detail) == (SendOutcome.REJECTED, "insufficientAvailableFunds")
    (level,) = {each.contract: each for each in rig.venue.contracts()}[CONTRACT].margin_levels
    assert (level.initial, level.maintenance) == (Decimal("0.5"), Decimal("0.25"))


def funding_rolls_over(rig: Rig) -> None:
    """What accrues is part of the open profit; at the hour it becomes a row of the account log."""
    started = rig.now()
    rig.buy(quantity=Quantity("1"))
    rig.advance(minutes=30)
    accrued = rig.engine.margin().accrued_funding
    gap = rig.venue.account().unrealised - rig.engine.margin().unrealised
    assert accrued != 0
    assert abs(gap - accrued) < Decimal("0.000001")
    assert "funding rate change" not in {row.kind for row in rig.venue.ledger_rows(started)}
    rig.advance(minutes=30)
    booked = [row for row in rig.venue.ledger_rows(started) if row.kind == "funding rate change"]
    assert [abs(row.funding - 2 * accrued) < Decimal("0.000001") for row in booked] == [True]


def skewed_clock(rig: Rig) -> None:
    """The venue's own word for its time is passed on as it is; without one there is no answer."""
    rig.fault("/openpositions", "rewrite", changes={"serverTime": "2024-08-01T00:10:00.000Z"})
    assert rig.venue.server_time() == datetime.fromisoformat("2024-08-01T00:10:00Z")
    assert rig.venue.server_time() == rig.now()
    rig.fault("/openpositions", "rewrite", removed=["serverTime"])
    with pytest.raises(VenueAnswerInvalid, match=r"serverTime|server_time"):
        rig.venue.server_time()
