"""The trade path on the emulator with an operator beside it: what a person asks for goes through the real use cases."""

from __future__ import annotations

from typing import Any

from functions.control_trading.closing import Reach, universe_reader
from functions.control_trading.desk import ControlDesk
from functions.control_trading.flatten import confirm, preview
from functions.control_trading.payloads import parse_request
from functions.control_trading.resuming import resume
from shared.trading_desk import TradingDesk
from tests.integration.trading.world import World

WHO = {"operator": "anna", "reason": "looked at it"}
EVERY_READ = {
    "positions",
    "open_orders",
    "fills",
    "quotes",
    "account",
    "order_reports",
    "order_history",
    "ledger_rows",
    "contracts",
    "cancel",
    "cancel_order",
    "order_book",
    "stress",
}


def operator_of(world: World) -> ControlDesk:
    def desk() -> TradingDesk:
        return world.desk()

    reach = Reach(desk)
    return ControlDesk(
        control=world.cloud.control,
        ledger=world.cloud.ledger,
        alerts=world.cloud.alerts,
        rules=world.rules,
        now=world.venue.now(),
        request_id="request-7",
        universe=universe_reader(world.cloud.market),
        venue_positions=reach.positions,
        close=reach.close,
        cancel_entries=reach.cancel_entries,
    )


def closed_by_a_person(world: World, scope: str = "ALL") -> dict[str, Any]:
    """Both steps of a flatten."""
    payload = {"action": "flatten", "scope": scope, **WHO}
    first: Any = parse_request(payload)
    token = preview(operator_of(world), first)["token"]
    second: Any = parse_request(payload | {"token": token})
    return confirm(operator_of(world), second)


def resumed_after_a_flatten(world: World) -> dict[str, Any]:
    payload = {"action": "resume", **WHO}
    first: Any = parse_request(payload)
    second: Any = parse_request(payload | {"token": resume(operator_of(world), first)["token"]})
    return resume(operator_of(world), second)


def outage(world: World) -> None:
    """Nothing is answered, and no order arrives."""
    world.venue.faults.reads |= EVERY_READ
    world.venue.faults.sends = ["lost request"] * 50


def outage_ends(world: World) -> None:
    world.venue.faults.reads.clear()
    world.venue.faults.sends.clear()


def held(world: World) -> set[str]:
    return set(world.venue.engine.books.positions)


def working(world: World) -> int:
    return len(world.venue.engine.books.live)
