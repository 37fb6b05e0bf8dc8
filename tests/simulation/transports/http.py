"""The real venue adapters on the sandbox's application without a socket: real ccxt, signing, requests and parsing.

    venue = InProcessVenue(source, start, hook=hook)
    adapter = venue.client(last_line)     # shared.venue.KrakenRestVenue
    venue.advance(until)                  # virtual time, moves nothing else

`hook(method, path, parameters, run)` is called around each HTTP request. `run()` carries it out and returns the
sandbox's `Response`; the hook may wait, call it or not, call it twice (a duplicated request) or later, answer what
`http_faults` makes of a response, or raise what it offers. With `installed_venue` every adapter that the product's own
composition makes is on the application as well. Greenlets may share an adapter, as threads may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests import Response as Received
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from infra.local.market import PriceSource
from infra.local.sandbox.application import Application
from infra.local.sandbox.signing import ApiKey, KeyRing
from infra.local.sandbox.venue import SandboxVenue, VenueSettings, open_engine
from infra.local.sandbox.wire import Request, Response
from shared.venue import KrakenFuturesMarket, KrakenRestVenue, KrakenSpot
from shared.venue.last_line import LastLine
from shared.venue.transport import Wire
from shared.venues import account_of, futures_of, spot_of
from tests.simulation.transports import http_faults as faults
from tests.simulation.transports.greenlet_local import GreenletLocal
from trading.matching import Books, Market, MatchingEngine, opening_books
from trading.ports import Clock

URL = "http://127.0.0.1:9"
"""Nothing listens there: an adapter that was not mounted on the application reaches nobody."""

KEY, SECRET = "simulated-key", "c2ltdWxhdGVkIHNlY3JldCwgd29ydGggbm90aGluZw=="
BALANCE = Decimal(10_000)

_LAG = "_lag_s"
Run = Callable[[], Response]
Hook = Callable[[str, str, Mapping[str, str], Run], Response]


def _straight(method: str, path: str, parameters: Mapping[str, str], run: Run) -> Response:
    return run()


class InProcessVenue:
    """One account at one exchange. `source` has prices and listings; `markets` replaces their terms by symbol.

    `sandbox` is the whole sandbox state (switches, faults, keys), `engine` its matching engine.
    """

    def __init__(
        self,
        source: PriceSource,
        start: datetime,
        *,
        markets: Mapping[str, Market] | None = None,
        hook: Hook = _straight,
        seed: int = 0,
    ) -> None:
        books = opening_books(start, BALANCE, seed)
        engine = open_engine(source, books) if markets is None else MatchingEngine(books, markets, source)
        self._keys = KeyRing({KEY: ApiKey(key=KEY, secret=SECRET)})
        self.sandbox = SandboxVenue(source, engine, self._keys, VenueSettings(start=start, balance=BALANCE, seed=seed))
        # The budget of spot calls runs in virtual time as everything else does.
        self.sandbox.spot.clock = lambda: self.sandbox.now.timestamp()
        self._application = Application(self.sandbox)
        self.hook = hook

    @property
    def engine(self) -> MatchingEngine:
        return self.sandbox.engine

    @property
    def books(self) -> Books:
        return self.sandbox.engine.books

    def now(self) -> datetime:
        """Virtual time: the venue is also a clock."""
        return self.sandbox.now

    def advance(self, until: datetime) -> None:
        """Let orders meet the prices up to `until`. InvalidInput backwards or beyond the last price."""
        if until > self.sandbox.now:
            self.sandbox.advance(until)

    def revoke_key(self) -> None:
        """From now on the venue refuses every signed request."""
        self.sandbox.keys = KeyRing({})

    def restore_key(self) -> None:
        self.sandbox.keys = self._keys

    def client(self, last_line: LastLine | None = None, timeout_s: float = 5.0) -> KrakenRestVenue:
        """The account's adapter. About 1 ms."""
        adapter = KrakenRestVenue(key=KEY, secret=SECRET, base_url=URL, timeout_s=timeout_s, last_line=last_line)
        self.mount(adapter.wire)
        return adapter

    def market_client(self) -> KrakenFuturesMarket:
        """The adapter of the public derivatives data."""
        adapter = KrakenFuturesMarket(base_url=URL)
        self.mount(adapter.wire)
        return adapter

    def spot_client(self, clock: Clock | None = None) -> KrakenSpot:
        """The adapter of the spot market, by default on the venue's own clock."""
        adapter = KrakenSpot(clock=clock or self, base_url=URL)
        self.mount(adapter.wire)
        return adapter

    def mount(self, wire: Wire) -> None:
        """Let this wire's session reach the application and nothing else."""
        wire._thread = GreenletLocal()  # type: ignore[assignment]
        session = wire._exchange.session
        session.adapters.clear()
        for prefix in ("http://", "https://"):
            session.mount(prefix, _InProcess(self))
        session.trust_env = False

    def stale(self, run: Run, age_s: int) -> Response:
        """What `run` would have been answered from views that are so much older: for reads of the account."""
        current = self.sandbox.wire
        lags = {each.name: getattr(current, each.name) + age_s for each in fields(current) if _LAG in each.name}
        self.sandbox.wire = replace(current, **lags)
        try:
            return run()
        finally:
            self.sandbox.wire = current

    def answer(self, request: Request) -> Response:
        """One request through the hook."""
        return self.hook(request.method, request.path, parameters_of(request), lambda: self._application(request))


def parameters_of(request: Request) -> dict[str, str]:
    """Query and form parameters; the values of a repeated one are joined by commas."""
    return {name: ",".join(values) for name, values in request.parameters().items()}


class _InProcess(HTTPAdapter):
    """Hands a prepared request to the venue and gives its answer the form in which `requests` would have read it."""

    def __init__(self, venue: InProcessVenue) -> None:
        super().__init__()
        self._venue = venue

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Received:
        response = self._venue.answer(_sandbox_request(request))
        if response.drop:
            raise faults.timed_out() if response.hold_seconds else faults.connection_lost()
        return self.build_response(request, _raw(response))


def _sandbox_request(request: PreparedRequest) -> Request:
    parts = urlsplit(request.url or "")
    body = request.body or b""
    return Request(
        method=request.method or "GET",
        path=str(parts.path),
        query=str(parts.query),
        body=body.encode() if isinstance(body, str) else bytes(body),
        headers={name.lower(): str(value) for name, value in request.headers.items()},
    )


def _raw(response: Response) -> HTTPResponse:
    """As urllib3 reads it; a cut body is shorter than its announced length, which it then reports."""
    headers = HTTPHeaderDict({"Content-Type": response.content_type, "Content-Length": str(len(response.body))})
    headers.update(response.headers)
    return HTTPResponse(
        body=BytesIO(response.body[: response.cut]),
        headers=headers,
        status=response.status,
        preload_content=False,
        enforce_content_length=True,
    )


@contextmanager
def installed_venue(venue: InProcessVenue) -> Iterator[InProcessVenue]:
    """Until the block ends, every adapter that anybody makes reaches `venue`, those of `shared.venues` among them."""
    kind: Any = Wire
    real = kind.__init__

    def mounted(wire: Wire, exchange: Any) -> None:
        real(wire, exchange)
        venue.mount(wire)

    kind.__init__ = mounted
    _forget_adapters()
    try:
        yield venue
    finally:
        kind.__init__ = real
        _forget_adapters()


def _forget_adapters() -> None:
    for cached in (account_of, futures_of, spot_of):
        cached.cache_clear()
