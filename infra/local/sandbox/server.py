"""A small HTTP/1.1 keep-alive server: one thread a connection, TCP_NODELAY, each answer in one write."""

import socket
import socketserver
import time
from collections.abc import Callable
from io import BufferedIOBase

from infra.local.sandbox.wire import Request, Response

MAX_BODY = 1_000_000
REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Payload Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
Handle = Callable[[Request], Response]


class SandboxServer(socketserver.ThreadingTCPServer):
    """Serves `handle` on 127.0.0.1. Port 0 picks a free one; `port` tells which."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, handle: Handle) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.handle = handle

    @property
    def port(self) -> int:
        """Port in use."""
        return int(self.server_address[1])


class _Connection(socketserver.StreamRequestHandler):
    server: SandboxServer
    disable_nagle_algorithm = True
    rbufsize = 65_536

    def handle(self) -> None:
        """Answer requests until the client closes or an answer ends the connection."""
        try:
            while True:
                request = read_request(self.rfile)
                if request is None or not self._answer(request):
                    return
        except (ConnectionError, TimeoutError):
            return

    def _answer(self, request: Request) -> bool:
        """Send one answer; False when the connection ends with it."""
        response = self.server.handle(request)
        if response.hold_seconds:
            time.sleep(response.hold_seconds)
        if response.drop:
            self.connection.shutdown(socket.SHUT_RDWR)
            return False
        self.connection.sendall(encode(response))
        return response.cut is None and request.headers.get("connection", "").lower() != "close"


def read_request(stream: BufferedIOBase) -> Request | None:
    """Next request of a connection, None when the client is done or sends no HTTP."""
    parts = stream.readline(65_536).decode("latin-1").split()
    if len(parts) != 3:
        return None
    headers: dict[str, str] = {}
    while line := stream.readline(65_536).decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY:
        return None
    body = stream.read(int(length)) if int(length) else b""
    path, _, query = parts[1].partition("?")
    return Request(method=parts[0], path=path, query=query, body=body, headers=headers)


def encode(response: Response) -> bytes:
    """Status line, headers and body as one byte string."""
    head = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Status')}"]
    head.append(f"Content-Type: {response.content_type}")
    head.append(f"Content-Length: {len(response.body)}")
    head += [f"{name}: {value}" for name, value in response.headers.items()]
    body = response.body if response.cut is None else response.body[: response.cut]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body
