"""The account at Kraken Derivatives over REST v3, behind `trading.ports.Venue`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from shared.clock import SystemClock
from shared.venue import account_translation as translate
from shared.venue.bodies import (
    AccountsAnswer,
    CancelOrderAnswer,
    FillRow,
    FillsAnswer,
    OpenOrdersAnswer,
    OpenPositionsAnswer,
    OrderStatusAnswer,
    TimedOpenPositionsAnswer,
)
from shared.venue.classification import classify_send
from shared.venue.history_bodies import AccountLogAnswer, AccountLogRow, HistoryAnswer, HistoryElement
from shared.venue.kraken_contracts import KrakenFuturesMarket
from shared.venue.last_line import SEND, LastLine
from shared.venue.order_history import order_reports
from shared.venue.reading import AnswerType, read_answer, unique_rows
from shared.venue.received import Outcome
from shared.venue.transport import DEFAULT_TIMEOUT_S, KRAKEN_FUTURES_URL, futures_wire
from trading.errors import InvalidInput, VenueUnavailable
from trading.model.orders import OrderRequest, OrderType
from trading.model.times import require_utc, to_text
from trading.model.units import plain
from trading.model.venue import (
    Account,
    CancelAnswer,
    Fill,
    LedgerRow,
    OpenOrder,
    OrderReport,
    SendAnswer,
    SendOutcome,
    VenuePosition,
)

FILLS_A_PAGE = 100
FILL_PAGES_MAXIMUM = 10
HISTORY_ROWS = 1000
"""Rows asked for at once; the venue caps a page there silently."""

HISTORY_PAGES = 20
"""More pages than this would use up the venue's history budget: refuse instead of reading half."""

ORDER_TYPES = {
    OrderType.POST: "post",
    OrderType.LIMIT: "lmt",
    OrderType.IMMEDIATE: "ioc",
    OrderType.MARKET: "mkt",
    OrderType.STOP: "stp",
}
TRIGGER_SIGNAL = "mark"
GONE_STATUSES = frozenset({"cancelled", "filled", "notFound"})

logger = logging.getLogger(__name__)


