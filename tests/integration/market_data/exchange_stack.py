"""A whole exchange and the functions that read it: sandbox, AWS emulator, and handlers in processes of their own.

Functions run side by side, as Lambda runs them: an invocation takes an idle process or a new one, never waits.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, TextIO

from infra.local.invoker import OWNED_PREFIXES, Context
from infra.local.processes import Running, ready_line, spawn, stop
from infra.local.provision import ACCESS_KEY, SECRET_KEY, client, provision
from infra.local.sandbox_client import SandboxClient
from infra.local.template import ACCOUNT, REGION, LocalTemplate, Names, read_template
from shared.clock import install_clock

DISCOVER, INGEST = "discover_markets", "ingest_candles"
SHARDS_QUEUE = "IngestShardsQueue"
PROCESSES_MAX = 12
ADVANCE_EVERY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTime:
    """The virtual time in every process: `at` when the machine's monotonic clock shows `zero`, and on with it.

    Without `zero` it stands still. The monotonic clock is the same for all processes of the machine.
    """

    at: datetime
    zero: float | None = None

    def now(self) -> datetime:
        return self.at if self.zero is None else self.at + timedelta(seconds=time.monotonic() - self.zero)


class ProcessClock:
    """The clock of one worker process: the time of its latest invocation. Handlers keep it from their first on."""

    def __init__(self) -> None:
        self.time: VenueTime | None = None

    def now(self) -> datetime:
        if self.time is None:
            raise RuntimeError("a handler asked for the time before its process was invoked")
        return self.time.now()


CLOCK = ProcessClock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One call of a handler, everything that its process must know."""

    function: str
    handler: str
    environment: Mapping[str, str]
    event: Mapping[str, Any]
    timeout_s: float
    clock: VenueTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an invocation ended. `began` and `ended` on the monotonic clock, a cold start not counted, as on Lambda."""

    response: Any
    error: str
    began: float
    ended: float
    timeout_s: float


def _open_log(path: str) -> None:
    """A worker's first act: what handlers print goes to a file."""
    log: TextIO = Path(path).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - open as long as the process
    sys.stdout = log


def invoke(call: Invocation) -> Ended:
    """Runs in a worker process."""
    for name in [each for each in os.environ if each.startswith(OWNED_PREFIXES) and each not in call.environment]:
        del os.environ[name]
    os.environ.update(call.environment)
    CLOCK.time = call.clock
    install_clock(CLOCK)
    module, _, attribute = call.handler.rpartition(".")
    handler = getattr(importlib.import_module(module), attribute)
    began = time.monotonic()
    context = Context(
        function_name=call.function,
        memory_limit_in_mb=1024,
        aws_request_id=uuid.uuid4().hex,
        deadline=began + call.timeout_s,
    )
    response, error = None, ""
    try:
        response = handler(dict(call.event), context)
    except Exception as problem:  # noqa: BLE001 - this is Lambda's side of the handler boundary
        error = f"{type(problem).__name__}: {problem}"
    ended = time.monotonic()
    return Ended(response=response, error=error, began=began, ended=ended, timeout_s=call.timeout_s)


