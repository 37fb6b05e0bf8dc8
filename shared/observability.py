"""Powertools Logger, Metrics and Tracer around every handler, and the one broad `except` of the system.

One namespace (`SmcTrader`), the function's name as service. Reasons and endpoints are EMF properties, never
dimensions. A handler's failure is logged, counted as `HandlerErrors` and raised again, so that the platform sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

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
    telemetry = telemetry_for(function)
    tracer = Tracer(service=function)

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

        traced = tracer.capture_lambda_handler(capture_response=False)(run)
        measured = telemetry.metrics.log_metrics(traced)
        handler: Handler = telemetry.logger.inject_lambda_context(clear_state=True)(measured)
        return handler

    return decorate
