"""AWS in, AWS out: an SQS event with alerts; answers which of its messages the queue must hand out again."""

from __future__ import annotations

from functools import cache
from typing import Any

from functions.forward_alerts.forward import Way, forward, record
from shared.clock import current_clock, current_wait
from shared.observability import Telemetry, observed
from shared.runtime import control_of
from shared.secrets import secret_reader
from shared.settings import ForwardSettings, load_settings
from shared.webhooks import WebhookSender


@cache
def _sender() -> WebhookSender:
    return WebhookSender(pause=lambda seconds: current_wait()(seconds))


@observed("forward_alerts")
def handler(event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:
    settings = load_settings(ForwardSettings)
    control, now = control_of(settings.ledger_table), current_clock().now()
    addresses = secret_reader().webhooks(settings.webhooks_secret_id)
    way = Way(
        addresses=addresses,
        secrets=secret_reader().values(),
        sender=_sender(),
        receipts=control,
        now=now,
    )
    report = forward(event, way)
    telemetry.count("AlertsDelivered", report.delivered)
    telemetry.count("AlertDeliveryFailures", len(report.failures))
    for service in report.skipped:
        telemetry.logger.info("no %s address is set: the alert was not sent there", service)
    if report.postponed:
        telemetry.logger.info("%s alerts found no time in this run and come back", len(report.postponed))
    for why in sorted(set(report.failures)):
        telemetry.logger.error("alerts were not delivered: %s", why)
    record(control, now, report)
    return report.answer()
