"""Every read against every kind of bad answer: one clear sentence, never an empty list, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from shared.venue import KrakenRestVenue, KrakenSpot
from tests.integration.venue.conftest import SECRET, StoppedClock
from tests.integration.venue.loopback_venue import LoopbackVenue, Scripted
from trading.errors import VenueAnswerInvalid, VenueUnavailable
from trading.model.times import Timeframe

SINCE = datetime(2026, 11, 22, 10, tzinfo=UTC)
READS: dict[str, Callable[[KrakenRestVenue], object]] = {
    "contracts": lambda venue: venue.contracts(),
    "quotes": lambda venue: venue.quotes(),
    "order_book": lambda venue: venue.order_book("PF_XBTUSD"),
    "stress": lambda venue: venue.stress(),
    "index_candles": lambda venue: venue.index_candles("PF_XBTUSD", Timeframe.M15, SINCE),
    "account": lambda venue: venue.account(),
    "positions": lambda venue: venue.positions(),
    "open_orders": lambda venue: venue.open_orders(),
    "order_reports": lambda venue: venue.order_reports(["smc-1"]),
    "order_history": lambda venue: venue.order_history("PF_XBTUSD", SINCE),
    "fills": lambda venue: venue.fills(),
    "ledger_rows": lambda venue: venue.ledger_rows(SINCE),
    "cancel": lambda venue: venue.cancel("smc-1"),
    "cancel_order": lambda venue: venue.cancel_order("order-1"),
    "server_time": lambda venue: venue.server_time(),
}
SPOT_READS: dict[str, Callable[[KrakenSpot], object]] = {
    "pairs": lambda spot: spot.pairs(),
    "quotes": lambda spot: spot.quotes(["XXBTZUSD"]),
    "candles": lambda spot: spot.candles("XXBTZUSD", Timeframe.M15, SINCE),
    "trades": lambda spot: spot.trades("XXBTZUSD", 0),
}
HTML = "<html><body>Kraken is under maintenance</body></html>"
BAD_BODIES = {
    "web page": Scripted(text=HTML, content_type="text/html"),
    "empty body": Scripted(text=""),
    "empty object": Scripted(text="{}"),
    "list": Scripted(text="[]"),
    "truncated": Scripted(text='{"result":"success","openPositions":[{"side":"lo'),
    "success alone": Scripted(text='{"result":"success","serverTime":"2026-11-22T12:00:00Z"}'),
    "NaN": Scripted(text='{"result":NaN}'),
}
FAILURES = {
    "503 page": Scripted(status=503, text=HTML, content_type="text/html"),
    "524 page": Scripted(status=524, text=HTML, content_type="text/html"),
    "500 errors": Scripted(status=500, text='{"status":"ERROR","result":"error","errors":[{"code":0,"message":"x"}]}'),
    "429 json": Scripted(status=429, text='{"result":"error","error":"apiLimitExceeded"}'),
    "429 page": Scripted(status=429, text=HTML, content_type="text/html"),
    "Unavailable": Scripted(text='{"result":"error","error":"Unavailable"}'),
    "error without name": Scripted(text='{"result":"error"}'),
    "closed": Scripted(fault="close"),
    "cut": Scripted(text='{"result":"success","fills":[]}', fault="cut"),
}


@pytest.mark.parametrize("bad", BAD_BODIES)
@pytest.mark.parametrize("read", READS)
def test_undocumented_body_is_no_answer(venue: KrakenRestVenue, loopback: LoopbackVenue, read: str, bad: str) -> None:
    loopback.answer_everything(BAD_BODIES[bad])
    with pytest.raises(VenueAnswerInvalid, match=r"^venue answered .+; expected .+") as caught:
        READS[read](venue)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("bad", FAILURES)
@pytest.mark.parametrize("read", READS)
def test_failed_read_is_venue_unavailable(venue: KrakenRestVenue, loopback: LoopbackVenue, read: str, bad: str) -> None:
    loopback.answer_everything(FAILURES[bad])
    with pytest.raises(VenueUnavailable, match=r"^venue (answered|refused|gave no answer|limits)") as caught:
        READS[read](venue)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("read", READS)
def test_silent_venue_is_given_up_in_time(loopback: LoopbackVenue, read: str) -> None:
    loopback.answer_everything(Scripted(fault="hang"))
    impatient = KrakenRestVenue(key="key", secret=SECRET, base_url=loopback.url, timeout_s=0.15)
    with pytest.raises(VenueUnavailable, match=r"gave no answer to \S+: RequestTimeout"):
        READS[read](impatient)


@pytest.mark.parametrize("bad", [*BAD_BODIES, *FAILURES])
@pytest.mark.parametrize("read", SPOT_READS)
def test_bad_spot_answer_is_venue_unavailable(spot: KrakenSpot, loopback: LoopbackVenue, read: str, bad: str) -> None:
    loopback.answer_everything((BAD_BODIES | FAILURES)[bad])
    with pytest.raises(VenueUnavailable, match=r"^venue ") as caught:
        SPOT_READS[read](spot)
    assert "\n" not in str(caught.value)


def test_refused_connection_is_venue_unavailable() -> None:
    spot = KrakenSpot(clock=StoppedClock(), base_url="http://127.0.0.1:9", timeout_s=0.5)
    with pytest.raises(VenueUnavailable, match="gave no answer to AssetPairs"):
        spot.pairs()
