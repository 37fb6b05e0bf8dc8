"""Control plane below `/sandbox/`: state, advance, faults, the owner's manual actions, switches, spot conditions."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from infra.local.sandbox.bodies import open_order, position_row, send_status
from infra.local.sandbox.derivatives_private import BadParameter, Parameters, cancel_order, send_order
from infra.local.sandbox.faults import Fault, FaultPlan
from infra.local.sandbox.stress import stress_from
from infra.local.sandbox.venue import SandboxVenue
from infra.local.sandbox.wire import Request, Response, iso, json_response, text
from trading.errors import InvalidInput
from trading.matching import MarketStatus, OrderType

Document = dict[str, Any]
LATE: dict[str, Callable[[SandboxVenue, Parameters], Response]] = {
    "sendorder": send_order,
    "cancelorder": cancel_order,
}


def control(venue: SandboxVenue, request: Request) -> Response:
    """Answer a control request; a bad one gets HTTP 400 with one sentence and changes nothing."""
    handler = HANDLERS.get((request.method, request.path))
    if handler is None:
        known = ", ".join(f"{method} {path}" for method, path in HANDLERS)
        return json_response({"error": f"unknown control {request.method} {request.path}, expected {known}"}, 404)
    try:
        return json_response(handler(venue, request.document()))
    except (InvalidInput, ValueError, TypeError) as error:
        return json_response({"error": str(error)}, 400)


def state(venue: SandboxVenue, _: Document) -> Document:
    """Virtual time and the venue's own books: the truth that the system's figures are compared with."""
    engine, books = venue.engine, venue.engine.books
    margin = engine.margin()
    return {
        "now": iso(venue.now),
        "market": {
            "kind": venue.source.kind,
            "first": iso(venue.source.first),
            "last": iso(venue.source.last),
            "contracts": [item.contract for item in venue.source.listings() if item.contract and not item.decoy],
        },
        "equity": text(margin.equity),
        "balance": text(margin.balance),
        "starting_balance": text(books.starting_balance),
        "unrealised": text(margin.unrealised),
        "accrued_funding": text(margin.accrued_funding),
        "realised": text(books.realised),
        "fees": text(books.fees),
        "funding": text(books.funding),
        "initial_margin": text(margin.initial),
        "maintenance_margin": text(margin.maintenance),
        "orders_accepted": books.orders_accepted,
        "fills": len(books.fills),
        "liquidations": books.liquidations,
        "seconds_without_stop": text(engine.naked_seconds()),
        "seconds_without_stop_max": text(engine.naked_seconds_max()),
        "seconds_without_stop_by_contract": {
            symbol: text(max(cover.longest_seconds, engine.naked_seconds(symbol)))
            for symbol, cover in books.covers.items()
        },
        "positions": [position_row(venue, position) for position in books.positions.values()],
        "orders": [open_order(venue, order) for order in books.live.values()],
        "faults": [asdict(fault) for fault in venue.faults.faults],
        "switches": {**asdict(engine.switches), **asdict(venue.wire)},
        "spot": venue.spot.document(),
        "stress": venue.stress_documents(),
        "terms": venue.terms,
    }


def advance(venue: SandboxVenue, document: Document) -> Document:
    """Move virtual time to `to` (ISO 8601 with zone), matching on the way."""
    if not isinstance(document.get("to"), str):
        raise InvalidInput(f"advance needs `to`, an ISO 8601 time with zone, got {document.get('to')!r}")
    until = datetime.fromisoformat(document["to"])
    if until.tzinfo is None:
        raise InvalidInput(f"advance needs a time with zone, got {document['to']}")
    fills = len(venue.engine.books.fills)
    for held in venue.faults.arriving(venue.now, until):
        venue.advance(max(held.due or until, venue.now))
        _deliver(venue, held.request)
    venue.advance(until)
    return {
        "now": iso(venue.now),
        "fills": len(venue.engine.books.fills) - fills,
        "positions": len(venue.engine.books.positions),
        "orders": len(venue.engine.books.live),
    }


def _deliver(venue: SandboxVenue, request: Request) -> None:
    """Let a request arrive that was held on its way; nobody waits for its answer any more."""
    try:
        LATE[request.path.rsplit("/", 1)[1]](venue, request.parameters())
    except BadParameter:
        return


def faults(venue: SandboxVenue, document: Document) -> Document:
    """Script a fault, or remove all with `{"clear": true}`."""
    if document.get("clear"):
        venue.faults = FaultPlan()
    else:
        venue.faults.faults.append(Fault(**document))
    return {"faults": [asdict(fault) for fault in venue.faults.faults]}


def manual(venue: SandboxVenue, document: Document) -> Document:
    """The owner's own hand: `order` (sendorder's parameters), `cancel` an order_id, `remove_stops` of a symbol."""
    action = document.get("action")
    if action == "order":
        parameters = {name: [str(value)] for name, value in document.items() if name != "action"}
        try:
            answer = json.loads(send_order(venue, parameters).body)
        except BadParameter as error:
            raise InvalidInput(f"manual order: parameter {error.name} is missing or malformed") from error
        if "sendStatus" not in answer:
            raise InvalidInput(f"manual order refused: {answer['errors'][0]['message']}")
        return dict(answer["sendStatus"])
    if action == "cancel":
        return send_status(venue, venue.engine.cancel(str(document.get("order_id"))))
    if action == "remove_stops":
        symbol = str(document.get("symbol", "")).upper()
        stops = [item for item in venue.engine.books.orders_of(symbol) if item.order_type is OrderType.STOP]
        return {"cancelled": [venue.engine.cancel(stop.order_id).order_id for stop in stops]}
    raise InvalidInput(f"manual action is {action!r}, expected order, cancel or remove_stops")


def switches(venue: SandboxVenue, document: Document) -> Document:
    """Change switches by name; `{"market": symbol, "status": word}` suspends, restricts or resumes a market.

    `{"market": symbol, "stress": {...}}` puts it under extreme volatility or dislocation (see `stress_from`), and
    `{"market": symbol, "terms": {...}}` changes tick, step or margin tiers (see `market_terms`).
    """
    if "market" not in document:
        venue.switch(document)
    elif "stress" in document:
        venue.engine.set_stress(str(document["market"]).upper(), stress_from(document["stress"]))
    elif "terms" in document:
        venue.set_terms(str(document["market"]).upper(), document["terms"])
    else:
        venue.engine.set_status(str(document["market"]).upper(), MarketStatus(str(document.get("status"))))
    return {**asdict(venue.engine.switches), **asdict(venue.wire)}


def spot(venue: SandboxVenue, document: Document) -> Document:
    """Change conditions of the spot public API by name (see SpotConditions); the others stay."""
    venue.spot.change(document)
    return venue.spot.document()


def spot_log(venue: SandboxVenue, _: Document) -> list[Document]:
    """OHLC calls since the last look; looking clears them."""
    return venue.spot.take_log()


HANDLERS: dict[tuple[str, str], Callable[[SandboxVenue, Document], Document | list[Document]]] = {
    ("GET", "/sandbox/state"): state,
    ("POST", "/sandbox/advance"): advance,
    ("POST", "/sandbox/faults"): faults,
    ("POST", "/sandbox/manual"): manual,
    ("POST", "/sandbox/switches"): switches,
    ("POST", "/sandbox/spot"): spot,
    ("GET", "/sandbox/spot/log"): spot_log,
}
