"""A sandbox served on loopback inside the test process, with the real ccxt clients pointed at it."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from ccxt.kraken import kraken
from ccxt.krakenfutures import krakenfutures

from infra.local.sandbox.__main__ import (
    DEFAULT_KEY,
    DEFAULT_SECRET,
    READ_KEY,
    READ_SECRET,
    arguments,
    build,
)
from infra.local.sandbox.application import Application
from infra.local.sandbox.server import SandboxServer
from infra.local.sandbox.signing import sign
from infra.local.sandbox.wire import Request, Response

SMALL = ["--coins", "3", "--days", "3", "--history-days", "10", "--seed", "3"]
Json = Any


class Served:
    """Clients of one running sandbox. `asked` is every request it got, in order."""

    def __init__(self, application: Application, url: str, asked: list[Request]) -> None:
        self.application = application
        self.url = url
        self.asked = asked

    @cached_property
    def futures(self) -> Any:
        """ccxt client with the trading key; clients are slow to build, so only on demand."""
        return self.client(DEFAULT_KEY, DEFAULT_SECRET)

    @cached_property
    def reader(self) -> Any:
        """ccxt client with the reading key."""
        return self.client(READ_KEY, READ_SECRET)

    @cached_property
    def spot(self) -> Any:
        """ccxt client of the spot API."""
        return kraken({"enableRateLimit": False, "urls": {"api": {"public": self.url, "private": self.url}}})

    def client(self, key: str, secret: str) -> Any:
        """ccxt client of the derivatives API with the given key."""
        urls = {
            "public": f"{self.url}/derivatives/api/",
            "private": f"{self.url}/derivatives/api/",
            "charts": f"{self.url}/api/charts/",
            "history": f"{self.url}/api/history/",
        }
        return krakenfutures(
            {"apiKey": key, "secret": secret, "enableRateLimit": False, "timeout": 3000, "urls": {"api": urls}}
        )

    def fetch(self, path: str, document: Json = None, headers: dict[str, str] | None = None) -> tuple[int, Json]:
        """Status and JSON of a plain request: GET, or POST of a JSON document."""
        data = None if document is None else json.dumps(document).encode()
        content = {"Content-Type": "application/json"} if data else {}
        request = urllib.request.Request(self.url + path, data=data, headers={**content, **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def control(self, name: str, document: Json = None) -> Json:
        """Answer of the control plane; the test fails when it refuses."""
        status, answer = self.fetch(f"/sandbox/{name}", document)
        assert status == 200, answer
        return answer

    def advance(self, time: str) -> Json:
        return self.control("advance", {"to": time})

    def send(self, **parameters: str) -> Json:
        """`sendStatus` of an order sent through ccxt's raw method; PF_XBTUSD market buy unless told otherwise."""
        given = {"symbol": "PF_XBTUSD", "side": "buy", "orderType": "mkt", "size": "0.01"}
        return self.futures.private_post_sendorder({**given, **parameters})["sendStatus"]

    def form(self, path: str, parameters: dict[str, str], nonce: str = "") -> tuple[int, Json]:
        """POST a form body signed by hand, as clients other than ccxt do."""
        body = urlencode(parameters).encode()
        headers = {"apikey": DEFAULT_KEY, "content-type": "application/x-www-form-urlencoded"}
        if nonce:
            headers["nonce"] = nonce
        request = Request(method="POST", path=path, query="", body=body, headers=headers)
        headers["authent"] = sign(DEFAULT_SECRET, request)
        wire = urllib.request.Request(self.url + path, data=body, headers=headers)
        with urllib.request.urlopen(wire, timeout=5) as answer:
            return answer.status, json.load(answer)


@contextmanager
def serve(*options: str) -> Iterator[Served]:
    """Run a small generated sandbox in a thread."""
    application = build(arguments([*SMALL, *options]))
    asked: list[Request] = []

    def handle(request: Request) -> Response:
        asked.append(request)
        return application(request)

    with SandboxServer(0, handle) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield Served(application, f"http://127.0.0.1:{server.port}", asked)
        finally:
            server.shutdown()
            thread.join()
