"""A real HTTP server on loopback that answers what a test tells it to."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.http_service import QuietHandler, serving


@dataclass
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    after_seconds: float = 0.0


@dataclass
class Receiver:
    """`answers` are used up in order, by path; then everything is taken with 200. `on_post` runs before each answer."""

    url: str
    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, deque[Answer]] = field(default_factory=dict)
    on_post: Callable[[], None] = lambda: None

    def will_answer(self, path: str, *answers: Answer) -> None:
        self.answers[path] = deque(answers)

    def taken(self, path: str) -> int:
        return sum(each == path for each, _ in self.posts)


@contextmanager
def running() -> Iterator[Receiver]:
    receiver = Receiver(url="")

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            waiting = receiver.answers.get(self.path)
            answer = waiting.popleft() if waiting else Answer(200)
            time.sleep(answer.after_seconds)
            receiver.on_post()
            if 200 <= answer.status < 300:
                receiver.posts.append((self.path, body))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Handler) as url:
        receiver.url = url
        yield receiver
