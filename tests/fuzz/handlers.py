"""Mutated events through the whole decorated handlers, over the stores on the emulator and the exchange in process.

Nothing but a valid request may change the switch; nothing at all may send an order, because nothing is due.
"""

from __future__ import annotations

import atexit
import importlib
import io
import json
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from functions.control_trading.payloads import PauseRequest, ResumeRequest, parse_request
from shared import aws_clients, queues, runtime, secrets
from shared.alerts import alerts_of
from shared.clock import SystemClock, install_clock
from shared.venue.last_line import caps_of
from shared.venues import account_of, futures_of, spot_of
from tests.fakes.cloud import DECISIONS, LEDGER, MARKET, REGION, Cloud, emulated
from tests.fakes.records import NOW, RULES, coin, control
from tests.fuzz.corpus import require
from tests.fuzz.events import EVENTS, NOT_JSON, payload_of, require_sentence
from tests.fuzz.mutations import Mutated
from tests.fuzz.quiet_exchange import COINS, KEY, SECRET, is_send, open_exchange
from tests.fuzz.wire import Given, connect
from trading.errors import InvalidInput
from trading.model.control import KillLevel
from trading.model.instruments import Universe

URL = "http://127.0.0.1:9"
CONTEXT = SimpleNamespace(
    function_name="fuzz", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="request-1"
)
RECORDS = {"Records": [{"messageId": "m-1", "body": json.dumps({"signal_id": "s", "instrument": "COIN"})}]}
SETTINGS = {
    "SMC_LEDGER_TABLE": LEDGER,
    "SMC_DECISIONS_TABLE": DECISIONS,
    "SMC_MARKET_DATA_TABLE": MARKET,
    "SMC_SPOT_URL": URL,
    "SMC_FUTURES_URL": URL,
    "SMC_TRADING_SECRET_ID": "trading",
    "SMC_WEBHOOKS_SECRET_ID": "webhooks",
    "SMC_MODE": "live",
}


class Stopped:
    def now(self) -> Any:
        return NOW


class Handlers:
    """Entries `function event`."""

    name = "handlers"
    http = False

    @cached_property
    def _stage(self) -> Stage:
        return Stage()

    def close(self) -> None:
        """Take the emulator down, if it was ever put up; the next case puts up another one."""
        stage = vars(self).pop("_stage", None)
        if stage is not None:
            stage.close()

    @cached_property
    def _events(self) -> dict[str, bytes]:
        found = {}
        for path in sorted(EVENTS.glob("*.json")):
            function = next((each for each in FUNCTIONS if path.stem.startswith(each)), None)
            if function is not None:
                found[f"{function} {path.stem}"] = path.read_bytes()
        return found | {"execute_signals records": json.dumps(RECORDS).encode()}

    def entries(self) -> tuple[str, ...]:
        return tuple(self._events)

    def body(self, entry: str) -> bytes:
        return self._events[entry]

    def judge(self, entry: str, given: Mutated) -> str:
        try:
            event = payload_of(given.body)
        except ValueError:
            return NOT_JSON
        return self._stage.invoke(entry.split(" ")[0], event)


FUNCTIONS = (
    "control_trading",
    "execute_signals",
    "reconcile_positions",
    "manage_exits",
    "forward_alerts",
    "check_health",
    "maintain_records",
)

REFUSE_BY_RAISING = ("forward_alerts", "maintain_records")
"""Nobody reads what these answer: of an event that makes no sense to them the invocation fails, with a sentence."""


