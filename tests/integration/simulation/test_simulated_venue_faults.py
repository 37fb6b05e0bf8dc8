"""What each fault of an HTTP request looks like to the real adapter, and what it leaves at the venue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from requests import RequestException

from infra.local.market import CandleMarket, GeneratedMarket, generated_market
from infra.local.sandbox.faults import Fault
from infra.local.sandbox.wire import Response
from shared.venue.last_line import LastLine
from tests.fakes.records import coin
from tests.integration.trading.test_venue_contract import CAPS, Trader
from tests.simulation.transports import http_faults as faults
from tests.simulation.transports.feed import ListedPrices
from tests.simulation.transports.http import InProcessVenue, Run
from trading.errors import TradingError, VenueAnswerInvalid, VenueAuthenticationFailed, VenueUnavailable
from trading.matching import PricePoint
from trading.model.orders import OrderType
from trading.model.venue import SendOutcome

START = datetime(2024, 8, 1, tzinfo=UTC)
Spoil = Callable[[Response], Response]


@pytest.fixture(scope="module")
def market() -> CandleMarket:
    return generated_market(GeneratedMarket(seed=7, coins=2, start=START, days=1, history_days=1))


@pytest.fixture
def venue(market: CandleMarket) -> InProcessVenue:
    return InProcessVenue(market, START)


@pytest.fixture
def trader(venue: InProcessVenue) -> Trader:
    adapter = venue.client(LastLine(caps=CAPS, clock=venue))
    return Trader(adapter, "PF_XBTUSD", lambda seconds: venue.advance(venue.now() + timedelta(seconds=seconds)))


def sending(venue: InProcessVenue, trader: Trader, play: Callable[[Run], Response]) -> SendOutcome:
    """A resting order whose request this happens to."""

    def hook(method: str, path: str, parameters: Mapping[str, str], run: Run) -> Response:
        return play(run) if path.endswith("/sendorder") else run()

    venue.hook = hook
    return trader.send("order", OrderType.POST, share="0.9").outcome


def raised(error: Callable[[], RequestException], *, effect: bool) -> Callable[[Run], Response]:
    def play(run: Run) -> Response:
        if effect:
            run()
        raise error()

    return play


@pytest.mark.parametrize("error", [faults.refused, faults.connect_timed_out, faults.timed_out, faults.connection_lost])
@pytest.mark.parametrize("effect", [False, True])
def test_lost_connection_leaves_a_send_unknown(
    venue: InProcessVenue, trader: Trader, error: Callable[[], RequestException], effect: bool
) -> None:
    assert sending(venue, trader, raised(error, effect=effect)) is SendOutcome.UNKNOWN
    assert len(trader.venue.open_orders()) == effect


@pytest.mark.parametrize(
    "spoil",
    [
        *(lambda _: faults.server_error(), lambda _: faults.html(), lambda _: faults.html(200)),
        *(lambda _: faults.empty(), faults.broken_off, faults.truncated),
    ],
)
def test_spoilt_answer_leaves_a_send_unknown(venue: InProcessVenue, trader: Trader, spoil: Spoil) -> None:
    assert sending(venue, trader, lambda run: spoil(run())) is SendOutcome.UNKNOWN
    assert len(trader.venue.open_orders()) == 1


def test_duplicated_request_makes_one_order(venue: InProcessVenue, trader: Trader) -> None:
    def twice(run: Run) -> Response:
        first = run()
        run()
        return first

    assert sending(venue, trader, twice) is SendOutcome.ACCEPTED
    assert len(trader.venue.open_orders()) == 1


def test_request_that_arrives_late_is_refused_by_the_venue(venue: InProcessVenue, trader: Trader) -> None:
    late: list[Run] = []

    def delayed(run: Run) -> Response:
        late.append(run)
        raise faults.timed_out()

    assert sending(venue, trader, delayed) is SendOutcome.UNKNOWN
    trader.pass_seconds(60)
    assert b"wouldProcessAfterSpecifiedTime" in late[0]().body
    assert trader.venue.open_orders() == ()


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda _: faults.html(), VenueUnavailable),
        (lambda _: faults.empty(), VenueAnswerInvalid),
        (lambda _: faults.throttled(), VenueUnavailable),
        (lambda _: faults.call_limit(), VenueUnavailable),
        (lambda _: faults.unauthorised(), VenueAuthenticationFailed),
        (faults.broken_off, VenueUnavailable),
        (faults.truncated, VenueAnswerInvalid),
    ],
)
def test_spoilt_answer_is_never_an_empty_one(
    venue: InProcessVenue, trader: Trader, spoil: Spoil, error: type[TradingError]
) -> None:
    venue.hook = lambda _method, _path, _parameters, run: spoil(run())
    with pytest.raises(error):
        trader.venue.positions()


def test_changed_fields_raise_nothing_of_another_kind(venue: InProcessVenue, trader: Trader) -> None:
    trader.buy()
    trader.send("rest", OrderType.POST, share="0.9")
    random, refused = Random(5), 0
    venue.hook = lambda _method, _path, _parameters, run: random.choice((faults.retyped, faults.shortened))(
        run(), random
    )
    reads = (trader.venue.positions, trader.venue.open_orders, trader.venue.account, trader.venue.fills)
    for number in range(200):
        try:
            reads[number % len(reads)]()
        except TradingError:
            refused += 1
    assert refused > 50


def test_revoked_key_is_told_apart_from_an_outage(venue: InProcessVenue, trader: Trader) -> None:
    venue.revoke_key()
    with pytest.raises(VenueAuthenticationFailed):
        trader.venue.account()
    assert trader.venue.quotes()
    venue.restore_key()
    assert trader.venue.account().equity == 10_000


def test_scripted_timeout_of_the_sandbox_takes_no_time(venue: InProcessVenue, trader: Trader) -> None:
    venue.sandbox.faults.faults.append(Fault(path="/openpositions", kind="timeout", hold_seconds=600))
    with pytest.raises(VenueUnavailable):
        trader.venue.positions()


def test_hook_sees_what_was_asked(venue: InProcessVenue, trader: Trader) -> None:
    seen: list[tuple[str, str, str]] = []

    def hook(method: str, path: str, parameters: Mapping[str, str], run: Run) -> Response:
        seen.append((method, path, parameters.get("cliOrdId", parameters.get("cliOrdIds", ""))))
        return run()

    venue.hook = hook
    trader.send("seen", OrderType.POST, share="0.9")
    trader.venue.order_reports(["smc-seen", "smc-other"])
    assert seen[-2:] == [
        ("POST", "/derivatives/api/v3/sendorder", "smc-seen"),
        ("GET", "/derivatives/api/v3/orders/status", "smc-seen,smc-other"),
    ]


class RisingPrices:
    """100 USD at the start, one more each minute; the index one above the mark."""

    def quote(self, symbol: str, at: datetime) -> PricePoint:
        mark = Decimal(100) + Decimal((at - START) // timedelta(minutes=1))
        return PricePoint(at, mark + 1, mark)

    def path(self, symbol: str, start: datetime, end: datetime) -> Sequence[PricePoint]:
        return [self.quote(symbol, start), self.quote(symbol, end)]

    def funding_rate(self, symbol: str, at: datetime) -> Decimal:
        return Decimal(0)


def test_instruments_of_ours_trade_on_any_feed() -> None:
    instruments = [coin("COIN"), coin("OTHER")]
    venue = InProcessVenue(ListedPrices(RisingPrices(), instruments, START, START + timedelta(hours=2)), START)
    trader = Trader(venue.client(LastLine(caps=CAPS, clock=venue)), "PF_OTHERUSD", lambda _: None)
    trader.buy()
    venue.advance(START + timedelta(minutes=60))
    assert trader.venue.quotes()["PF_OTHERUSD"].mark == 160
    assert [each.contract for each in trader.venue.positions()] == ["PF_OTHERUSD"]
    spot = venue.spot_client().quotes(["COINUSD", "OTHERUSD"])
    assert spot["OTHERUSD"].bid < 161 < spot["OTHERUSD"].ask
    assert {each.contract: each.tick for each in venue.market_client().contracts()}["PF_COINUSD"] == coin().tick
