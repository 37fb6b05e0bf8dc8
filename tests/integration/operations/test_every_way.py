"""The operator's requests as event files and by the command line, each on a local stack of its own: one outcome."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.cli.operators import Target, ask
from infra.local.attached import Attached
from infra.local.runner import Runner
from infra.local.stack import LocalStack, StackParameters
from shared.clock import SystemClock, install_clock
from shared.observability import telemetry_for
from shared.settings import TradingSettings, load_settings
from shared.storage.tables import LedgerItem
from shared.trading_desk import TradingDesk, open_desk
from tests.integration.local.commands import smc_trader
from tests.integration.local.conftest import _forget
from tests.unit.operator.trade_scene import WHO
from trading.errors import InvalidInput
from trading.model.instruments import Instrument
from trading.model.orders import ClientOrderId, OrderRequest, OrderSide, OrderType
from trading.model.positions import PositionState

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

EVENTS = Path("tests/events")


@pytest.fixture(autouse=True)
def given_back() -> Iterator[None]:
    """Handlers are called in this very process: it is left as it was found."""
    environment, session = dict(os.environ), boto3.DEFAULT_SESSION
    yield
    os.environ.clear()
    os.environ.update(environment)
    boto3.DEFAULT_SESSION = session


def event(name: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return found | more


@dataclass
class Stack:
    """A living local stack with two positions at the venue. `send` is a way to reach the operator's function."""

    directory: Path
    send: Callable[[Path, dict[str, Any]], dict[str, Any]]

    def ask(self, payload: dict[str, Any]) -> dict[str, Any]:
        return self.send(self.directory, payload)

    def two_steps(self, payload: dict[str, Any]) -> dict[str, Any]:
        return self.ask(payload | {"token": self.ask(payload)["token"]})

    def facts(self) -> dict[str, Any]:
        """Of the ledger and the venue, without what a request is called."""
        with Attached.open(self.directory) as local:
            desk = trading_desk(local._runner)
            audit = [json.loads(item.body or "{}") for item in LedgerItem.query("CONTROL_AUDIT")]
            return {
                "level": int(desk.control.control(local.now).level),
                "audit": [(each["reason"], each["changed_by"].partition(" (request ")[0]) for each in audit[1:]],
                "positions": [(each.contract, each.quantity) for each in desk.venue.positions()],
                "working": len(desk.venue.open_orders()),
                "records": [(str(each.instrument), each.state) for each in desk.ledger.open_positions()],
            }


def trading_desk(runner: Runner) -> TradingDesk:
    runner.invoker.enter("reconcile_positions")
    return open_desk(load_settings(TradingSettings), telemetry_for("test"))


def by_event(directory: Path, payload: dict[str, Any]) -> dict[str, Any]:
    """As `sam local invoke ControlTradingFunction -e` hands it to the handler, with Lambda's environment."""
    with Attached.open(directory) as local:
        return local.control(payload)