class Stage:
    """The emulator with its tables, secrets and the exchange, until it is closed or the process ends."""

    def __init__(self) -> None:
        self._stack, self.sent = ExitStack(), 0
        patch = self._stack.enter_context(pytest.MonkeyPatch.context())
        self.cloud: Cloud = self._stack.enter_context(emulated(patch))
        _forget()
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        topic = boto3.client("sns", region_name=REGION).create_topic(Name="alerts")["TopicArn"]
        patch.setenv("SMC_ALERTS_TOPIC_ARN", topic)
        queue = boto3.client("sqs", region_name=REGION).create_queue(QueueName="queue")["QueueUrl"]
        for name in ("SMC_QUEUE_URLS", "SMC_DEAD_LETTER_QUEUE_URLS"):
            patch.setenv(name, f"queue={queue}")
        keeper = boto3.client("secretsmanager", region_name=REGION)
        keeper.create_secret(Name="trading", SecretString=json.dumps({"api_key": KEY, "api_secret": SECRET}))
        keeper.create_secret(Name="webhooks", SecretString="{}")
        self.cloud.control.set_control(control())
        self.cloud.market.save_universe(Universe(instruments=tuple(map(coin, COINS))), NOW, None)
        self._connect()
        atexit.register(self.close)

    def _connect(self) -> None:
        application, clock = open_exchange()[0], Stopped()
        install_clock(clock)

        def answer(request: Any) -> Given:
            self.sent += is_send(request)
            response = application(request)
            return Given(body=response.body, status=response.status)

        account = account_of(URL, KEY, SECRET, caps_of(RULES), clock)
        for wire in (account.wire, spot_of(URL, clock).wire, futures_of(URL).wire):
            connect(wire, answer)

    def close(self) -> None:
        atexit.unregister(self.close)
        install_clock(SystemClock())
        self._stack.close()
        _forget()

    def invoke(self, function: str, event: Any) -> str:
        """The switch is normal before each event."""
        before = self._normal()
        sent, handler = self.sent, _handler(function)
        try:
            with redirect_stdout(io.StringIO()):
                answer = handler(event, CONTEXT)
        except InvalidInput as error:
            require(function in REFUSE_BY_RAISING, f"{function} raised {error}")
            require_sentence(error)
            return "refused: tried again, then a failed invocation"
        require(self.sent == sent, f"{self.sent - sent} orders were sent")
        json.dumps(answer)
        if isinstance(event, dict) and event.get("describe") is True:
            return "described"
        if function != "control_trading":
            require(self._level() == before, f"the switch went from K{before} to K{self._level()}")
            return "ran"
        return self._operated(event, answer)

    def _operated(self, event: Any, answer: Any) -> str:
        try:
            request = parse_request(event)
        except InvalidInput:
            if isinstance(answer, str):
                require("Refused" in answer and self._level() == KillLevel.NORMAL, f"{answer}"[:200])
                return "one page"
            require(answer["ok"] is False and self._level() == KillLevel.NORMAL, f"{answer}"[:200])
            require_sentence(InvalidInput(answer["error"]))
            return "one sentence"
        changes = isinstance(request, PauseRequest | ResumeRequest)
        require(changes or self._level() == KillLevel.NORMAL, f"{request.action} changed the switch")
        if isinstance(answer, str):
            return f"page of {request.action}"
        require("closing" not in answer, "positions were closed without a token that was given")
        return f"valid {request.action}"

    def _level(self) -> KillLevel:
        return self.cloud.control.control(NOW).level

    def _normal(self) -> KillLevel:
        current = self.cloud.control.control(NOW)
        if current.level is not KillLevel.NORMAL:
            self.cloud.control.set_control(control(version=current.version))
        return KillLevel.NORMAL


def _handler(function: str) -> Callable[[Any, Any], Any]:
    found: Callable[[Any, Any], Any] = importlib.import_module(f"functions.{function}.handler").handler
    return found


def _forget() -> None:
    clients = (aws_clients.topics_client, aws_clients.secrets_client, queues.queues_client)
    caches = (*clients, secrets.secret_reader, alerts_of, runtime.quality_of)
    stores = (runtime.control_of, runtime.ledger_of, runtime.decisions_of, runtime.market_of, runtime.watch_of)
    for each in (*caches, *stores, account_of, spot_of, futures_of):
        each.cache_clear()
