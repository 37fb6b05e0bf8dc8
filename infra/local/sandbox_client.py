"""Talks to the venue sandbox's own controls: time, books, spot conditions. The system under play never uses these."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from trading.errors import InvalidInput
from trading.model.times import from_text, to_text

TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxState:
    """The sandbox's own books at `now`. Money in USD; `last` is where its prices end.

    `positions`: signed quantity by contract; `client_order_ids`: of the working orders, "" where one has none.
    """

    now: datetime
    last: datetime
    kind: str
    positions: dict[str, Decimal]
    client_order_ids: tuple[str, ...]
    equity: Decimal
    fills: int
    seconds_without_stop_max: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """Where the sandbox stands after a step. `live`: an order works or a position is open."""

    now: datetime
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotLogEntry:
    """One OHLC call. `pair` is the pair's id, `interval` minutes, `at` wall seconds since the sandbox started.

    `outcome`: `ok` (answered as usual), `failed`, `limited` or `hung`.
    """

    pair: str
    interval: int
    at: float
    outcome: str


class SandboxClient:
    """One kept connection. Raises InvalidInput with the sandbox's own sentence when it refuses."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)

    def state(self) -> SandboxState:
        document = self._call("GET", "/sandbox/state")
        return SandboxState(
            now=from_text(document["now"]),
            last=from_text(document["market"]["last"]),
            kind=document["market"]["kind"],
            positions=dict(_signed(each) for each in document["positions"]),
            client_order_ids=tuple(each.get("cliOrdId", "") for each in document["orders"]),
            equity=Decimal(document["equity"]),
            fills=int(document["fills"]),
            seconds_without_stop_max=Decimal(document["seconds_without_stop_max"]),
        )

    def live(self) -> bool:
        document = self._call("GET", "/sandbox/state")
        return bool(document["positions"] or document["orders"])

    def advance(self, to: datetime) -> Advanced:
        """Move its time to `to`, matching on the way."""
        document = self._call("POST", "/sandbox/advance", {"to": to_text(to)})
        return Advanced(now=from_text(document["now"]), live=bool(document["positions"] or document["orders"]))

    def spot_conditions(self, **changes: Any) -> dict[str, Any]:
        """Change conditions of its spot API (fields of SpotConditions; none: only look). The conditions and counts."""
        return self._call("POST", "/sandbox/spot", changes)

    def spot_log(self) -> list[SpotLogEntry]:
        """Its OHLC calls since the last look, oldest first; looking clears them."""
        return [SpotLogEntry(**entry) for entry in self._receive("GET", "/sandbox/spot/log")]

    def _call(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self._receive(method, path, document)
        return found

    def _receive(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Any:
        body = None if document is None else json.dumps(document)
        try:
            self._connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            found = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise InvalidInput(f"the venue sandbox does not answer {path}: {error}") from error
        if answer.status != http.client.OK:
            raise InvalidInput(f"the venue sandbox refused {path}: {found.get('error')}")
        return found


def _signed(row: Mapping[str, Any]) -> tuple[str, Decimal]:
    size = Decimal(str(row["size"]))
    return str(row["symbol"]).upper(), size if row["side"] == "long" else -size