def by_command(directory: Path, payload: dict[str, Any]) -> dict[str, Any]:
    """As a person types it. The command does both steps of two itself, so the second one is nothing more to do."""
    if "token" in payload:
        return {}
    options = [f"--{name}={value}" for name, value in payload.items() if name in ("operator", "reason", "level")]
    scope = [payload["scope"]] if "scope" in payload else []
    confirmed = ["--yes"] if payload["action"] in ("flatten", "lock", "resume") else []
    command = [payload["action"], *scope, *options, *confirmed]
    answer = smc_trader(*command, "--state-dir", str(directory), "--json")
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return {"token": "spent by the command", **found}


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Both coins are bought by hand, and reconcile has given them a record and a stop."""
    parameters = StackParameters(candles=None, seed=7, coins=2)
    _forget()
    with LocalStack.open(directory, parameters) as stack, stack.files.logs.open("a", encoding="utf-8") as log:
        runner = Runner(stack, log)
        runner.begin()
        desk = trading_desk(runner)
        for each in desk.universe().instruments:
            _buy(desk, each)
        for _ in range(2):
            runner.step()
        stack.leave()
    try:
        yield
    finally:
        LocalStack.end(directory)
        install_clock(SystemClock())
        _forget()


def _buy(desk: TradingDesk, instrument: Instrument) -> None:
    mark = desk.venue.quotes()[instrument.contract].mark
    desk.venue.place(
        OrderRequest(
            client_order_id=ClientOrderId(f"owner-{instrument.id}"),
            contract=instrument.contract,
            side=OrderSide.BUY,
            type=OrderType.IMMEDIATE,
            limit_price=instrument.price_up(mark * Decimal("1.01")),
            quantity=instrument.quantity_down(Decimal(500) / mark),
            reduce_only=False,
            process_before=desk.now + timedelta(seconds=10),
        )
    )


WAYS = {"event": by_event, "command": by_command}


def played(directory: Path, way: str) -> list[dict[str, Any]]:
    """The whole story, with the facts after every act."""
    told = []
    with held(directory):
        stack = Stack(directory, WAYS[way])
        acts: list[Callable[[], Any]] = [
            lambda: stack.ask(event("control_trading")),
            lambda: stack.ask(event("control_trading_pause")),
            lambda: stack.ask(event("control_trading_resume")),
            lambda: stack.ask(event("control_trading_cancel_entries")),
            lambda: stack.two_steps(event("control_trading_resume")),
            lambda: stack.two_steps(event("control_trading_flatten_one")),
            lambda: stack.two_steps(event("control_trading_flatten")),
            lambda: stack.two_steps(event("control_trading_resume")),
            lambda: stack.two_steps(event("control_trading_lock")),
        ]
        for act in acts:
            act()
            told.append(stack.facts())
    return told


def test_events_and_commands_give_the_same_outcome(tmp_path: Path) -> None:
    by_events, by_commands = (played(tmp_path / way, way) for way in ("event", "command"))
    assert by_events == by_commands
    assert [each["level"] for each in by_events] == [0, 1, 0, 2, 0, 0, 3, 0, 4]
    assert [len(each["positions"]) for each in by_events] == [2, 2, 2, 2, 2, 1, 0, 0, 0]
    assert by_events[-1]["working"] == 0
    assert [len(each["audit"]) for each in by_events] == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert {who for each in by_events for _, who in each["audit"]} == {"anna"}
    assert {state for _, state in by_events[4]["records"]} == {PositionState.FOREIGN}


WRONG = {
    "replayed": "unknown or was used before",
    "invented": "unknown or was used before",
    "expired": "token expired at",
    "of another operator": "token was given for operator 'anna', not 'bert'",
    "of another scope": "token was given for scope 'BTC', not 'ALL'",
    "malformed": "token is not valid",
}


def wrong(kind: str, stack: Stack, first: dict[str, Any]) -> dict[str, Any]:
    request = first | {"token": stack.ask(first)["token"]}
    if kind == "replayed":
        stack.ask(request)
    if kind == "expired":
        with Attached.open(stack.directory) as local:
            local._runner.begin()
            for _ in range(3):
                local._runner.step()
    changed: dict[str, dict[str, Any]] = {
        "invented": {"token": "0" * 32},
        "of another operator": {"operator": "bert"},
        "of another scope": {"scope": "ALL"},
        "malformed": {"token": "?"},
    }
    return request | changed.get(kind, {})


def refusal_of_command(directory: Path, payload: dict[str, Any]) -> str:
    with pytest.raises(InvalidInput) as caught:
        ask(Target(state_dir=directory, stack=""), payload)
    return str(caught.value)


def test_wrong_tokens_change_nothing_by_either_way(tmp_path: Path) -> None:
    first = {"action": "flatten", "scope": "BTC", **WHO}
    with held(tmp_path / "stack"):
        stack = Stack(tmp_path / "stack", by_event)
        for kind, sentence in WRONG.items():
            request = wrong(kind, stack, first)
            before = stack.facts()
            assert sentence in stack.ask(request)["error"], kind
            assert sentence in refusal_of_command(stack.directory, request), kind
            assert stack.facts() == before, kind
