"""AWS in, AWS out: an SNS event with one or more alerts; raises when one was not delivered, so that SNS tries again."""

from __future__ import annotations

from functools import cache
from typing import Any

from functions.forward_alerts.forward import forward, record
from shared.clock import current_clock
from shared.observability import Telemetry, observed
from shared.runtime import control_of
from shared.secrets import webhooks
from shared.settings import ForwardSettings, load_settings
from shared.webhooks import WebhookSender


@cache
def _sender() -> WebhookSender:
    return WebhookSender()


@observed("forward_alerts")
def handler(event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:
    settings = load_settings(ForwardSettings)
    control = control_of(settings.ledger_table)
    now = current_clock().now()
    report = forward(event, webhooks(settings.webhooks_secret_id), _sender(), control, now)
    telemetry.count("AlertsDelivered", report.delivered)
    telemetry.count("AlertDeliveryFailures", len(report.failures))
    for service in report.skipped:
        telemetry.logger.info("no %s address is set: the alert was not sent there", service)
    report.raise_failures()
    record(control, now, report)
    return report.proof()
