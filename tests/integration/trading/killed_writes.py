"""A process that dies right after one of its writes to DynamoDB, and starts again with nothing in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from pynamodb.connection.base import Connection

from shared.alerts import Alerts
from shared.storage.control import ControlStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger
from tests.fakes.cloud import DECISIONS, LEDGER
from tests.integration.trading.world import World

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})


class Killed(BaseException):
    """The process is gone: no `except Exception` of the product may survive it."""


@dataclass
class Writes:
    """Counts the writes of the product while `watching`; write number `fatal` is the last thing the process does."""

    fatal: int | None = None
    done: list[str] = field(default_factory=list)
    watching: bool = False
    kills: int = 0

    def wrapped(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def writing(connection: Any, operation: str, *arguments: Any, **named: Any) -> Any:
            answer = call(connection, operation, *arguments, **named)
            if self.watching and operation in WRITES:
                self.done.append(operation)
                if len(self.done) == self.fatal:
                    self.kills += 1
                    raise Killed(operation)
            return answer

        return writing

    def run(self, world: World, run: Callable[[World], Any]) -> bool:
        """One run of one function in a new process; False when it was killed."""
        restart(world)
        self.watching = True
        try:
            run(world)
        except Killed:
            return False
        finally:
            self.watching = False
        return True


def watched(monkeypatch: pytest.MonkeyPatch) -> Writes:
    writes = Writes()
    # PynamoDB's last step before the network, not our code.
    monkeypatch.setattr(Connection, "_make_api_call", writes.wrapped(Connection._make_api_call))
    return writes


def restart(world: World) -> None:
    """New stores over the same tables; only the venue and the clock live on."""
    topic = boto3.client("sns").list_topics()["Topics"][0]["TopicArn"]
    control = ControlStore(LEDGER)
    world.cloud = replace(
        world.cloud,
        ledger=Ledger(LEDGER),
        control=control,
        decisions=DecisionStore(DECISIONS),
        alerts=Alerts(topic, control),
    )