class KrakenRestVenue(KrakenFuturesMarket):
    """`trading.ports.Venue`. `base_url` is the API's root without a path; `secret` is base64 as Kraken shows it.

    Reads raise VenueUnavailable, VenueAnswerInvalid or VenueAuthenticationFailed; `place` never raises for what the
    venue or the network does. Nothing is retried here: every caller runs again within a minute.

    Every order passes `last_line` before it is sent. A client made without one reads, cancels and reduces, and cannot
    open anything.
    """

    def __init__(
        self,
        *,
        key: str,
        secret: str,
        base_url: str = KRAKEN_FUTURES_URL,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        last_line: LastLine | None = None,
    ) -> None:
        if not key or not secret:
            raise InvalidInput("venue credentials are empty; expected a key and a secret")
        self._last_line = last_line or LastLine(caps=None, clock=SystemClock())
        self._wire = futures_wire(base_url=base_url, timeout_s=timeout_s, key=key, secret=secret)

    def account(self) -> Account:
        return translate.account(self._read("accounts", AccountsAnswer))

    def positions(self) -> tuple[VenuePosition, ...]:
        answer = self._read("openpositions", OpenPositionsAnswer)
        rows = unique_rows(answer.open_positions, lambda row: row.symbol, "openpositions")
        return tuple(translate.position(row) for row in rows if row.size > 0)

    def open_orders(self) -> tuple[OpenOrder, ...]:
        answer = self._read("openorders", OpenOrdersAnswer)
        rows = unique_rows(answer.open_orders, lambda row: row.order_id, "openorders")
        return tuple(map(translate.open_order, rows))

    def order_reports(self, client_order_ids: Sequence[str]) -> tuple[OrderReport, ...]:
        if not client_order_ids:
            return ()
        # Only with an `orderIds` list present does ccxt write lists as repeated keys; an empty one adds no key.
        filters = {"orderIds": [], "cliOrdIds": list(client_order_ids)}
        outcome = self._call("private_get_orders_status", filters)
        answer = read_answer(outcome, "orders/status", OrderStatusAnswer)
        rows = unique_rows(answer.orders, lambda row: row.order.order_id, "orders/status")
        return tuple(map(translate.order_report, rows))

    def order_history(self, contract: str, since: datetime) -> tuple[OrderReport, ...]:
        orders = self._history("orders", contract, since)
        return order_reports([*orders, *self._history("triggers", contract, since)])

    def fills(self, since: datetime | None = None) -> tuple[Fill, ...]:
        rows = self._fill_rows(since)
        # The venue lists the newest first; reversing before the stable sort keeps its order within one instant.
        return tuple(sorted(map(translate.fill, reversed(rows)), key=lambda each: each.at))

    def ledger_rows(self, since: datetime) -> tuple[LedgerRow, ...]:
        rows = sorted(self._account_log(since), key=lambda row: (row.date, row.id))
        return tuple(translate.ledger_row(row) for row in rows if translate.is_cash_leg(row))

    def place(self, request: OrderRequest) -> SendAnswer:
        """An order that the last line holds back is answered as rejected: it was definitely not sent."""
        if why := self._last_line.hold_back(request):
            logger.error("order %s in %s: %s", request.client_order_id, request.contract, why)
            return SendAnswer(outcome=SendOutcome.REJECTED, detail=why)
        return classify_send(self._wire.call(SEND, send_parameters(request)))

    def cancel(self, client_order_id: str) -> CancelAnswer:
        return self._cancel({"cliOrdId": client_order_id})

    def cancel_order(self, order_id: str) -> CancelAnswer:
        return self._cancel({"order_id": order_id})

    def server_time(self) -> datetime:
        """Every body carries it; this one is small and cheap."""
        return self._read("openpositions", TimedOpenPositionsAnswer).server_time

    def _read(self, path: str, model: type[AnswerType]) -> AnswerType:
        return read_answer(self._call(f"private_get_{path}"), path, model)

    def _call(self, method: str, parameters: Mapping[str, object] | None = None) -> Outcome:
        """Every call but the send of an order, which the last line has counted already."""
        self._last_line.count(method, parameters)
        return self._wire.call(method, parameters)

    def _fill_rows(self, since: datetime | None) -> list[FillRow]:
        """Newest first. Further pages are asked for only when the newest 100 do not reach back to `since`.

        Raises VenueUnavailable when they cannot all be had: fills that are missing would look like none.
        """
        page = self._read("fills", FillsAnswer).fills
        rows = unique_rows(page, lambda row: row.fill_id, "fills")
        asked = 0
        # The venue sorts its rows, but nothing here may be lost if it should not: the oldest is looked for.
        while since is not None and len(page) >= FILLS_A_PAGE and min(row.fill_time for row in page) >= since:
            if asked == FILL_PAGES_MAXIMUM:
                raise VenueUnavailable(f"venue fills since {since} are more than {asked} further pages")
            asked += 1
            # The bound is exclusive: one millisecond more, so that the rest of that instant is not skipped.
            before = to_text(min(row.fill_time for row in page) + timedelta(milliseconds=1))
            known = {row.fill_id for row in rows}
            page = read_answer(self._call("private_get_fills", {"lastFillTime": before}), "fills", FillsAnswer).fills
            older = [row for row in page if row.fill_id not in known]
            if not older and len(page) >= FILLS_A_PAGE:
                raise VenueUnavailable(f"venue fills before {before} are more at one moment than a page holds")
            rows = [*rows, *unique_rows(older, lambda row: row.fill_id, "fills")]
        return rows

    def _cancel(self, which: dict[str, str]) -> CancelAnswer:
        outcome = self._call("private_post_cancelorder", which)
        status = read_answer(outcome, "cancelorder", CancelOrderAnswer).cancel_status.status
        return CancelAnswer(gone=status in GONE_STATUSES, detail=status)

    def _history(self, kind: str, contract: str, since: datetime) -> list[HistoryElement]:
        elements: list[HistoryElement] = []
        token: str | None = None
        for _ in range(HISTORY_PAGES):
            query = {"version": "v3", "tradeable": contract, **_page(since)}
            if token:
                query["continuation_token"] = token
            answer = self._read_history(f"history_get_{kind}", query, HistoryAnswer)
            elements += answer.elements
            token = answer.continuation_token
            if len(answer.elements) < HISTORY_ROWS or not token:
                return elements
        raise VenueUnavailable(f"venue history of {kind} since {since} is longer than {HISTORY_PAGES} pages")

    def _account_log(self, since: datetime) -> list[AccountLogRow]:
        """The log has no continuation token: the next page starts at the newest time seen, known rows drop out."""
        rows: dict[int, AccountLogRow] = {}
        for _ in range(HISTORY_PAGES):
            page = self._read_history("history_get_account_log", _page(since), AccountLogAnswer).logs
            fresh = {row.id: row for row in page if row.id not in rows}
            rows |= fresh
            if len(page) < HISTORY_ROWS:
                return list(rows.values())
            if not fresh:
                raise VenueUnavailable(f"venue account log at {since} has more than a page of one moment")
            since = max(row.date for row in page)
        raise VenueUnavailable(f"venue account log up to {since} is longer than {HISTORY_PAGES} pages")

    def _read_history(self, method: str, query: dict[str, object], model: type[AnswerType]) -> AnswerType:
        return read_answer(self._call(method, query), method.removeprefix("history_get_"), model, plain=True)


def send_parameters(request: OrderRequest) -> dict[str, str]:
    """The request in the venue's words; every number is plain decimal text, so that no float is ever involved."""
    parameters = {
        "orderType": ORDER_TYPES[request.type],
        "symbol": request.contract,
        "side": request.side.value,
        "size": plain(request.quantity),
        "cliOrdId": request.client_order_id,
        "reduceOnly": "true" if request.reduce_only else "false",
        "processBefore": venue_time(request.process_before),
    }
    if request.limit_price is not None:
        parameters["limitPrice"] = plain(request.limit_price)
    if request.trigger_price is not None:
        parameters["stopPrice"] = plain(request.trigger_price)
        parameters["triggerSignal"] = TRIGGER_SIGNAL
    return parameters


def venue_time(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds: `2026-11-22T10:00:00.123Z`."""
    require_utc(moment, "venue time")
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _page(since: datetime) -> dict[str, object]:
    milliseconds = (require_utc(since, "since") - datetime.fromtimestamp(0, since.tzinfo)) // timedelta(milliseconds=1)
    return {"since": milliseconds, "sort": "asc", "count": HISTORY_ROWS}
