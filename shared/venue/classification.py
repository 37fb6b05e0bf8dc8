"""What is known after a send, judged only by what was received (contract, section 10, last paragraph).

REJECTED needs proof: a parsed derivatives body with a known refusal, a 4xx with JSON errors, or a 429. ACCEPTED needs
a known status of acceptance. Everything else - no answer, a web page, 5xx, an unknown word, "this id exists already" -
is UNKNOWN: the order may or may not exist.
"""

from __future__ import annotations

from shared.venue.reading import venue_error
from shared.venue.received import Lost, Outcome, Received
from trading.model.venue import SendAnswer, SendOutcome

ACCEPTING_STATUSES = frozenset({"placed", "partiallyFilled", "filled"})

REJECTING_STATUSES = frozenset(
    {
        "marketSuspended",
        "marketInactive",
        "invalidPrice",
        "invalidSize",
        "invalidOrderType",
        "invalidSide",
        "tooManySmallOrders",
        "insufficientAvailableFunds",
        "wouldCauseLiquidation",
        "clientOrderIdTooBig",
        "clientOrderIdTooLong",
        "clientOrderIdInvalid",
        "maxPositionViolation",
        "outsidePriceCollar",
        "wouldIncreasePriceDislocation",
        "postWouldExecute",
        "iocWouldNotExecute",
        "selfFill",
        "wouldNotReducePosition",
        "marketIsPostOnly",
        "tooManyOrders",
        "fixedLeverageTooHigh",
        "wouldProcessAfterSpecifiedTime",
        "requiredArgumentMissing",
    }
)
"""`clientOrderIdAlreadyExist` is absent on purpose: it says that the order exists."""

REJECTING_ERRORS = frozenset(
    {
        "accountInactive",
        "apiLimitExceeded",
        "authenticationError",
        "insufficientFunds",
        "invalidAccount",
        "invalidAmount",
        "invalidArgument",
        "invalidUnit",
        "Json Parse Error",
        "marketUnavailable",
        "contractNotFound",
        "nonceBelowThreshold",
        "nonceDuplicate",
        "notFound",
        "requiredArgumentMissing",
    }
)
"""Refusals before the order engine. `Server Error`, `Unavailable` and `unknownError` prove nothing."""

_MAY_BE_PROCESSED_4XX = frozenset({408})
_CONTRADICTING_EVENTS = frozenset({"EXECUTION", "PLACE", "REJECTED_AFTER_EXECUTION", "CLIENT_ORDER_ID_IN_USE"})
"""Types and reasons of events that say: something of this order, or an order of this name, exists."""


def classify_send(outcome: Outcome) -> SendAnswer:
    """The one answer to "was the order placed?". `detail` is the venue's own word where it gave one."""
    if isinstance(outcome, Lost):
        return _unknown(f"no answer: {outcome.detail}")
    if outcome.status == 429:
        # The limiter stands before the order engine: Kraken's 429 and its apiLimitExceeded both mean that the request
        # was not processed (contract, sections 9 and 10). The same order may go later: see `refused_for_now`.
        return _rejected("rate limited, HTTP 429")
    document = outcome.document()
    if document is None:
        return _unknown(f"HTTP {outcome.status} with {outcome.shown()}")
    if outcome.status == 200 and document.get("result") == "success":
        return _by_status(document, outcome)
    if error := venue_error(document):
        return _by_error(error, document, outcome)
    return _unknown(f"HTTP {outcome.status} with {outcome.shown()}")


def _by_status(document: dict[str, object], received: Received) -> SendAnswer:
    send_status = document.get("sendStatus")
    status = send_status.get("status") if isinstance(send_status, dict) else None
    if not isinstance(send_status, dict) or not isinstance(status, str):
        return _unknown(f"no sendStatus in {received.shown()}")
    words = _event_words(send_status)
    order_id = _order_id(send_status)
    if status in ACCEPTING_STATUSES and "REJECT" not in words:
        return SendAnswer(outcome=SendOutcome.ACCEPTED, detail=status, order_id=order_id)
    if status in REJECTING_STATUSES and not words & _CONTRADICTING_EVENTS:
        return _rejected(status)
    return SendAnswer(outcome=SendOutcome.UNKNOWN, detail=status, order_id=order_id)


def _by_error(error: str, document: dict[str, object], received: Received) -> SendAnswer:
    """A known word of refusal, or a 4xx whose `errors` say what was wrong with the request; never a 5xx."""
    client_error = 400 <= received.status < 500 and received.status not in _MAY_BE_PROCESSED_4XX
    word = isinstance(document.get("error"), str)
    if word:
        known = (received.status == 200 or client_error) and error.split(":")[0] in REJECTING_ERRORS
    else:
        known = client_error and document.get("result") == "error" and bool(document.get("errors"))
    return _rejected(error) if known else _unknown(f"HTTP {received.status}: {error}")


def _events(send_status: dict[str, object]) -> list[dict[str, object]]:
    events = send_status.get("orderEvents")
    return [event for event in events if isinstance(event, dict)] if isinstance(events, list) else []


def _event_words(send_status: dict[str, object]) -> set[str]:
    """Types and reasons of all events."""
    return {str(event.get(name)) for event in _events(send_status) for name in ("type", "reason")}


def _order_id(send_status: dict[str, object]) -> str | None:
    """The venue's id from wherever it is given: the status itself or one of its events."""
    if isinstance(order_id := send_status.get("order_id"), str) and order_id:
        return order_id
    for event in _events(send_status):
        for holder, name in (("order", "orderId"), ("orderPriorExecution", "orderId"), ("orderTrigger", "uid")):
            inner = event.get(holder)
            if isinstance(inner, dict) and isinstance(found := inner.get(name), str) and found:
                return found
    return None


def _rejected(detail: str) -> SendAnswer:
    return SendAnswer(outcome=SendOutcome.REJECTED, detail=detail)


def _unknown(detail: str) -> SendAnswer:
    return SendAnswer(outcome=SendOutcome.UNKNOWN, detail=detail)