@dataclass(slots=True, kw_only=True)
class ExchangeStack:
    """Processes that run. `rules` are the overrides that the next invocations get."""

    sandbox_url: str
    emulator_url: str
    pool: ProcessPoolExecutor
    rules: Mapping[str, Any] = field(default_factory=dict)

    @property
    def template(self) -> LocalTemplate:
        parameters = {
            "Mode": "live",
            "ConfirmLive": "I-UNDERSTAND",
            "SpotUrl": self.sandbox_url,
            "FuturesUrl": self.sandbox_url,
            "RulesOverride": json.dumps(self.rules) if self.rules else "",
            "CodeVersion": "whole-exchange",
        }
        return read_template(Names(stack="local", endpoint=self.emulator_url), parameters)

    def sandbox(self) -> SandboxClient:
        return SandboxClient(self.sandbox_url)

    def start(self, function: str, event: Mapping[str, Any], clock: VenueTime) -> Future[Ended]:
        """Invoke now, in a process of its own if all others are busy."""
        template = self.template
        spec = template.function(function)
        environment = {**spec.environment, **amazon(self.emulator_url), "POWERTOOLS_TRACE_DISABLED": "1"}
        call = Invocation(
            function=function,
            handler=spec.handler,
            environment=environment,
            event=event,
            timeout_s=spec.timeout_seconds,
            clock=clock,
        )
        return self.pool.submit(invoke, call)

    def run(self, function: str, clock: VenueTime) -> Any:
        """Invoke as the schedule does and wait for the response. RuntimeError when the handler raised."""
        ended = self.start(function, scheduled(clock.now()), clock).result()
        if ended.error:
            raise RuntimeError(f"{function} failed at {clock.now()}: {ended.error}")
        return ended.response


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Messages of the shards queue that one invocation gets together, by id, with their receipts."""

    receipts: Mapping[str, str]
    bodies: tuple[dict[str, Any], ...]
    event: Mapping[str, Any]


class ShardsQueue:
    """Lambda's side of the queue: takes messages out, and deletes those that were not reported as failed."""

    def __init__(self, stack: ExchangeStack) -> None:
        template = stack.template
        self._queues = client("sqs", stack.emulator_url)
        self._url = template.names.queue_url(SHARDS_QUEUE)
        self._arn = template.names.queue_arn(SHARDS_QUEUE)
        sources = template.function(INGEST).queues
        self._batch_size = next(each.batch_size for each in sources if each.queue == SHARDS_QUEUE)

    def take(self) -> Iterator[Batch]:
        while True:
            answer = self._queues.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=min(self._batch_size, 10), AttributeNames=["All"]
            )
            if not (messages := answer.get("Messages")):
                return
            yield Batch(
                receipts={each["MessageId"]: each["ReceiptHandle"] for each in messages},
                bodies=tuple(json.loads(each["Body"]) for each in messages),
                event={"Records": [self._record(each) for each in messages]},
            )

    def settle(self, batch: Batch, ended: Ended) -> int:
        """Returns how many messages failed: they stay in the queue until their visibility ends."""
        reported = (ended.response or {}).get("batchItemFailures", ())
        failed = set(batch.receipts) if ended.error else {each["itemIdentifier"] for each in reported}
        for message, receipt in batch.receipts.items():
            if message not in failed:
                self._queues.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)
        return len(failed)

    def _record(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._arn,
            "awsRegion": REGION,
        }


def scheduled(now: datetime) -> dict[str, str]:
    """The event that the template's schedules send."""
    return {"scheduled_time": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def amazon(emulator_url: str) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": emulator_url,
        "AWS_ACCOUNT_ID": ACCOUNT,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def flowing(sandbox: SandboxClient, clock: VenueTime) -> Iterator[None]:
    """The sandbox's time follows the clock, twice a second."""
    over = Event()

    def follow() -> None:
        while not over.wait(ADVANCE_EVERY_S):
            sandbox.advance(clock.now())

    thread = Thread(target=follow, name="venue-time", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def running(coins: int, start: datetime) -> Iterator[ExchangeStack]:
    """A sandbox with so many coins that stands at `start`, an emulator with the template's tables, queues and topic."""
    days = ["--history-days", "10", "--days", "2"]
    market = ["--market", "generated", "--seed", "7", "--coins", str(coins), "--start", start.isoformat(), *days]
    started: list[Running] = []
    with TemporaryDirectory() as folder:
        log = str(Path(folder) / "handlers.jsonl")
        pool = ProcessPoolExecutor(PROCESSES_MAX, get_context("spawn"), _open_log, (log,))
        try:
            for module, arguments in (("sandbox", market), ("emulator", [])):
                started.append(spawn(f"infra.local.{module}", arguments, Path(folder) / module))
            sandbox, emulator = (f"http://127.0.0.1:{int(ready_line(each)['port'])}" for each in started)
            os.environ.update(amazon(emulator))
            stack = ExchangeStack(sandbox_url=sandbox, emulator_url=emulator, pool=pool)
            template = stack.template
            provision(template, {name: {"unused": "unused"} for name in template.secrets})
            yield stack
        finally:
            pool.shutdown(cancel_futures=True)
            for process in started:
                stop(process)
