from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shared.venue import KrakenFuturesMarket, KrakenRestVenue
from shared.venue.contract_translation import TIER_1_MAKER, TIER_1_TAKER
from shared.venue.kraken_rest import HISTORY_ROWS
from tests.integration.venue import recorded_bodies as bodies
from tests.integration.venue.loopback_venue import LoopbackVenue, Scripted
from tests.integration.venue.recorded_bodies import HISTORY, V3
from trading.errors import InvalidInput, VenueAnswerInvalid, VenueAuthenticationFailed, VenueUnavailable
from trading.model.instruments import Side
from trading.model.units import Money, Price
from trading.model.venue import OpenOrderKind, OrderFate

SERVER_TIME = datetime(2026, 11, 22, 11, 59, 59, 500_000, tzinfo=UTC)
SINCE = datetime(2026, 11, 22, 10, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _recorded(loopback: LoopbackVenue) -> None:
    for path, body in bodies.EVERY_READ.items():
        loopback.answer(path, body)


def test_contracts_carry_metadata_and_lowest_tier_fees(venue: KrakenRestVenue) -> None:
    perpetual, dated = venue.contracts()
    assert (perpetual.contract, perpetual.base, perpetual.quote) == ("PF_XBTUSD", "BTC", "USD")
    assert (perpetual.perpetual, dated.perpetual) == (True, False)
    assert (perpetual.tick, perpetual.step) == (Decimal(1), Decimal("0.0001"))
    assert [level.initial for level in perpetual.margin_levels] == [Decimal("0.01"), Decimal("0.02")]
    assert (perpetual.maker_fee, perpetual.taker_fee) == (Decimal("2.1"), Decimal("5.2"))
    assert (dated.contract, dated.base) == ("FF_XBTUSD_261225", "BTC")


def test_unreadable_fee_schedules_give_tier_one_fees(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    loopback.answer(f"{V3}/feeschedules", Scripted(status=503, text="<html>maintenance</html>"))
    assert {(each.maker_fee, each.taker_fee) for each in venue.contracts()} == {(TIER_1_MAKER, TIER_1_TAKER)}


def test_quotes_give_funding_as_share_of_mark(loopback: LoopbackVenue) -> None:
    quotes = KrakenFuturesMarket(base_url=loopback.url).quotes()
    quote = quotes["PF_XBTUSD"]
    assert quote.hourly_funding == Decimal("0.912482213835") / Decimal("84004.5")
    assert quote.volume_usd == Decimal("356641614.007")
    assert quote.at == SERVER_TIME
    assert (quote.bid, quote.ask) == (Price(84001), Price(84002))
    assert (quotes["PF_EMPTYUSD"].bid, quotes["PF_EMPTYUSD"].volume_usd) == (None, Decimal(20))
    assert set(quotes) == {"PF_XBTUSD", "PF_EMPTYUSD"}


def test_account_reads_the_flex_wallet(venue: KrakenRestVenue) -> None:
    account = venue.account()
    assert (account.equity, account.portfolio_value) == (Decimal("10010.7"), Decimal("10010.75"))
    assert (account.available_margin, account.unrealised) == (Decimal("9910.45"), Decimal("10.25"))
    assert (account.initial_margin, account.maintenance_margin) == (Decimal("100.25"), Decimal("50.125"))


def test_positions_keep_exact_prices_and_margin_mode(venue: KrakenRestVenue) -> None:
    short, long = venue.positions()
    assert (short.contract, short.side, short.quantity) == ("PF_XBTUSD", Side.SHORT, Decimal("0.05"))
    assert str(short.entry) == repr(84000.123456789012)
    assert (short.isolated, long.isolated) == (False, True)


def test_closed_out_row_of_size_zero_is_flat(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    row = {"side": "long", "symbol": "PF_XBTUSD", "price": 84000, "size": 0}
    loopback.answer(f"{V3}/openpositions", bodies.success(openPositions=[row]))
    assert venue.positions() == ()


def test_empty_list_is_given_only_when_said(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    loopback.answer(f"{V3}/openpositions", bodies.success(openPositions=[]))
    assert venue.positions() == ()
    loopback.answer(f"{V3}/openpositions", bodies.success())
    with pytest.raises(VenueAnswerInvalid, match="openPositions"):
        venue.positions()


def test_open_stop_keeps_trigger_and_client_id(venue: KrakenRestVenue) -> None:
    (stop,) = venue.open_orders()
    assert (stop.kind, stop.trigger_price, stop.trigger_signal) == (OpenOrderKind.STOP, Price(83000), "index")
    assert (stop.client_order_id, stop.reduce_only) == ("smc-0123456789abcdef-1", True)
    assert (stop.open_quantity, stop.limit_price) == (Decimal("0.05"), None)


def test_order_reports_ask_by_repeated_client_ids(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    (report,) = venue.order_reports(["smc-1", "smc-2"])
    assert (report.fate, report.filled, report.contract) == (OrderFate.CANCELLED, Decimal("0.04"), "PF_XBTUSD")
    assert loopback.asked[-1].parameters == {"cliOrdIds": ["smc-1", "smc-2"]}


def test_no_client_ids_ask_nothing(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    assert venue.order_reports([]) == ()
    assert loopback.asked == []


def test_fills_come_oldest_first(venue: KrakenRestVenue) -> None:
    first, second = venue.fills()
    assert (first.id, first.contract, first.kind, first.client_order_id) == (
        "fill-1",
        "PF_XBTUSD",
        "somethingNew",
        None,
    )
    assert (second.id, second.price, second.client_order_id) == ("fill-2", Decimal("84000.5"), "smc-1")


def test_ledger_keeps_cash_legs_only(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    (row,) = venue.ledger_rows(SINCE)
    assert (row.id, row.contract, row.execution) == (11, "PF_XBTUSD", "fill-2")
    assert (row.fee, row.realised, row.funding) == (Money("0.504003"), Money(0), Money("0.01"))
    expected = str(int(SINCE.timestamp() * 1000))
    assert loopback.asked[-1].parameters == {"since": [expected], "sort": ["asc"], "count": ["1000"]}


def test_long_account_log_is_read_to_its_end(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    sample = bodies.ACCOUNT_LOG["logs"][0]
    start = datetime(2026, 11, 22, 11, tzinfo=UTC)
    rows = [{**sample, "id": n, "date": (start + timedelta(seconds=n)).isoformat()} for n in range(HISTORY_ROWS + 5)]
    loopback.answer(f"{HISTORY}/account-log", {"logs": rows[:HISTORY_ROWS]}, {"logs": rows[HISTORY_ROWS - 1 :]})
    assert [row.id for row in venue.ledger_rows(SINCE)] == list(range(HISTORY_ROWS + 5))
    newest = int((start + timedelta(seconds=HISTORY_ROWS - 1)).timestamp() * 1000)
    assert loopback.asked[-1].parameters["since"] == [str(newest)]


def test_order_history_asks_both_histories_of_contract(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    assert venue.order_history("PF_XBTUSD", SINCE) == ()
    assert [asked.path for asked in loopback.asked] == [f"{HISTORY}/orders", f"{HISTORY}/triggers"]
    assert all(asked.parameters["tradeable"] == ["PF_XBTUSD"] for asked in loopback.asked)


def test_long_order_history_is_read_to_its_end(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    order = {"tradeable": "PF_XBTUSD", "quantity": "1", "filled": "0", "clientId": ""}
    placed = [
        {"uid": f"event-{n}", "timestamp": n, "event": {"OrderPlaced": {"order": {**order, "uid": f"order-{n}"}}}}
        for n in range(HISTORY_ROWS + 3)
    ]
    first = {"elements": placed[:HISTORY_ROWS], "continuationToken": "next-page"}
    loopback.answer(f"{HISTORY}/orders", first, {"elements": placed[HISTORY_ROWS:]})
    assert len(venue.order_history("PF_XBTUSD", SINCE)) == HISTORY_ROWS + 3
    assert [asked.parameters.get("continuation_token") for asked in loopback.asked] == [None, ["next-page"], None]


def test_endless_history_is_refused_not_cut(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    content = {"order": {"uid": "order-1", "tradeable": "PF_XBTUSD", "quantity": "1"}}
    page = [{"uid": "event", "timestamp": 1, "event": {"OrderPlaced": content}}] * HISTORY_ROWS
    loopback.answer(f"{HISTORY}/orders", {"elements": page, "continuationToken": "more"})
    with pytest.raises(VenueUnavailable, match="longer than 20 pages"):
        venue.order_history("PF_XBTUSD", SINCE)


def test_cancel_reports_the_venues_word(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    assert venue.cancel("smc-1").gone
    assert loopback.asked[-1].parameters == {"cliOrdId": ["smc-1"]}
    loopback.answer(f"{V3}/cancelorder", bodies.success(cancelStatus={"status": "notFound"}))
    assert venue.cancel_order("order-1").detail == "notFound"
    assert loopback.asked[-1].parameters == {"order_id": ["order-1"]}
    loopback.answer(f"{V3}/cancelorder", bodies.success(cancelStatus={"status": "requestPending"}))
    assert not venue.cancel("smc-1").gone


def test_server_time_is_the_bodys_own(venue: KrakenRestVenue) -> None:
    assert venue.server_time() == SERVER_TIME


def test_refused_key_stops_with_authentication_error(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    loopback.answer(f"{V3}/accounts", {"result": "error", "error": "authenticationError"})
    with pytest.raises(VenueAuthenticationFailed, match="accounts"):
        venue.account()
    unauthorized = Scripted(status=401, text='{"status":"unauthorized","reason":"not authorized"}')
    loopback.answer(f"{HISTORY}/account-log", unauthorized)
    with pytest.raises(VenueAuthenticationFailed, match="account_log"):
        venue.ledger_rows(SINCE)


def test_refused_read_names_the_venues_error(venue: KrakenRestVenue, loopback: LoopbackVenue) -> None:
    loopback.answer(f"{V3}/fills", {"result": "error", "error": "apiLimitExceeded"})
    with pytest.raises(VenueUnavailable, match="apiLimitExceeded"):
        venue.fills()


@pytest.mark.parametrize(("key", "secret"), [("", ""), ("key", ""), ("", "c2VjcmV0"), ("key", "not base64!")])
def test_unusable_credentials_are_refused_at_once(key: str, secret: str) -> None:
    with pytest.raises(InvalidInput, match=r"venue (credentials|secret)") as caught:
        KrakenRestVenue(key=key, secret=secret)
    assert not secret or secret not in str(caught.value)
