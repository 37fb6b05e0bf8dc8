"""Section 15, last part: rows that are odd in themselves, and the public spot API."""

from __future__ import annotations

from collections.abc import Callable, Sized
from datetime import timedelta

import pytest

from tests.integration.venue.faulty_venue import SIZE, Rig
from trading.errors import VenueAnswerInvalid, VenueThrottled, VenueUnavailable
from trading.model.orders import OrderType
from trading.model.times import Timeframe
from trading.model.units import Quantity
from trading.model.venue import OpenOrderKind, OrderFate

PAIR = "XXBTZUSD"
ROWS = f"result.{PAIR}"


def null_fields(rig: Rig) -> None:
    """A null where a figure must be makes the answer none; it never makes a position, order or fill disappear."""
    rig.buy()
    rig.rest()
    reads = {
        "openPositions": ("/openpositions", ("size", "symbol", "side", "price"), rig.venue.positions),
        "openOrders": ("/openorders", ("order_id", "unfilledSize", "reduceOnly", "side"), rig.venue.open_orders),
        "fills": ("/fills", ("fill_id", "size", "price", "fillTime", "side"), rig.venue.fills),
    }
    for rows, (path, names, read) in reads.items():
        for name in names:
            rig.fault(path, "rewrite", changes={f"{rows}.0.{name}": None})
            with pytest.raises(VenueAnswerInvalid, match=r"expected valid"):
                read()
        assert len(read()) == 1, rows


def unknown_words(rig: Rig) -> None:
    """New words keep the row: an order of an unknown status is still there, a fill of an unknown kind still counts."""
    rig.buy()
    rig.rest()
    rig.fault("/orders/status", "rewrite", changes={"orders.*.status": "BRAND_NEW", "orders.*.updateReason": "new"})
    assert [each.fate for each in rig.venue.order_reports(["smc-rest-1"])] == [OrderFate.WORKING]
    rig.fault("/fills", "rewrite", changes={"fills.*.fillType": "brandNew"})
    assert {each.kind for each in rig.venue.fills()} == {"brandNew"}
    rig.fault("/openorders", "rewrite", changes={"openOrders.*.orderType": "brand_new", "openOrders.*.status": "new"})
    assert [each.kind for each in rig.venue.open_orders()] == [OpenOrderKind.LIMIT]
    rig.fault("/cancelorder", "rewrite", changes={"cancelStatus.status": "brandNew"})
    assert not rig.venue.cancel("smc-rest-1").gone


def repeated_rows(rig: Rig) -> None:
    """A row that comes twice counts once; two rows that contradict each other are no answer."""
    rig.buy()
    rig.rest()
    looks: dict[str, tuple[str, Callable[[], Sized]]] = {
        "fills": ("/fills", rig.venue.fills),
        "openOrders": ("/openorders", rig.venue.open_orders),
        "openPositions": ("/openpositions", rig.venue.positions),
        "orders": ("/orders/status", lambda: rig.venue.order_reports(["smc-rest-1"])),
    }
    for rows, (path, read) in looks.items():
        rig.fault(path, "rewrite", repeated=[rows])
        assert len(read()) == 1, rows
    rig.fault("/openpositions", "rewrite", repeated=["openPositions"], changes={"openPositions.0.size": 5})
    with pytest.raises(VenueAnswerInvalid, match="two different rows of PF_XBTUSD"):
        rig.venue.positions()


def unsorted_fills(rig: Rig) -> None:
    for number in range(4):
        rig.buy(f"smc-buy-{number}")
        rig.advance(seconds=5)
    rig.fault("/fills", "rewrite", turned=["fills"])
    turned = rig.venue.fills()
    assert [fill.at for fill in turned] == sorted(fill.at for fill in turned)
    assert turned == rig.venue.fills()
    assert sum(fill.quantity for fill in turned) == 4 * SIZE


def spot_refused(rig: Rig, word: str, *, throttled: bool) -> None:
    rig.fault("/OHLC", "answer", body={"error": [word]})
    with pytest.raises(VenueUnavailable, match=word.partition(":")[0]) as caught:
        rig.spot().candles(PAIR, Timeframe.M15, None)
    assert isinstance(caught.value, VenueThrottled) is throttled


def spot_rate_limit(rig: Rig) -> None:
    """By the sandbox's own counting and by the word."""
    spot_refused(rig, "EAPI:Rate limit exceeded", throttled=True)
    rig.served.control("spot", {"limit": "per_ip", "calls_per_second": 0.01})
    spot = rig.spot()
    spot.candles(PAIR, Timeframe.M15, None)
    with pytest.raises(VenueThrottled):
        spot.candles(PAIR, Timeframe.M15, None)


def missing_bar(rig: Rig) -> None:
    rig.fault("/OHLC", "rewrite", removed=[f"{ROWS}.300"])
    assert rig.spot().candles(PAIR, Timeframe.M15, None).bars.gaps == 1
    assert rig.spot().candles(PAIR, Timeframe.M15, None).bars.gaps == 0


def repeated_bar(rig: Rig) -> None:
    rig.fault("/OHLC", "rewrite", repeated=[ROWS])
    with pytest.raises(VenueAnswerInvalid, match="bar"):
        rig.spot().candles(PAIR, Timeframe.M15, None)


def late_commit(rig: Rig) -> None:
    """The bar that closed a moment ago is there and not committed: it is not given out."""
    rig.served.control("spot", {"late_s": {PAIR: 30}})
    rig.advance(minutes=15)
    early = rig.spot().candles(PAIR, Timeframe.M15, None).bars
    rig.advance(seconds=30)
    later = rig.spot().candles(PAIR, Timeframe.M15, None).bars
    assert early.closed_at is not None
    assert later.closed_at == early.closed_at + timedelta(minutes=15) == Timeframe.M15.floor(rig.now())


def row_cap(rig: Rig) -> None:
    """Never more than 720 rows, however far back is asked; what is missing at the front is seen to be missing."""
    since = rig.now() - timedelta(days=9)
    bars = rig.spot().candles(PAIR, Timeframe.M15, since).bars
    assert len(bars) == 719
    assert bars.times[0] > since.timestamp()


def altname_key(rig: Rig) -> None:
    """A result under another name of the pair is no answer, where ccxt would see an empty list."""
    row = [1722470400, "1", "1", "1", "1", "1", "1", 1]
    rig.fault("/OHLC", "answer", body={"error": [], "result": {"XBTUSD": [row], "last": 1722470400}})
    with pytest.raises(VenueAnswerInvalid, match="XXBTZUSD"):
        rig.spot().candles(PAIR, Timeframe.M15, None)


def warning(rig: Rig) -> None:
    rig.fault("/OHLC", "rewrite", changes={"error": ["WGeneral:Something to know"]})
    assert len(rig.spot().candles(PAIR, Timeframe.M15, None).bars) == 719


def maintenance(rig: Rig) -> None:
    """Every path answers with a page: sends are unknown, reads raise, and nothing is taken for flat."""
    rig.buy()
    rig.fault("*", "page", status=503, count=4)
    assert rig.rest().outcome == "unknown"
    for read in (rig.venue.positions, rig.venue.open_orders, rig.venue.account):
        with pytest.raises(VenueUnavailable, match="503"):
            read()
    assert len(rig.venue.positions()) == 1
    assert rig.place("smc-lot-1", OrderType.POST, "0.9", quantity=Quantity("0.02")).outcome == "accepted"
