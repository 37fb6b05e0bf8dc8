"""The network below the real ccxt exchange objects: answers come from a function, no socket is ever opened."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as NoConnection

from infra.local.sandbox.wire import Request
from shared.venue.transport import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One HTTP answer; None in its place is a connection that breaks."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"


Answering = Callable[[Request], Given | None]


class Line(BaseAdapter):
    """A `requests` transport: what `answer` gives is what the exchange receives."""

    def __init__(self, answer: Answering) -> None:
        super().__init__()
        self.answer = answer

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        given = self.answer(asked(request))
        if given is None:
            raise NoConnection("the connection broke")
        response = Response()
        response.status_code, response.url, response.request = given.status, request.url or "", request
        response.headers["Content-Type"] = given.content_type
        response.raw = io.BytesIO(given.body)
        return response

    def close(self) -> None:
        """Nothing is open."""


def asked(request: PreparedRequest) -> Request:
    """The request in the sandbox's terms."""
    parts = urlsplit(request.url or "")
    body = request.body or b""
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    content = body.encode() if isinstance(body, str) else bytes(body)
    return Request(method=request.method or "", path=parts.path, query=parts.query, body=content, headers=headers)


def connect(wire: Wire, answer: Answering) -> None:
    """Put the line under a wire in the place of the network."""
    session = wire._exchange.session
    for prefix in tuple(session.adapters):
        session.mount(prefix, Line(answer))


@dataclass(slots=True)
class Scripted:
    """Answers by path, replaced for each case; what was asked is kept."""

    answers: dict[str, Given] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Given | None:
        self.asked.append(request)
        return self.answers.get(request.path, Given(body=b'{"result":"error","error":"notFound"}', status=404))
