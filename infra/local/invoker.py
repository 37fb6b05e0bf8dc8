"""Calls the real handlers as Lambda would: their environment, a context object, one at a time.

What they print (Powertools logs and EMF metrics) goes to a log file. An exception of a handler is what a failed
invocation is on AWS: counted, shown, and handed to the function's failure queue; the next schedule runs it again.
"""

from __future__ import annotations

import importlib
import os
import time
import uuid
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from infra.local.provision import ACCESS_KEY, SECRET_KEY
from infra.local.rule_tally import RuleTally
from infra.local.template import ACCOUNT, REGION, FunctionSpec, LocalTemplate
from shared.observability import Handler
from trading.errors import InvalidInput
from trading.model.times import to_text

# Names that a function's own environment decides; whatever another function or the shell had is taken away first.
OWNED_PREFIXES = ("SMC_", "POWERTOOLS_", "AWS_")


class StackClock:
    """The virtual clock: it stands still until the runner moves it."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def move_to(self, moment: datetime) -> None:
        if moment < self._now:
            raise InvalidInput(f"the clock stands at {to_text(self._now)} and cannot go back to {to_text(moment)}")
        self._now = moment

    def wait(self, seconds: float) -> None:
        """Return at once. Virtual time stands still during a run, so that pacing and retries, which are built for a
        real venue, would only take real time away and change nothing that the run can see."""


class WallClock(StackClock):
    """The machine's own time, where prices come from a venue that lives in it."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))

    def now(self) -> datetime:
        return datetime.now(UTC)

    def move_to(self, moment: datetime) -> None:
        """Nobody moves this one."""

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The part of Lambda's context object that Python code reads."""

    function_name: str
    memory_limit_in_mb: int
    aws_request_id: str
    deadline: float
    function_version: str = "$LATEST"
    log_group_name: str = "/smc-trader/local"
    log_stream_name: str = "local"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.monotonic()) * 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one invocation gave: a response, or the error it ended with."""

    response: Any = None
    error: str = ""


@dataclass(kw_only=True)
class Tally:
    """Counts over the whole run, kept across restarts of the runner. `alerts`: how many reached the topic.

    `errors`: how often a function failed with the same words, by `function, first at time: words`.
    """

    runs: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    alerts: int = 0
    rules: RuleTally = field(default_factory=RuleTally)

    def add_error(self, function: str, at: datetime, words: str) -> str:
        """Count a failed invocation; returns it as one sentence."""
        for known in self.errors:
            if known.startswith(f"{function}, first at ") and known.endswith(f": {words}"):
                self.errors[known] += 1
                break
        else:
            self.errors[f"{function}, first at {to_text(at)}: {words}"] = 1
        return f"{function} at {to_text(at)}: {words}"


class Invoker:
    """Invokes functions of one local stack. Not thread-safe: the environment of the process is the function's."""

    def __init__(self, template: LocalTemplate, clock: StackClock, log: TextIO, tally: Tally) -> None:
        self._template = template
        self._clock = clock
        self._log = log
        self._tally = tally
        self._handlers: dict[str, Handler] = {}
        self._current = ""
        self.seconds: dict[str, float] = {}

    def enter(self, name: str) -> None:
        """Give this process the environment of a function, for reading the stores as it would."""
        self._enter(self._template.function(name))

    def load(self) -> None:
        """Import every handler. Raises InvalidInput for one that does not exist: a template must not name it."""
        for function in self._template.functions:
            self._handler(function)

    def invoke(self, name: str, event: Mapping[str, Any]) -> Result:
        function = self._template.function(name)
        handler = self._handler(function)
        self._enter(function)
        count = self._tally.runs[name] = self._tally.runs.get(name, 0) + 1
        context = self._context(function, count)
        started = time.perf_counter()
        try:
            with redirect_stdout(self._log):
                response = handler(dict(event), cast(LambdaContext, context))
            self._tally.rules.add_response(response)
            return Result(response=response)
        except Exception as error:  # noqa: BLE001 - this is Lambda's side of the handler boundary
            return Result(error=self._tally.add_error(name, self._clock.now(), f"{type(error).__name__}: {error}"))
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started

    def _context(self, function: FunctionSpec, count: int) -> Context:
        name = self._template.names.name(function.name)
        request = uuid.uuid5(uuid.NAMESPACE_OID, f"{name}|{to_text(self._clock.now())}|{count}")
        return Context(
            function_name=name,
            memory_limit_in_mb=function.memory_megabytes,
            aws_request_id=str(request),
            deadline=time.monotonic() + function.timeout_seconds,
        )

    def _handler(self, function: FunctionSpec) -> Handler:
        if function.name not in self._handlers:
            module, _, attribute = function.handler.rpartition(".")
            self._enter(function)
            try:
                with redirect_stdout(self._log):
                    self._handlers[function.name] = getattr(importlib.import_module(module), attribute)
            except ModuleNotFoundError as error:
                raise InvalidInput(f"{function.logical_id} names the handler {function.handler}: {error}") from None
        return self._handlers[function.name]

    def _enter(self, function: FunctionSpec) -> None:
        if self._current == function.name:
            return
        wanted = self.environment(function)
        for name in [each for each in os.environ if each.startswith(OWNED_PREFIXES) and each not in wanted]:
            del os.environ[name]
        os.environ.update(wanted)
        self._current = function.name

    def environment(self, function: FunctionSpec) -> dict[str, str]:
        """The function's variables from the template, and what the Lambda platform itself would set."""
        return {
            **function.environment,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self._template.names.endpoint,
            "AWS_LAMBDA_FUNCTION_NAME": self._template.names.name(function.name),
            "AWS_EC2_METADATA_DISABLED": "true",
            "POWERTOOLS_TRACE_DISABLED": "1",
        }
