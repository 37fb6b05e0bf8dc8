"""Posts messages to webhooks over HTTP, patiently but within a time budget.

Slack takes one message a second (https://docs.slack.dev/apis/web-api/rate-limits), Discord 5 in 2 seconds and 30 a
minute for a webhook (https://discord.com/developers/docs/topics/rate-limits: by its headers; the figures are observed,
https://birdie0.github.io/discord-webhooks-guide/other/rate_limits.html). Both answer 429 with `Retry-After` in seconds.

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
"""For one message by itself."""
RUN_SECONDS = 20.0
"""For all messages of one run; it fits a function of 30 s, with the last answer that is waited for and a store that
does not answer."""
SPACING_SECONDS = 1.0
"""Between two messages to one address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one post. `detail` is fit for a log: a status or the kind of failure, never the address.

    `refused`: the service answered that it will never take this message; another one may fare better.
    """

    delivered: bool
    detail: str
    attempts: int
    refused: bool = False


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

    def run(self, addresses: int) -> PostingRun:
        """A run that shares its time between so many addresses."""
        return PostingRun(self, RUN_SECONDS / max(addresses, 1))

    def elapsed(self) -> float:
        return self._elapsed()

    def wait(self, seconds: float) -> None:
        self._pause(seconds)

    def post(self, url: str, body: Mapping[str, Any], deadline: float | None = None) -> Delivery:
        """Send `body` as JSON until the service takes it, refuses it for good, or the time is over. Never raises.

        `deadline` in the seconds of `elapsed`; without one the post has the budget of one message.
        """
        payload = json.dumps(body, ensure_ascii=False).encode("utf-8")
        deadline = self._elapsed() + self._budget if deadline is None else deadline
        attempts, pause = 0, FIRST_PAUSE_SECONDS
        while True:
            attempts += 1
            status, asked = self._attempt(url, payload, deadline - self._elapsed())
            if status.startswith("2"):
                return Delivery(delivered=True, detail=status, attempts=attempts)
            if status.startswith(("3", "4")) and status != "429":
                detail = f"refused with status {status}"
                return Delivery(delivered=False, detail=detail, attempts=attempts, refused=True)
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


class PostingRun:
    """Posts of one run: spaced by `SPACING_SECONDS` for each address, and none to an address that has used up its
    `share` of seconds or did not answer well within it. So a service that hangs costs one share, not one a message.
    """

    def __init__(self, sender: WebhookSender, share: float) -> None:
        self._sender = sender
        self._share = share
        self._left: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._gave_up: dict[str, str] = {}

    def post(self, url: str, body: Mapping[str, Any]) -> Delivery:
        """Never raises."""
        if url in self._gave_up:
            return Delivery(delivered=False, detail=f"not tried after: {self._gave_up[url]}", attempts=0)
        began = self._sender.elapsed()
        # What one address uses of its share is only the time that is spent on it, not that of the others before it.
        deadline = began + self._left.get(url, self._share)
        pause = self._last.get(url, began - SPACING_SECONDS) + SPACING_SECONDS - began
        if began + pause >= deadline:
            return Delivery(delivered=False, detail="no time left in this run", attempts=0)
        if pause > 0:
            self._sender.wait(pause)
        delivery = self._sender.post(url, body, deadline)
        self._last[url] = self._sender.elapsed()
        self._left[url] = deadline - self._last[url]
        if not delivery.delivered and not delivery.refused:
            self._gave_up[url] = delivery.detail
        return delivery


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; None when it is missing or a date (neither service sends dates)."""
    try:
        return max(float(text), 0.0) if text else None
    except ValueError:
        return None
