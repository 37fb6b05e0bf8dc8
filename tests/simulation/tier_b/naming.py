"""What a request of a transport is called on the tape and by the invariants: as the port's method that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tests.fakes.cloud import DECISIONS, MARKET

WRITING = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"},
)
SPOT = "/0/public/"
HISTORY = "/api/history/"
VERSIONED = "/api/v3/"

_READS: Mapping[str, str] = {
    "POSITION": "ledger.position",
    "SIGNAL": "ledger.signals_decided_since",
    "BOOK": "ledger.book",
    "VENUE_ANSWER": "ledger.flat_stop",
    "TRADE": "ledger.trades",
    "UNFILLED": "ledger.closed_positions",
    "CONTROL": "control.control",
    "RISK_DAY": "control.risk_day",
    "RUN": "control.last_run",
    "OBSERVED": "control.observations",
    "TOKEN": "control.token",
    "MARKET_WATCH": "watch.read",
}
_WRITES: Mapping[str, str] = {
    "POSITION": "ledger.save_position",
    "SIGNAL": "ledger.settle_signal",
    "VENUE_ANSWER": "ledger.note_flat_stop",
    "CONTROL": "control.set_control",
    "RISK_DAY": "control.save_risk_day",
    "RISK_DAY_UNREADABLE": "control.forget_unreadable_day",
    "RUN": "control.record_run",
    "OBSERVED": "control.first_observed",
    "TOKEN": "control.add_token",
    "TOLD": "control.tell_once",
    "MARKET_WATCH": "watch.save",
}
_OF_CANDLES: Mapping[str, str] = {"GetItem": "market.index", "BatchGetItem": "market.blocks"}
_OF_DECISIONS: Mapping[str, str] = {"BatchGetItem": "decisions.newest"}
_DELETES: Mapping[str, str] = {"OBSERVED": "control.forget_observation", "TOKEN": "control.spend_token"}
_ENDPOINTS: Mapping[str, str] = {"sendorder": "place"}


class Endpoint(NamedTuple):
    """A request to the venue. `kind` and `name` are those of the call, `subject` is the order that it names."""

    kind: str
    name: str
    writes: bool
    subject: str


def store_call(operation: str, table: str, key: str) -> str:
    """`key` as the transport labels it: `pk/sk`, several joined by `+`."""
    if table == MARKET:
        return "market.universe" if key.startswith("UNIVERSE") else _OF_CANDLES.get(operation, f"market.{operation}")
    if table == DECISIONS:
        return "decisions.add_stage" if operation in WRITING else _OF_DECISIONS.get(operation, f"decisions.{operation}")
    if operation == "TransactWriteItems":
        return _transaction(key)
    names = _DELETES if operation == "DeleteItem" else _WRITES if operation in WRITING else _READS
    kind = partition_kind(key)
    if operation == "Query" and kind == "POSITION":
        return "ledger.readable_positions"
    if operation == "PutItem" and kind == "SIGNAL":
        return "ledger.add_signal"
    return names.get(kind, f"{kind.lower()}.{operation}")


def _transaction(key: str) -> str:
    kinds = [partition_kind(each) for each in key.split("+")]
    if "POSITION" not in kinds:
        return _WRITES.get(kinds[0], f"{kinds[0].lower()}.TransactWriteItems")
    if "SIGNAL" in kinds:
        return "ledger.open_position"
    return "ledger.save_entry_send" if "CONTROL" in kinds else "ledger.close_position"


def partition_kind(key: str) -> str:
    return key.split("/", 1)[0].split("#", 1)[0]


def endpoint(method: str, path: str, parameters: Mapping[str, str]) -> Endpoint:
    """Orders and cancels by the names of `trading.ports.Venue`, reads by the venue's own."""
    if path.startswith(SPOT):
        return Endpoint("spot", path.removeprefix(SPOT), False, "")
    if path.startswith(HISTORY):
        return Endpoint("venue", f"history {path.rsplit('/', 1)[1]}", False, "")
    name = path.split(VERSIONED, 1)[-1]
    client_id, order_id = parameters.get("cliOrdId", ""), parameters.get("order_id", "")
    if name == "cancelorder":
        return Endpoint("venue", "cancel" if client_id else "cancel_order", True, client_id or order_id)
    return Endpoint("venue", _ENDPOINTS.get(name, name), method != "GET", client_id)
