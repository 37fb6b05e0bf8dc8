"""Section 15, first half: what can come back from a send, what the adapter says of it, and whether the order exists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.venue.bad_wire import bad_wire
from tests.integration.venue.faulty_venue import TIMEOUT_S, Rig
from trading.errors import VenueAuthenticationFailed, VenueThrottled, VenueUnavailable
from trading.model.orders import OrderType
from trading.model.units import Quantity
from trading.model.venue import OrderFate, SendOutcome, refused_for_now

ACCEPTED, REJECTED, UNKNOWN = SendOutcome.ACCEPTED, SendOutcome.REJECTED, SendOutcome.UNKNOWN
STATUS = "sendStatus.status"
EVENTS = "sendStatus.orderEvents"


@dataclass(frozen=True, kw_only=True)
class SpoiltSend:
    """A fault on sendorder. `exists`: whether the order rests at the venue afterwards. `detail`: part of our words."""

    kind: str
    outcome: SendOutcome
    exists: bool
    detail: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    def __call__(self, rig: Rig) -> None:
        rig.fault("/sendorder", self.kind, **self.more)
        answer = rig.rest()
        assert (answer.outcome, self.detail in answer.detail) == (self.outcome, True), answer
        report = rig.report("smc-rest-1")
        assert (report is not None) is self.exists
        assert len(rig.venue.open_orders()) == int(self.exists)
        if answer.outcome is ACCEPTED and answer.order_id is not None:
            assert report is not None
            assert answer.order_id == report.order_id
        assert rig.rest("smc-next-1").outcome is ACCEPTED


def page(status: int, *, done: bool, outcome: SendOutcome = UNKNOWN, **more: Any) -> SpoiltSend:
    """A web page of a gateway, with the request carried out behind it or not."""
    given = {"status": status, "processed": done, **more}
    return SpoiltSend(kind="page", outcome=outcome, exists=done, detail=str(status), more=given)


def answered(body: dict[str, Any], outcome: SendOutcome, detail: str, **more: Any) -> SpoiltSend:
    """A JSON answer in place of the real one; the request never reached the order engine."""
    return SpoiltSend(kind="answer", outcome=outcome, exists=False, detail=detail, more={"body": body, **more})


def rewritten(outcome: SendOutcome, detail: str = "", **more: Any) -> SpoiltSend:
    """The true answer to an accepted order with something changed in it."""
    return SpoiltSend(kind="rewrite", outcome=outcome, exists=True, detail=detail, more=more)


def refusal(error: str) -> dict[str, Any]:
    return {"result": "error", "error": error}


HOLD = {"hold_seconds": 2 * TIMEOUT_S}
RESET_HEADER = {"headers": {"rate-limit-reset": "7"}}
MARGIN = {"status": "ERROR", "result": "error", "errors": [{"code": 92, "message": "INSUFFICIENT_MARGIN"}]}
SENDS: dict[str, SpoiltSend] = {
    "done-then-timeout": SpoiltSend(kind="timeout", outcome=UNKNOWN, exists=True, more={**HOLD, "processed": True}),
    "done-then-closed": SpoiltSend(kind="lost_reply", outcome=UNKNOWN, exists=True),
    "done-then-slow": SpoiltSend(kind="slow", outcome=UNKNOWN, exists=True, more=HOLD),
    "closed-before": SpoiltSend(kind="lost_reply", outcome=UNKNOWN, exists=False, more={"processed": False}),
    "html": SpoiltSend(kind="html", outcome=UNKNOWN, exists=False),
    "html-but-done": SpoiltSend(kind="html", outcome=UNKNOWN, exists=True, more={"processed": True}),
    "empty": SpoiltSend(kind="empty", outcome=UNKNOWN, exists=True),
    "empty-object": SpoiltSend(kind="empty_object", outcome=UNKNOWN, exists=True),
    "cut-right-length": SpoiltSend(kind="short", outcome=UNKNOWN, exists=True),
    "cut-wrong-length": SpoiltSend(kind="truncated", outcome=UNKNOWN, exists=True),
    "429-json": answered(refusal("apiLimitExceeded"), REJECTED, "429", status=429, **RESET_HEADER),
    "429-html": page(429, done=False, outcome=REJECTED, **RESET_HEADER),
    **{f"{status}-page": page(status, done=False) for status in (405, 502, 503, 504, 520, 524)},
    **{f"{status}-page-but-done": page(status, done=True) for status in (405, 502, 503, 504, 520, 524)},
    "authentication-error": answered(refusal("authenticationError"), REJECTED, "authenticationError"),
    "500-insufficient-margin": answered(MARGIN, UNKNOWN, "INSUFFICIENT_MARGIN", status=500),
    "unknown-error-word": answered(refusal("brandNewError"), UNKNOWN, "brandNewError"),
    "unknown-error-word-in-4xx": answered(refusal("brandNewError"), UNKNOWN, "brandNewError", status=403),
    "unknown-send-status": rewritten(UNKNOWN, "brandNewStatus", changes={STATUS: "brandNewStatus", EVENTS: []}),
    "status-null": rewritten(UNKNOWN, "no sendStatus", changes={STATUS: None}),
    "refusal-beside-a-place-event": rewritten(UNKNOWN, "invalidPrice", changes={STATUS: "invalidPrice"}),
    "placed-empty-events": rewritten(ACCEPTED, "placed", changes={EVENTS: []}),
    "placed-without-events": rewritten(ACCEPTED, "placed", removed=[EVENTS]),
    "placed-without-order-id": rewritten(ACCEPTED, "placed", removed=["sendStatus.order_id"]),
    "placed-without-any-id": rewritten(ACCEPTED, "placed", removed=["sendStatus.order_id", EVENTS]),
}


def late_but_in_time(rig: Rig) -> None:
    """The request arrives after we gave up and before its deadline: it must still be found."""
    rig.fault("/sendorder", "late", delay_seconds=2)
    assert rig.rest().outcome is UNKNOWN
    assert rig.report("smc-rest-1") is None
    rig.advance(seconds=2.5)
    report = rig.report("smc-rest-1")
    assert report is not None
    assert report.fate is OrderFate.WORKING
    assert rig.venue.open_orders()[0].client_order_id == "smc-rest-1"


def late_and_expired(rig: Rig) -> None:
    """It arrives after its deadline: the venue itself sees to it that it never exists."""
    started = rig.now()
    rig.fault("/sendorder", "late", delay_seconds=6)
    assert rig.rest().outcome is UNKNOWN
    rig.advance(seconds=20)
    assert rig.report("smc-rest-1") is None
    assert rig.venue.open_orders() == ()
    assert rig.history("smc-rest-1", started) is None


def drip(rig: Rig) -> None:
    """A dripping answer takes longer than the timeout, which counts per read; whole it counts, cut it does not."""
    with bad_wire(rig.served.url) as wire:
        venue = rig.adapter(wire.url)
        wire.mode = "drip"
        assert venue.place(rig.order("smc-rest-1", OrderType.POST, "0.9")).outcome is ACCEPTED
        wire.mode = "drip_and_cut"
        assert venue.place(rig.order("smc-rest-2", OrderType.POST, "0.9")).outcome is UNKNOWN
    assert len(rig.venue.order_reports(["smc-rest-1", "smc-rest-2"])) == 2


def reset(rig: Rig) -> None:
    """A reset connection says nothing: once the order never left, once it rests."""
    with bad_wire(rig.served.url) as wire:
        venue = rig.adapter(wire.url)
        wire.mode = "reset_before"
        assert venue.place(rig.order("smc-rest-1", OrderType.POST, "0.9")).outcome is UNKNOWN
        assert len(wire.swallowed) == 1
        wire.mode = "reset_after"
        assert venue.place(rig.order("smc-rest-2", OrderType.POST, "0.9")).outcome is UNKNOWN
    assert [each.client_order_id for each in rig.venue.open_orders()] == ["smc-rest-2"]


def real_limit(rig: Rig) -> None:
    """The venue's own accounting: 500 units in 10 s. What is over is refused for now, and refused reads say so."""
    rig.switch(rate_limits=True)
    for number in range(50):
        assert rig.rest(f"smc-{number}").outcome is ACCEPTED
    over = rig.rest("smc-over-1")
    assert (over.outcome, over.detail) == (REJECTED, "apiLimitExceeded")
    assert refused_for_now(over.detail)
    with pytest.raises(VenueThrottled, match="apiLimitExceeded"):
        rig.venue.open_orders()
    rig.advance(seconds=10)
    assert rig.rest("smc-over-2").outcome is ACCEPTED
    assert rig.report("smc-over-1") is None


