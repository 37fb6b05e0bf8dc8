"""Mutated answers of the exchange through the real adapters: a sound value or a documented refusal, nothing else."""

from __future__ import annotations

import json
from collections.abc import Sized
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from shared.venue.last_line import LastLine
from tests.fuzz.corpus import require
from tests.fuzz.invariants import require_sound
from tests.fuzz.mutations import Mutated
from tests.fuzz.sandbox_bodies import CAPS, READS, Recorded, order, recorded
from tests.fuzz.wire import Given, Scripted, connect
from tests.integration.venue.recorded_bodies import EVERY_READ, V3
from trading.errors import VenueAuthenticationFailed, VenueUnavailable
from trading.model.orders import OrderType
from trading.model.units import Price
from trading.model.venue import SendAnswer, SendOutcome

SEND_PATH = f"{V3}/sendorder"
OPTIONAL = ("contracts /feeschedules",)
"""Reads that go on without this answer: fees of tier 1 are assumed when their schedules do not answer."""

ROWS = {"positions": "openPositions", "open_orders": "openOrders", "order_reports": "orders", "fills": "fills"}
"""Reads that must name every row of the list under this key, or fail: nothing may be left out in silence."""


class VenueReads:
    """Entries `read /path`: the answers to one read, one of them mutated."""

    name = "venue reads"
    http = True

    @cached_property
    def _recorded(self) -> Recorded:
        return recorded()

    @cached_property
    def _bodies(self) -> dict[str, tuple[str, str, dict[str, bytes]]]:
        """Read, path and all answers of the read by entry: as the sandbox says them, and in the documented shapes."""
        found = {}
        for read in READS:
            answers = {path: body for (name, path), body in self._recorded.reads.items() if name == read}
            for path in answers:
                found[f"{read} {path.removeprefix(V3)}"] = (read, path, answers)
                if path in EVERY_READ:
                    other = {each: json.dumps(EVERY_READ.get(each)).encode() for each in answers}
                    found[f"{read} {path.removeprefix(V3)} documented"] = (read, path, other)
        return found

    def entries(self) -> tuple[str, ...]:
        return tuple(self._bodies)

    def body(self, entry: str) -> bytes:
        _, path, answers = self._bodies[entry]
        return answers[path]

    def judge(self, entry: str, given: Mutated) -> str:
        read, path, answers = self._bodies[entry]
        script = Scripted({each: Given(body=body) for each, body in answers.items()})
        script.answers[path] = Given(body=given.body, status=given.status)
        adapters = self._recorded.adapters
        # With a clock that stands still the calls of all cases would count as made within ten seconds.
        adapters.account._last_line = LastLine(caps=CAPS, clock=SendClock())
        connect(adapters.spot.wire if read.startswith("spot_") else adapters.account.wire, script)
        try:
            value = READS[read](adapters)
        except VenueAuthenticationFailed:
            require(given.status == 401 or b"authenticationError" in given.body, "the key was not refused")
            return "key refused"
        except VenueUnavailable as error:
            return type(error).__name__
        require_sound(value)
        if not entry.startswith(OPTIONAL):
            _require_answered(given)
        if isinstance(value, Sized) and read in ROWS and given.body:
            _require_every_row(read, given, len(value))
        return "value"


def document_of(body: bytes) -> dict[str, Any] | None:
    """Read apart from the adapter: the JSON object of the body, None when it is none."""
    try:
        parsed = json.loads(body.decode("utf-8", errors="replace").strip(), parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _refuse(name: str) -> object:
    raise ValueError(name)


def _require_answered(given: Mutated) -> None:
    require(given.status == 200, f"HTTP {given.status} was taken for an answer")
    require(document_of(given.body) is not None, "something that is no JSON object was taken for an answer")


def _require_every_row(read: str, given: Mutated, count: int) -> None:
    rows = (document_of(given.body) or {})[ROWS[read]]
    held = [row for row in rows if read != "positions" or Decimal(str(row["size"])) > 0]
    distinct = len({str(_name_of(read, row)) for row in held})
    require(distinct <= count <= len(held), f"{len(held)} rows were answered ({distinct} names) and {count} were read")


def _name_of(read: str, row: dict[str, Any]) -> object:
    """A row that comes twice may count once; one that contradicts it must not pass."""
    if read == "order_reports":
        return row["order"]["orderId"]
    return row[{"positions": "symbol", "open_orders": "order_id", "fills": "fill_id"}[read]]


class SendClock:
    def now(self) -> datetime:
        return recorded().now


class VenueSends:
    """Entries are kinds of order: the answer to its send, mutated."""

    name = "venue sends"
    http = True

    def entries(self) -> tuple[str, ...]:
        return tuple(recorded().sends)

    def body(self, entry: str) -> bytes:
        return recorded().sends[entry]

    def judge(self, entry: str, given: Mutated) -> str:
        venue = recorded().adapters.account
        script = Scripted({SEND_PATH: Given(body=given.body, status=given.status)})
        connect(venue.wire, script)
        venue._last_line = LastLine(caps=CAPS, clock=SendClock())
        request = order("smc-9", OrderType.STOP, recorded().now, trigger=Price(1000))
        answer = venue.place(request)
        require(isinstance(answer, SendAnswer), f"a send was answered with {answer!r}")
        require(len(script.asked) == 1, f"an order was sent {len(script.asked)} times")
        require(request.process_before - recorded().now <= timedelta(seconds=10), "the order may be taken too late")
        _require_proof(answer, given)
        return str(answer.outcome)


def _require_proof(answer: SendAnswer, given: Mutated) -> None:
    """Only what can be read as an answer of the order's own API settles its fate."""
    if answer.outcome is SendOutcome.UNKNOWN or given.status == 429:
        return
    document = document_of(given.body)
    require(document is not None, "an order's fate was read from something that is no JSON object")
    require(given.status < 500 and given.status != 408, f"an order's fate was read from HTTP {given.status}")
    if answer.outcome is SendOutcome.ACCEPTED and document is not None:
        status = document["sendStatus"]["status"]
        require(given.status == 200 and document["result"] == "success", "an order counts as accepted without success")
        require(status in ("placed", "partiallyFilled", "filled"), f"an order counts as accepted with {status!r}")
