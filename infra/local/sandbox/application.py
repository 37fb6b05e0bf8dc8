"""Dispatch: which handler answers which path, with signature, rate limits, faults and persistence around it."""

import threading
from collections.abc import Callable
from dataclasses import replace

from infra.local.sandbox import derivatives_private as private
from infra.local.sandbox import derivatives_public as public
from infra.local.sandbox import history_api
from infra.local.sandbox.bodies import send_status
from infra.local.sandbox.charts_api import charts
from infra.local.sandbox.control_api import control
from infra.local.sandbox.limits import derivatives_cost, history_cost
from infra.local.sandbox.signing import Verdict
from infra.local.sandbox.spot_api import SpotApi
from infra.local.sandbox.venue import SandboxVenue
from infra.local.sandbox.wire import Request, Response, api_error, json_response, not_found, success
from trading.matching import Answer

DERIVATIVES = "/derivatives/api/v3/"
FUNDING = "/derivatives/api/v4/historicalfundingrates"
HISTORY = ("/api/history/v3/", "/api/history/v2/")
CHARTS = "/api/charts/v1/"
SPOT = "/0/public/"
CONTROL = "/sandbox/"

PUBLIC: dict[str, Callable[[SandboxVenue], Response]] = {
    "instruments": public.instruments,
    "instruments/status": public.instruments_status,
    "tickers": public.tickers,
    "feeschedules": public.fee_schedules,
}
READS: dict[str, Callable[[SandboxVenue, private.Parameters], Response]] = {
    "accounts": private.accounts,
    "openpositions": private.open_positions,
    "openorders": private.open_orders,
    "fills": private.fills,
    "orders/status": private.order_status,
    "leveragepreferences": private.leverage,
    "notifications": lambda venue, _: public.notifications(venue),
}
WRITES: dict[tuple[str, str], Callable[[SandboxVenue, private.Parameters], Response]] = {
    ("POST", "sendorder"): private.send_order,
    ("POST", "editorder"): private.edit_order,
    ("POST", "cancelorder"): private.cancel_order,
    ("POST", "cancelallorders"): private.cancel_all,
    ("PUT", "leveragepreferences"): private.set_leverage,
}


class Application:
    """Answers requests one at a time; the lock makes the venue safe for the server's threads."""

    def __init__(self, venue: SandboxVenue) -> None:
        self.venue = venue
        self._spot = SpotApi(venue)
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        # Before the lock: a rate limit is about when calls arrive, not about how long they wait for each other.
        arrived = self.venue.spot.clock()
        with self._lock:
            self.venue.follow_wall_clock()
            if request.path.startswith(CONTROL):
                return self._saved(request, control(self.venue, request))
            fault = self.venue.faults.take(request)
            if fault is None:
                return self._saved(request, self._answer(request, arrived))
            if fault.reject_status is not None:
                return self._rejected(request, fault.reject_status)
            real = self._saved(request, self._answer(request, arrived)) if fault.carries_out else Response()
            return fault.spoil(real)

    def _saved(self, request: Request, response: Response) -> Response:
        if request.method != "GET":
            self.venue.save()
        return response

    def _rejected(self, request: Request, status: str) -> Response:
        """A scripted refusal: a sendStatus for sends, an error word for everything else."""
        if not request.path.endswith("/sendorder"):
            return api_error(self.venue.now, status)
        answer = Answer(status=status, order_id=None, client_order_id=None)
        return success(self.venue.now, sendStatus=send_status(self.venue, answer))

    def _answer(self, request: Request, arrived: float) -> Response:
        path = request.path
        if path.startswith(DERIVATIVES):
            return self._derivatives(request, path.removeprefix(DERIVATIVES))
        if path.startswith(SPOT):
            return self.venue.spot.treat(request, arrived, lambda: self._spot.answer(request))
        if path.startswith(HISTORY):
            return self._history(request, path.split("/", 4)[4])
        if path.startswith(CHARTS):
            return charts(self.venue, request)
        if path == FUNDING:
            return public.funding_history(self.venue, (request.parameters().get("symbol") or [""])[0])
        return not_found(self.venue.now)

    def _derivatives(self, request: Request, name: str) -> Response:
        if request.method == "GET" and name in PUBLIC:
            return PUBLIC[name](self.venue)
        if request.method == "GET" and name.startswith("tickers/"):
            return public.ticker(self.venue, name.removeprefix("tickers/"))
        if request.method == "GET" and name == "orderbook":
            return public.order_book(self.venue, (request.parameters().get("symbol") or [""])[0])
        return self._private(request, name)

    def _private(self, request: Request, name: str) -> Response:
        now = self.venue.now
        handler = WRITES.get((request.method, name))
        reading = handler is None
        if handler is None and (request.method == "GET" or (request.method, name) == ("POST", "orders/status")):
            handler = READS.get(name)
        if handler is None:
            return not_found(now)
        verdict = self.venue.keys.check(request)
        if verdict not in (Verdict.FULL, Verdict.READ):
            return api_error(now, verdict.value)
        if verdict is Verdict.READ and not reading:
            return api_error(now, Verdict.REFUSED.value)
        parameters = request.parameters()
        if self.venue.wire.rate_limits:
            cost = derivatives_cost(request.method, name, "lastFillTime" in parameters)
            if not self.venue.limits.spend_derivatives(now, cost):
                return api_error(now, "apiLimitExceeded")
        try:
            return handler(self.venue, parameters)
        except private.BadParameter as error:
            return private.bad_parameter(self.venue, error)

    def _history(self, request: Request, name: str) -> Response:
        handler = history_api.ROUTES.get(name)
        if handler is None or request.method != "GET":
            return not_found(self.venue.now)
        if self.venue.keys.check(request) not in (Verdict.FULL, Verdict.READ):
            content = {"status": "unauthorized", "reason": "You are not authorized to access this endpoint."}
            return json_response(content, 401)
        parameters = request.parameters()
        if self.venue.wire.rate_limits:
            count = private.one(parameters, "count") or "500"
            cost = history_cost(name, int(count) if count.isdigit() else 500)
            if not self.venue.limits.spend_history(self.venue.now, cost):
                return api_error(self.venue.now, "apiLimitExceeded")
        try:
            return handler(self.venue, parameters)
        except private.BadParameter as error:
            return replace(private.bad_parameter(self.venue, error), status=400)
