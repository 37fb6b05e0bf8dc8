"""AWS in, AWS out: judges the stored facts, saves the record, tells when something is wrong."""

from __future__ import annotations

from typing import Any

from functions.check_health.check import check, known_secrets
from shared.alerts import alerts_of
from shared.clock import current_clock
from shared.observability import Telemetry, observed
from shared.runtime import control_of, ledger_of, rules_for
from shared.secrets import secret_reader
from shared.settings import HealthSettings, load_settings
from shared.venues import futures_of


@observed("check_health")
def handler(event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:  # noqa: ARG001 - a schedule says nothing
    settings = load_settings(HealthSettings)
    rules_for(settings)  # a wrong override must be seen here too, within a minute
    control = control_of(settings.ledger_table)
    secrets = known_secrets(secret_reader(), trading=settings.trading_secret_id, webhooks=settings.webhooks_secret_id)
    now = current_clock().now()
    health = check(control, ledger_of(settings.ledger_table), futures_of(settings.futures_url), secrets, now)
    for name, value in health.counts().items():
        telemetry.count(name, value)
    if health.newest_candle_age_seconds is not None:
        telemetry.seconds("NewestCandleAgeSeconds", health.newest_candle_age_seconds)
    if alert := health.alert():
        alerts_of(settings.alerts_topic_arn, control).tell(alert)
    health.save(control)
    return {"status": health.status, "reasons": list(health.reasons)}
