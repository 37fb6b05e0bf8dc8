"""Powertools Logger, Metrics and Tracer around every handler, and the one broad `except` of the system.

One namespace (`SmcTrader`), the function's name as service. Reasons and endpoints are EMF properties, never
dimensions. A handler's failure is logged, counted as `HandlerErrors` and raised again, so that the platform sees it.
The Tracer is made by the first run that is traced: its SDK costs a quarter of a cold start (docs/decisions/0009).
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared.settings import tracing_is_on

NAMESPACE = "SmcTrader"

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What a use case may tell about itself. `count` and `seconds` are metrics, `note` a searchable EMF property."""

    logger: Logger
    metrics: Metrics

    def count(self, name: str, value: float = 1) -> None:
        self.metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)

    def seconds(self, name: str, value: float) -> None:
        self.metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=value)

    def note(self, name: str, value: object) -> None:
        self.metrics.add_metadata(key=name, value=value)


def telemetry_for(function: str) -> Telemetry:
    return Telemetry(logger=Logger(service=function), metrics=Metrics(namespace=NAMESPACE, service=function))


def observed(function: str) -> Callable[[Callable[[dict[str, Any], Telemetry], dict[str, Any]]], Handler]:
    """Make a Lambda handler out of `(event, telemetry) -> response`."""
    # All imports are done by now. What they made lives as long as the process, so no collection need walk through it
    # again: each would cost about 30 ms, and the clients of the first run already call for one.
    gc.freeze()
    telemetry = telemetry_for(function)

    def decorate(work: Callable[[dict[str, Any], Telemetry], dict[str, Any]]) -> Handler:
        @wraps(work)
        def run(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
            try:
                response = work(event, telemetry)
                telemetry.count("Heartbeat")
                return response
            except Exception:
                telemetry.count("HandlerErrors")
                telemetry.logger.exception("%s failed", function)
                raise

        measured = telemetry.metrics.log_metrics(_traced_when_sampled(function, run))
        handler: Handler = telemetry.logger.inject_lambda_context(clear_state=True)(measured)
        return handler

    return decorate


def _traced_when_sampled(function: str, run: Handler) -> Handler:
    @cache
    def capturing() -> Handler:
        from aws_lambda_powertools import Tracer

        captured: Handler = Tracer(service=function).capture_lambda_handler(capture_response=False)(run)
        return captured

    @wraps(run)
    def maybe_traced(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        return (capturing() if tracing_is_on() else run)(event, context)

    return maybe_traced