def bad_key_on_reads(rig: Rig) -> None:
    for path, read in (("/openpositions", rig.venue.positions), ("/accounts", rig.venue.account)):
        rig.fault(path, "answer", body=refusal("authenticationError"))
        with pytest.raises(VenueAuthenticationFailed):
            read()
    body = {"status": "unauthorized", "reason": "You are not authorized to access this endpoint."}
    rig.fault("/account-log", "answer", body=body, status=401)
    with pytest.raises(VenueAuthenticationFailed):
        rig.venue.ledger_rows(rig.now())


def pages_on_reads(rig: Rig) -> None:
    """A gateway's page is never an empty list."""
    rig.rest()
    for status in (405, 429, 502, 503, 504, 520, 524):
        rig.fault("/openorders", "page", status=status)
        with pytest.raises(VenueUnavailable, match=str(status)):
            rig.venue.open_orders()
    assert len(rig.venue.open_orders()) == 1


def rejected(rig: Rig, events: str) -> None:
    rig.switch(order_events=events)
    answer = rig.place("smc-post-1", OrderType.POST, "1.01")
    assert (answer.outcome, answer.detail) == (REJECTED, "postWouldExecute")
    assert (rig.report("smc-post-1"), rig.venue.positions()) == (None, ())


def partial_immediate(rig: Rig) -> None:
    """An ioc takes what there is; the word is `placed`, nothing rests, and the fills say how much."""
    answer = rig.place("smc-ioc-1", OrderType.IMMEDIATE, "1.0001", quantity=Quantity("10"))
    assert (answer.outcome, answer.detail) == (ACCEPTED, "placed")
    filled = sum(fill.quantity for fill in rig.venue.fills())
    assert 0 < filled < 10
    report = rig.report("smc-ioc-1")
    assert report is not None
    assert (report.fate, report.filled) == (OrderFate.CANCELLED, filled)
    assert (rig.venue.positions()[0].quantity, rig.venue.open_orders()) == (filled, ())


def executions_only(rig: Rig) -> None:
    """No PLACE and no id of its own: the id stands in the execution."""
    rig.fault("/sendorder", "rewrite", removed=["sendStatus.order_id"])
    answer = rig.place("smc-limit-1", OrderType.LIMIT, "1.01")
    assert answer.outcome is ACCEPTED
    assert {fill.order_id for fill in rig.venue.fills()} == {answer.order_id}
    assert rig.venue.open_orders() == ()


def placed_and_executed(rig: Rig) -> None:
    """Part executes at once and the rest stays on the book."""
    answer = rig.place("smc-limit-1", OrderType.LIMIT, "1.0001", quantity=Quantity("10"))
    assert answer.outcome is ACCEPTED
    (order,) = rig.venue.open_orders()
    filled = sum(fill.quantity for fill in rig.venue.fills())
    assert (order.order_id, order.filled, order.open_quantity) == (answer.order_id, filled, 10 - filled)
    assert 0 < filled < 10
