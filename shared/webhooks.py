"""Posts a message to a webhook over HTTP, patiently but within a time budget.

The address of a webhook is a credential: no error, log line or return value here contains it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

# urllib3 logs the path of every request at DEBUG, and the path is the credential.
logging.getLogger("urllib3").setLevel(logging.INFO)

CONNECT_SECONDS, READ_SECONDS = 2.0, 4.0
FIRST_PAUSE_SECONDS = 0.5
SHORTEST_SECONDS = 0.1
HEADERS = {"Content-Type": "application/json"}
BUDGET_SECONDS = 10.0
"""For one message to one service; two services fit a function of 30 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one post. `detail` is fit for a log: a status or the kind of failure, never the address."""

    delivered: bool
    detail: str
    attempts: int


class WebhookSender:
    """`elapsed` gives rising seconds, `pause` waits that long."""

    def __init__(
        self,
        *,
        budget_seconds: float = BUDGET_SECONDS,
        elapsed: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._budget = budget_seconds
        self._elapsed = elapsed
        self._pause = pause
        self._pool = urllib3.PoolManager(retries=False, cert_reqs="CERT_REQUIRED")

    def post(self, url: str, body: Mapping[str, Any]) -> Delivery:
        """Send `body` as JSON until the service takes it, refuses it for good, or the budget is spent. Never raises."""
        payload = json.dumps(body, ensure_ascii=False).encode("utf-8")
        deadline = self._elapsed() + self._budget
        attempts, pause = 0, FIRST_PAUSE_SECONDS
        while True:
            attempts += 1
            status, asked = self._attempt(url, payload, deadline - self._elapsed())
            if status.startswith("2"):
                return Delivery(delivered=True, detail=status, attempts=attempts)
            if status.startswith(("3", "4")) and status != "429":
                return Delivery(delivered=False, detail=f"refused with status {status}", attempts=attempts)
            wait = pause if asked is None else asked
            if self._elapsed() + wait >= deadline:
                return Delivery(delivered=False, detail=f"gave up after {status}", attempts=attempts)
            self._pause(wait)
            pause *= 2

    def _attempt(self, url: str, payload: bytes, left: float) -> tuple[str, float | None]:
        """Status as text, or the kind of failure; and the seconds that the service asks to wait."""
        left = max(left, SHORTEST_SECONDS)
        timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, left), read=min(READ_SECONDS, left))
        try:
            # The body says nothing that we use; not reading it also spares us one that trickles in for minutes.
            answer = self._pool.request(
                "POST", url, body=payload, headers=HEADERS, timeout=timeout, redirect=False, preload_content=False
            )
        except urllib3.exceptions.HTTPError as error:
            return type(error).__name__, None
        answer.close()
        return str(answer.status), _seconds(answer.headers.get("Retry-After"))


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; None when it is missing or a date (neither service sends dates)."""
    try:
        return max(float(text), 0.0) if text else None
    except ValueError:
        return None
