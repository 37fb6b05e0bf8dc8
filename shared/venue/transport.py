"""One ccxt exchange used for transport and signing, and what its last call received."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from shared.venue.ccxt_classes import CcxtError, kraken, krakenfutures
from shared.venue.received import Lost, Outcome, Received
from trading.errors import InvalidInput

KRAKEN_FUTURES_URL = "https://futures.kraken.com"
KRAKEN_SPOT_URL = "https://api.kraken.com"
DEFAULT_TIMEOUT_S = 5.0

# ccxt's own parsing may fail in any of these ways on an odd body; requests' errors are OSErrors. None of them decides
# anything here: what was received does.
_CALL_ERRORS = (CcxtError, TypeError, AttributeError, LookupError, ValueError, OSError)

# ccxt logs request headers, that is the key and the signature, at DEBUG.
logging.getLogger("ccxt.base.exchange").setLevel(logging.INFO)


class Wire:
    """Calls a raw ccxt method and gives back what came over the wire.

    The timeout counts for each socket operation, so a dripping server can hold a call longer; the outer deadline is the
    function's own timeout, which is harmless because a send is recorded before it is made. Threads may share a wire:
    what was received is kept for each thread apart.
    """

    def __init__(self, exchange: Any) -> None:
        self._exchange = exchange
        self._thread = threading.local()
        exchange.session.hooks["response"].append(self._keep)

    def _keep(self, response: Any, **_: object) -> None:
        # Reading the content here raises what requests would raise a moment later, so a cut body is never kept.
        text = response.content.decode("utf-8", errors="replace").strip()
        self._thread.received = Received(status=response.status_code, text=text)

    def call(self, method: str, parameters: Mapping[str, object] | None = None) -> Outcome:
        """Send once. Does not raise for anything the venue or the network does."""
        self._thread.received = None
        try:
            getattr(self._exchange, method)(dict(parameters or {}))
        except _CALL_ERRORS as error:
            failure = f"{type(error).__name__} ({str(error)[:160]})"
        else:
            failure = "no response was read"
        received: Received | None = self._thread.received
        return received or Lost(detail=failure)

    def markets_by_ccxt(self) -> dict[str, tuple[str, str]]:
        """Base and quote codes by contract as ccxt reads them, empty when it cannot. Costs one request."""
        try:
            markets = self._exchange.fetch_markets()
        except _CALL_ERRORS:
            return {}
        return {market["id"].upper(): (market["base"], market["quote"]) for market in markets}

    def addresses(self) -> tuple[str, ...]:
        """Every base URL that a call can go to."""
        return tuple(sorted(set(_leaves(self._exchange.urls["api"]))))


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _leaves(each)
    else:
        yield str(value)


def futures_wire(*, base_url: str, timeout_s: float, key: str = "", secret: str = "") -> Wire:
    """A wire to the derivatives API under `base_url` (no trailing slash). Raises InvalidInput for half a key."""
    if key or secret:
        _require_key(key, secret)
    root = base_url.rstrip("/")
    addresses = {
        "public": f"{root}/derivatives/api/",
        "private": f"{root}/derivatives/api/",
        "charts": f"{root}/api/charts/",
        "history": f"{root}/api/history/",
        "feeschedules": f"{root}/api/feeschedules/",
    }
    return Wire(krakenfutures({"apiKey": key, "secret": secret, **_settings(timeout_s, addresses)}))


def spot_wire(*, base_url: str, timeout_s: float) -> Wire:
    """A wire to the spot API under `base_url`; public calls only, no key."""
    root = base_url.rstrip("/")
    addresses = {"public": root, "private": root, "zendesk": f"{root}/zendesk"}
    return Wire(kraken(_settings(timeout_s, addresses)))


def _settings(timeout_s: float, addresses: dict[str, str]) -> dict[str, object]:
    # ccxt's limiter knows one cost for everything and sleeps; the venue's real budget is far above our use.
    return {"enableRateLimit": False, "timeout": int(timeout_s * 1000), "urls": {"api": addresses}}


def _require_key(key: str, secret: str) -> None:
    if not key or not secret:
        raise InvalidInput("venue credentials hold only one of key and secret; expected both")
    try:
        base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("venue secret is not base64; expected the private key exactly as Kraken shows it") from None


def require_loopback(addresses: tuple[str, ...]) -> None:
    """Raise InvalidInput unless every address is on this machine: a guard for tests and the local stack."""
    for address in addresses:
        host = urlsplit(address).hostname or ""
        if host != "localhost" and not _is_loopback(host):
            raise InvalidInput(f"venue address is {address!r}; expected a loopback address")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
