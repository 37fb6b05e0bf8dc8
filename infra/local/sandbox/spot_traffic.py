"""The spot public API under the declared conditions: rate limit, failures, hanging pairs, latency, and its call log.

Scripted faults (`/sandbox/faults`) come first: a request that such a fault answers is not seen here.
"""

import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import Any

from infra.local.market import Listing
from infra.local.sandbox.faults import HTML
from infra.local.sandbox.spot_conditions import SpotConditions
from infra.local.sandbox.wire import Request, Response, spot_error

PATH = "/0/public/"
HANG_SECONDS = 30.0
FAILING = frozenset({"OHLC", "Trades", "Ticker", "AssetPairs"})
COUNTED_BY_PAIR = frozenset({"OHLC", "Trades"})
FAILURES = ("http_503", "unavailable", "dropped", "truncated")
LOG_MAX = 100_000

JITTER_SHARE = 0.2
"""A call may come early by a fifth of the interval: a client that keeps the pace exactly still arrives unevenly on a
busy machine. What it comes too early is not forgotten, so that the mean rate never exceeds the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotCall:
    """What a request asks for. `pair` is the id where the name is known; "" and 0 where the call names none."""

    method: str
    pair: str
    interval: int


@dataclass(slots=True)
class Pace:
    """One token per interval without saving up: when each budget's next call is due (generic cell rate algorithm)."""

    due: dict[str, float] = field(default_factory=dict)

    def take(self, budget: str, at: float, interval: float) -> bool:
        """True when a call at `at` (seconds) is within the budget; a refused call costs nothing."""
        due = self.due.get(budget, at)
        if at < due - JITTER_SHARE * interval:
            return False
        self.due[budget] = max(due, at) + interval
        return True


class SpotTraffic:
    """Callers hold the server's lock; nothing here sleeps: answers carry how long the connection holds them."""

    def __init__(self, listings: Iterable[Listing], seed: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.conditions = SpotConditions()
        self.clock = clock
        self._pairs = _pair_names(listings)
        self._draw = random.Random(f"{seed}:spot").random
        self._kinds = cycle(FAILURES)
        self._pace = Pace()
        self._started = clock()
        self._failed: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._log: deque[dict[str, Any]] = deque(maxlen=LOG_MAX)

    def change(self, changes: Mapping[str, Any]) -> None:
        """Replace the named conditions. InvalidInput, and nothing changed, for an unknown name or a bad value."""
        changed = self.conditions.changed(changes, self._pairs)
        if (changed.limit, changed.calls_per_second) != (self.conditions.limit, self.conditions.calls_per_second):
            self._pace = Pace()
        self.conditions = changed

    def document(self) -> dict[str, Any]:
        """Conditions in force and what they have done since the sandbox started."""
        counts = {
            "failed": {kind: self._failed[kind] for kind in FAILURES},
            "limited": self._others["limited"],
            "hung": self._others["hung"],
        }
        return {**self.conditions.document(), "counts": counts}

    def take_log(self) -> list[dict[str, Any]]:
        """OHLC calls since the last look (the newest 100,000), oldest first; they are forgotten by it."""
        taken = list(self._log)
        self._log.clear()
        return taken

    def treat(self, request: Request, arrived: float, answer: Callable[[], Response]) -> Response:
        """The answer that the client gets. `arrived` is this clock's time, `answer` makes the undisturbed one."""
        call = self._call(request)
        outcome, response = self._outcome(call, arrived, answer)
        if outcome in ("limited", "hung"):
            self._others[outcome] += 1
        if call.method == "OHLC":
            at = round(arrived - self._started, 6)
            self._log.append({"pair": call.pair, "interval": call.interval, "at": at, "outcome": outcome})
        return replace(response, hold_seconds=response.hold_seconds + self.conditions.latency_s)

    def _call(self, request: Request) -> SpotCall:
        parameters = request.parameters()
        name = parameters.get("pair", [""])[0]
        interval = parameters.get("interval", ["1"])[0]
        return SpotCall(
            method=request.path.removeprefix(PATH),
            pair=self._pairs.get(name, name),
            interval=int(interval) if interval.isdecimal() else 0,
        )

    def _outcome(self, call: SpotCall, arrived: float, answer: Callable[[], Response]) -> tuple[str, Response]:
        refusal = self._refusal(call, arrived)
        if refusal is not None:
            return "limited", refusal
        if call.method == "OHLC" and call.pair in self.conditions.hanging:
            return "hung", Response(drop=True, hold_seconds=HANG_SECONDS)
        # No draw while nothing fails: the failures of a run must not depend on the calls before it was declared.
        if call.method in FAILING and self.conditions.failing_share and self._draw() < self.conditions.failing_share:
            return "failed", self._failure(answer)
        return "ok", answer()

    def _refusal(self, call: SpotCall, arrived: float) -> Response | None:
        limit, interval = self.conditions.limit, 1 / self.conditions.calls_per_second
        if limit == "per_ip" and not self._pace.take("", arrived, interval):
            return spot_error("EAPI:Rate limit exceeded")
        counted = limit == "per_pair" and call.method in COUNTED_BY_PAIR
        if counted and not self._pace.take(call.pair, arrived, interval):
            return spot_error("EGeneral:Too many requests")
        return None

    def _failure(self, answer: Callable[[], Response]) -> Response:
        kind = next(self._kinds)
        self._failed[kind] += 1
        if kind == "http_503":
            return Response(status=503, body=HTML, content_type="text/html")
        if kind == "unavailable":
            return spot_error("EService:Unavailable")
        if kind == "dropped":
            return Response(drop=True)
        whole = answer()
        return replace(whole, cut=len(whole.body) // 2)


def _pair_names(listings: Iterable[Listing]) -> dict[str, str]:
    """Pair id by each name of the pair."""
    return {
        name: listing.pair_id
        for listing in listings
        if listing.pair_id
        for name in (listing.pair_id, listing.altname, listing.websocket_name)
    }
