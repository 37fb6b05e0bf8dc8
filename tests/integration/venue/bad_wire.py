"""A relay in front of the sandbox that plays a bad network: it drips, or it resets connections."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing sends a reset instead of an orderly end."""

PIECE, PAUSE_S = 60, 0.06


@dataclass(kw_only=True)
class BadWire:
    """`mode`: clear, drip, drip_and_cut, reset_before (the request is swallowed) or reset_after (the answer is)."""

    url: str
    mode: str = "clear"
    swallowed: list[bytes] = field(default_factory=list)


def _request_from(client: socket.socket) -> bytes:
    """The whole request; ccxt's sends have an empty body, so its headers are all of it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65_536)
        if not piece:
            return data
        data += piece
    return data


def _answer_from(server: tuple[str, int], request: bytes) -> bytes:
    head, _, rest = request.partition(b"\r\n")
    with socket.create_connection(server, timeout=5) as upstream:
        upstream.sendall(head + b"\r\nConnection: close\r\n" + rest.replace(b"Connection: keep-alive\r\n", b""))
        pieces = []
        while piece := upstream.recv(65_536):
            pieces.append(piece)
    # One answer per connection: the client is told so, or its next request would meet a dead socket.
    return b"".join(pieces).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


def _relay(client: socket.socket, wire: BadWire, server: tuple[str, int]) -> None:
    with client:
        request = _request_from(client)
        if wire.mode == "reset_before":
            wire.swallowed.append(request)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            return
        answer = _answer_from(server, request)
        if wire.mode == "reset_after":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            return
        if wire.mode == "clear":
            client.sendall(answer)
            return
        end = len(answer) - PIECE if wire.mode == "drip_and_cut" else len(answer)
        for start in range(0, end, PIECE):
            client.sendall(answer[start : min(start + PIECE, end)])
            time.sleep(PAUSE_S)


@contextmanager
def bad_wire(upstream: str) -> Iterator[BadWire]:
    """A relay to `upstream` (http://host:port) on a port of its own."""
    target = urlsplit(upstream)
    server = (target.hostname or "127.0.0.1", target.port or 80)
    listener = socket.create_server(("127.0.0.1", 0))
    wire = BadWire(url=f"http://127.0.0.1:{listener.getsockname()[1]}")

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_relay, args=(client, wire, server), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=2)
