"""A real HTTP server on loopback that gives scripted answers and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.fakes.http_service import QuietHandler, serving


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request exactly as it came over the wire."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]

    @property
    def parameters(self) -> dict[str, list[str]]:
        return parse_qs(self.query, keep_blank_values=True)


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """An answer. `fault`: "hang" never answers, "close" closes at once, "cut" sends half of what it promised."""

    status: int = 200
    text: str = ""
    content_type: str = "application/json"
    fault: str = ""


@dataclass(kw_only=True)
class LoopbackVenue:
    """Answers by path; a path of several answers gives them in turn and repeats the last."""

    url: str = ""
    answers: dict[str, list[Scripted]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str, *bodies: object) -> None:
        self.answers[path] = [
            each if isinstance(each, Scripted) else Scripted(text=json.dumps(each)) for each in bodies
        ]

    def answer_everything(self, scripted: Scripted) -> None:
        self.answers = {"*": [scripted]}

    def next_answer(self, path: str) -> Scripted:
        queue = self.answers.get(path) or self.answers.get("*")
        if queue is None:
            missing = {"status": "NOT_FOUND", "result": "error", "errors": [{"code": 0, "message": "404 NOT_FOUND"}]}
            return Scripted(status=404, text=json.dumps(missing))
        return queue.pop(0) if len(queue) > 1 else queue[0]


def _handler(venue: LoopbackVenue) -> type[BaseHTTPRequestHandler]:
    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = dict(self.headers.items())
            asked = Asked(method=self.command, path=parts.path, query=parts.query, body=body, headers=headers)
            venue.asked.append(asked)
            self._give(venue.next_answer(parts.path))

        do_POST = do_GET
        do_PUT = do_GET

        def _give(self, scripted: Scripted) -> None:
            if scripted.fault == "hang":
                venue.released.wait(10)
            if scripted.fault in ("hang", "close"):
                self.close_connection = True
                return
            payload = scripted.text.encode()
            self.send_response(scripted.status)
            self.send_header("Content-Type", scripted.content_type)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            if scripted.fault == "cut":
                payload = payload[: len(payload) // 2]
                self.close_connection = True
            self.wfile.write(payload)

    return Handler


@contextmanager
def running() -> Iterator[LoopbackVenue]:
    venue = LoopbackVenue()
    with serving(_handler(venue)) as url:
        venue.url = url
        try:
            yield venue
        finally:
            venue.released.set()
