"""The AWS emulator process: moto's own server application on loopback, one request at a time.

`python -m infra.local.emulator [--port N]` prints one JSON line with its port when it accepts connections.
"""

from __future__ import annotations

import argparse
import io
import json
import signal
import sys
import threading
from functools import cache
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from infra.local.faster_moto import speed_up
from infra.local.sandbox.server import SandboxServer
from infra.local.sandbox.wire import Request, Response


class Dispatcher(DomainDispatcherApplication):
    """moto's dispatcher, which otherwise looks through its own folder anew for every request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._find = cache(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> Any:
        return self._find(host)


class Emulator:
    """Answers HTTP requests with moto's WSGI application. `faster_moto` needs them one at a time, hence the lock."""

    def __init__(self) -> None:
        self._application = Dispatcher()
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Response:
        started: list[Any] = []
        with self._lock:
            parts = self._application(
                environ_of(request), lambda status, headers, _=None: started.extend((status, headers))
            )
            body = b"".join(parts)
        status, headers = started
        named = {name: value for name, value in headers if name.lower() not in ("content-type", "content-length")}
        kind = next((value for name, value in headers if name.lower() == "content-type"), "text/plain")
        return Response(status=int(status.split()[0]), body=body, content_type=kind, headers=named)


def environ_of(request: Request) -> dict[str, Any]:
    """The request as WSGI (PEP 3333) wants it."""
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    return {
        **named,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": request.headers.get("host", "").rpartition(":")[2] or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="DynamoDB, SQS, SNS and Secrets Manager by moto, on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    port = parser.parse_args().port
    speed_up()
    server = SandboxServer(port, Emulator())
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(json.dumps({"ready": True, "port": server.port}), flush=True)
    with server:
        server.serve_forever(poll_interval=0.2)


if __name__ == "__main__":
    main()
