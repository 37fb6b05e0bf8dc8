"""What can become of an HTTP request: errors to raise, and answers to give instead of the true one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, ReadTimeout, RequestException
from urllib3.exceptions import ProtocolError

from infra.local.sandbox.faults import HTML
from infra.local.sandbox.wire import Response, json_response

WRONG_VALUES: tuple[object, ...] = (None, "", "text", -1, 0, 1.5e308, True, [], {}, "NaN", "2024-13-45T99:00:00Z")


# errors of the connection


def refused() -> RequestException:
    """Nobody listened: the request was certainly not carried out."""
    return RequestsConnectionError("[Errno 111] Connection refused")


def connect_timed_out() -> RequestException:
    """No connection in time: the request was certainly not carried out."""
    return ConnectTimeout("Connection timed out (connect timeout=5)")


def timed_out() -> RequestException:
    """No answer in time: whether the request was carried out is unknown."""
    return ReadTimeout("Read timed out. (read timeout=5)")


def connection_lost() -> RequestException:
    """The connection ended before an answer: whether the request was carried out is unknown."""
    return RequestsConnectionError(ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer")))


# answers that say nothing about the request


def server_error(status: int = 500) -> Response:
    return json_response({"result": "error", "error": "Server Error"}, status)


def html(status: int = 503) -> Response:
    return Response(status=status, body=HTML, content_type="text/html")


def empty(status: int = 200) -> Response:
    return Response(status=status)


def throttled() -> Response:
    """HTTP 429 of the machines in front of the venue."""
    return Response(status=429, body=b"error code: 1015", content_type="text/plain", headers={"Retry-After": "10"})


def call_limit() -> Response:
    """The venue's own word for too many calls, HTTP 200."""
    return json_response({"result": "error", "error": "apiLimitExceeded", "serverTime": "2024-01-01T00:00:00.000Z"})


def unauthorised() -> Response:
    return json_response({"status": "unauthorized", "reason": "You are not authorized to access this endpoint."}, 401)


# a true answer spoilt


def broken_off(response: Response) -> Response:
    """The connection ended in the middle of the body: the client notices."""
    return replace(response, cut=len(response.body) // 2)


def truncated(response: Response) -> Response:
    """Half of the body with a length that fits: only the JSON tells."""
    return replace(response, body=response.body[: len(response.body) // 2])


def retyped(response: Response, random: Random) -> Response:
    """One value anywhere in the body becomes null or something of another kind."""
    return _changed(response, random, _retype)


def shortened(response: Response, random: Random) -> Response:
    """One member anywhere in the body is missing."""
    return _changed(response, random, _remove)


Place = tuple[Any, Any]
"""A container of the document and the name or position of one member."""


def _changed(response: Response, random: Random, change: Callable[[Place, Random], None]) -> Response:
    document = json.loads(response.body)
    places = list(_places(document))
    if not places:
        return response
    change(random.choice(places), random)
    return replace(response, body=json.dumps(document, separators=(",", ":")).encode())


def _places(document: Any) -> Iterator[Place]:
    members = document.items() if isinstance(document, dict) else enumerate(document)
    for name, value in members:
        yield document, name
        if isinstance(value, dict | list):
            yield from _places(value)


def _retype(place: Place, random: Random) -> None:
    container, name = place
    container[name] = random.choice([each for each in WRONG_VALUES if type(each) is not type(container[name])])


def _remove(place: Place, random: Random) -> None:
    container, name = place
    del container[name]
