"""Slack and Discord on loopback: real HTTP, their size limits, their rate limits, and whatever goes wrong with them."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from threading import Lock
from typing import Any

from infra.local.receiver import check_post
from shared.chat_messages import length
from tests.fakes import http_service
from tests.fakes.http_service import QuietHandler
from trading.errors import InvalidInput

RATES = {"slack": ((1, 1.0),), "discord": ((5, 2.0), (30, 60.0))}
"""(messages, seconds) that each service takes for one webhook."""
SLOW_SECONDS = 0.15
BUSY_EVERY, BUSY_WAITS = 3, (1.5, 0.3, 4.0, 60.0)
"""Every third request of a busy service has to wait so many seconds, one of them longer than a run may."""
SLACK_TOTAL = 13_000


@dataclass
class ChatServices:
    """`phase` says what is wrong at a moment: well, failing, slow, busy, down. `posts` are those that were taken."""

    elapsed: Callable[[], float]
    phase: Callable[[float], str] = lambda _: "well"
    url: str = ""
    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    _asked: Counter[str] = field(default_factory=Counter)
    _waits: Iterator[float] = field(default_factory=lambda: cycle(BUSY_WAITS))
    _taken: dict[str, deque[float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def texts(self, service: str) -> list[str]:
        """All words of every message that was taken."""
        return [json.dumps(body, ensure_ascii=False) for name, body in self.posts if name == service]

    def take(self, path: str, text: str) -> tuple[int, float | None]:
        """Status of the answer and the seconds that it asks to wait; status 0 hangs up without one."""
        service = path.strip("/").split("/")[0]
        with self._lock:
            self.bodies.append(text)
            phase, now = self.phase(self.elapsed()), self.elapsed()
            status, asked = self._answer(service, path, phase, now)
            if status == 200:
                self._keep(service, text)
            self.answers[f"{phase} {status}"] += 1
        if phase == "slow":
            time.sleep(SLOW_SECONDS)
        return status, asked

    def _answer(self, service: str, path: str, phase: str, now: float) -> tuple[int, float | None]:
        if phase in ("down", "failing"):
            return (0 if phase == "down" else 500), None
        self._asked[path] += 1
        if phase == "busy" and self._asked[path] % BUSY_EVERY == 0:
            return 429, next(self._waits)
        taken = self._taken.setdefault(path, deque())
        for count, seconds in RATES[service]:
            recent = [each for each in taken if now - each < seconds]
            if len(recent) >= count:
                return 429, round(seconds - (now - recent[0]) + 0.01, 2)
        taken.append(now)
        return 200, None

    def _keep(self, service: str, text: str) -> None:
        body = json.loads(text)
        try:
            check_post(service, text)
        except InvalidInput as error:
            self.faults.append(str(error))
        if service == "slack" and slack_size(body) > SLACK_TOTAL:
            self.faults.append(f"slack blocks have {slack_size(body)} characters")
        self.posts.append((service, body))


def slack_size(body: dict[str, Any]) -> int:
    """UTF-16 units of all texts in the blocks."""
    texts = [part["text"] for block in body["blocks"] for part in _parts(block)]
    return sum(map(length, texts))


def _parts(block: dict[str, Any]) -> list[dict[str, Any]]:
    return [*([block["text"]] if "text" in block else []), *block.get("fields", []), *block.get("elements", [])]


@contextmanager
def serving(services: ChatServices) -> Iterator[ChatServices]:
    class Handler(QuietHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, asked = services.take(self.path, text)
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            if asked is not None:
                self.send_header("Retry-After", str(asked))
            self.send_header("Content-Length", "0")
            self.end_headers()

    with http_service.serving(Handler) as url:
        services.url = url
        yield services
