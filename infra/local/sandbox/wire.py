"""HTTP messages as plain values, and the body shapes that Kraken uses for success and errors."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

JSON = "application/json;charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came over the wire. `query` and `body` are raw; header names are lower case."""

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str]

    def parameters(self) -> dict[str, list[str]]:
        """Query and form parameters together; a parameter may repeat."""
        found = parse_qs(self.query, keep_blank_values=True)
        if self.body and not self.headers.get("content-type", "").startswith("application/json"):
            for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items():
                found.setdefault(name, []).extend(values)
        return found

    def document(self) -> dict[str, Any]:
        """Body as a JSON object; ValueError when it is none."""
        data = json.loads(self.body or b"{}")
        if not isinstance(data, dict):
            raise ValueError(f"body is a {type(data).__name__}, expected a JSON object")
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer. `cut` sends only that many body bytes and closes; `drop` closes without any answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    drop: bool = False
    hold_seconds: float = 0.0


def json_response(data: Any, status: int = 200) -> Response:
    """JSON answer without spaces, as the venue sends it."""
    return Response(status=status, body=json.dumps(data, separators=(",", ":")).encode())


def spot_error(message: str) -> Response:
    """Spot error: HTTP 200 with an error list."""
    return json_response({"error": [message]})


def iso(at: datetime) -> str:
    """Time as the derivatives API writes it: UTC, milliseconds, Z."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def milliseconds(at: datetime) -> int:
    """Epoch milliseconds, as the history API writes times."""
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


def number(value: Decimal) -> int | float:
    """JSON number: whole values without a fraction."""
    whole = int(value)
    return whole if whole == value else float(value)


def text(value: Decimal) -> str:
    """Decimal string without exponent or trailing zeros, as the history API writes amounts."""
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") or "0" if "." in plain else plain


def success(now: datetime, **content: Any) -> Response:
    """Derivatives answer with `result` success and the server's time."""
    return json_response({"result": "success", **content, "serverTime": iso(now)})


def api_error(now: datetime, error: str) -> Response:
    """Derivatives error of the first shape: HTTP 200 and an error word."""
    return json_response({"result": "error", "error": error, "serverTime": iso(now)})


_STATUS_NAMES = {400: "BAD_REQUEST", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 500: "INTERNAL_SERVER_ERROR"}


def http_error(now: datetime, status: int, code: int, message: str) -> Response:
    """Derivatives error of the second shape: HTTP status and a list of errors."""
    content = {
        "status": _STATUS_NAMES.get(status, "ERROR"),
        "result": "error",
        "errors": [{"code": code, "message": message}],
        "serverTime": iso(now),
    }
    return json_response(content, status)


def not_found(now: datetime) -> Response:
    """Answer to an unknown path."""
    return http_error(now, 404, 0, "404 NOT_FOUND")


def invalid_argument(now: datetime, name: str) -> Response:
    """Answer to a parameter that does not parse."""
    return http_error(now, 400, 11, f"Argument invalid: {name}")
