"""Everything below the real Lambda handlers at once: DynamoDB, topics, secrets and the venue, without a socket.

stack = SimulatedStack(venue)
with installed_stack(stack, StackHooks(dynamo=..., services=...)):    # the venue has its own hook
    handler({}, context)      # reads its settings from the environment: `ENVIRONMENT` with SMC_ names
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from shared import runtime
from shared.alerts import alerts_of
from tests.fakes.cloud import DECISIONS, LEDGER, MARKET
from tests.simulation.transports import aws, dynamo, http
from tests.simulation.transports.cloud import TOPIC

TRADING_SECRET = "simulated-trading-key"
ENVIRONMENT: Mapping[str, str] = {
    "SMC_LEDGER_TABLE": LEDGER,
    "SMC_MARKET_DATA_TABLE": MARKET,
    "SMC_DECISIONS_TABLE": DECISIONS,
    "SMC_ALERTS_TOPIC_ARN": TOPIC,
    "SMC_SPOT_URL": http.URL,
    "SMC_FUTURES_URL": http.URL,
    "SMC_TRADING_SECRET_ID": TRADING_SECRET,
    "SMC_MODE": "live",
    "POWERTOOLS_TRACE_DISABLED": "1",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(slots=True)
class SimulatedStack:
    """The venue's key is in the secret that the handlers read."""

    venue: http.InProcessVenue
    dynamo: dynamo.SimulatedDynamo = field(default_factory=lambda: dynamo.SimulatedDynamo(LEDGER, MARKET, DECISIONS))
    services: aws.SimulatedServices = field(default_factory=aws.SimulatedServices)

    def __post_init__(self) -> None:
        self.services.secrets[TRADING_SECRET] = json.dumps({"api_key": http.KEY, "api_secret": http.SECRET})


@dataclass(frozen=True, slots=True, kw_only=True)
class StackHooks:
    dynamo: dynamo.Hook | None = None
    services: aws.Hook | None = None


@contextmanager
def installed_stack(stack: SimulatedStack, hooks: StackHooks | None = None) -> Iterator[SimulatedStack]:
    """Until the block ends, this process is a Lambda instance of a stack that exists in memory only."""
    hooks = hooks or StackHooks()
    before = dict(os.environ)
    os.environ.update(ENVIRONMENT)
    forget_process()
    try:
        with (
            dynamo.installed(stack.dynamo, hooks.dynamo),
            aws.installed_services(stack.services, hooks.services or aws.straight),
            http.installed_venue(stack.venue),
        ):
            yield stack
    finally:
        os.environ.clear()
        os.environ.update(before)
        forget_process()


def forget_process() -> None:
    """A new process has nothing in memory: every composed store is made again. The rules are a value of their text: to
    parse the same one again would take a tenth of the time and show nothing."""
    cached = (*_STORES, alerts_of)
    for each in cached:
        each.cache_clear()


_STORES = (
    *(runtime.ledger_of, runtime.control_of, runtime.decisions_of),
    *(runtime.market_of, runtime.quality_of, runtime.watch_of),
)
