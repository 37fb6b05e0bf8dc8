"""Section 15: more rows than one answer holds. Everything is read, or there is no answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.integration.venue.faulty_venue import CONTRACT, SIZE, Rig
from trading.errors import VenueUnavailable
from trading.matching import OrderRequest, OrderType, Side


def _trade(rig: Rig, number: int) -> None:
    side = Side.BUY if number % 2 == 0 else Side.SELL
    request = OrderRequest(symbol=CONTRACT, side=side, order_type=OrderType.MARKET, size=SIZE)
    assert rig.engine.send(request).status == "placed"


def many_fills(rig: Rig) -> None:
    """More than a page since the last read, at several moments and with many at one moment."""
    started = rig.now()
    for number in range(250):
        _trade(rig, number)
        if number % 60 == 59:
            rig.advance(seconds=20)
    assert len(rig.venue.fills()) == 100
    everything = rig.venue.fills(started)
    assert len({fill.id for fill in everything}) == len(everything) == 250
    rig.fault("/fills", "rewrite", count=4, turned=["fills"])
    assert {fill.id for fill in rig.venue.fills(started)} == {fill.id for fill in everything}


def fills_of_one_moment(rig: Rig) -> None:
    """More at one moment than a page holds: some cannot be read, and that is said."""
    started = rig.now()
    for number in range(150):
        _trade(rig, number)
    with pytest.raises(VenueUnavailable, match="at one moment than a page holds"):
        rig.venue.fills(started)


def fills_without_end(rig: Rig) -> None:
    """More pages than are ever asked for: no answer instead of a part."""
    started = rig.now()
    for number in range(1200):
        _trade(rig, number)
        if number % 50 == 49:
            rig.advance(seconds=1)
    with pytest.raises(VenueUnavailable, match="more than 10 further pages"):
        rig.venue.fills(started)
    assert len(rig.venue.fills(rig.now() - timedelta(seconds=8))) >= 400


def log_of_one_moment(rig: Rig) -> None:
    started = rig.now()
    for number in range(510):
        _trade(rig, number)
    with pytest.raises(VenueUnavailable, match="more than a page of one moment"):
        rig.venue.ledger_rows(started)


def history_token_expires(rig: Rig) -> None:
    """Half a history is no history."""
    started = rig.now()
    for number in range(510):
        _trade(rig, number)
    expired = {"status": "BAD_REQUEST", "result": "error", "errors": [{"code": 11, "message": "Argument invalid: x"}]}
    rig.fault("v3/orders", "answer", holding="continuation_token", body=expired, status=400)
    with pytest.raises(VenueUnavailable, match="Argument invalid"):
        rig.venue.order_history(CONTRACT, started)
    assert len(rig.venue.order_history(CONTRACT, started)) == 510
