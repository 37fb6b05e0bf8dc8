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
RUN_SECONDS = 12.0
"""For all messages of one run, the last answer among them: a full run stays below half of the function's 30 s, where
an alarm rings for functions that take too long."""
SPACING_SECONDS = 1.0
"""Between two messages to one address."""
USUAL_SECONDS = 0.25
"""That a service takes to answer."""
LEAST_SECONDS = 1.0
"""No post is begun with less: a service that answers at its usual pace would be counted as one that does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one post. `detail` is fit for a log: a status or the kind of failure, never the address.

    `refused`: the service answered that it will never take this message; another one may fare better. `postponed`: it
    was not tried, for want of time alone, which is nobody's failure.
    """

    delivered: bool
    detail: str
    attempts: int
    refused: bool = False
    postponed: bool = False


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
        """A run, beginning now, that shares its time between so many addresses."""
        return PostingRun(self, max(addresses, 1))

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
    A share pays for posts, not for the pauses between them: those of one address are for the posts to the others.
    """

    def __init__(self, sender: WebhookSender, addresses: int) -> None:
        self._sender = sender
        self._addresses = addresses
        self._share = RUN_SECONDS / addresses
        self._ends = sender.elapsed() + RUN_SECONDS
        self._left: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._gave_up: dict[str, str] = {}

    @property
    def alone(self) -> int:
        """Messages to each address that fit a run in which the addresses take turns and answer at their usual pace."""
        turn = max(SPACING_SECONDS + USUAL_SECONDS, self._addresses * USUAL_SECONDS)
        return int((RUN_SECONDS - LEAST_SECONDS) / turn)

    def post(self, url: str, body: Mapping[str, Any]) -> Delivery:
        """Never raises."""
        if url in self._gave_up:
            return Delivery(delivered=False, detail=f"not tried after: {self._gave_up[url]}", attempts=0)
        now = self._sender.elapsed()
        begins = max(now, self._last[url] + SPACING_SECONDS) if url in self._last else now
        left = self._left.get(url, self._share)
        deadline = min(begins + max(left, LEAST_SECONDS), self._ends)
        if left <= 0 or self._ends - begins < LEAST_SECONDS:
            return Delivery(delivered=False, detail="no time left in this run", attempts=0, postponed=True)
        if begins > now:
            self._sender.wait(begins - now)
        delivery = self._sender.post(url, body, deadline)
        self._last[url] = self._sender.elapsed()
        self._left[url] = left - (self._last[url] - begins)
        if not delivery.delivered and not delivery.refused:
            self._gave_up[url] = delivery.detail
        return delivery


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; None when it is missing or a date (neither service sends dates)."""
    try:
        return max(float(text), 0.0) if text else None
    except ValueError:
        return None
