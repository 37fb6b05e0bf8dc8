"""AWS in, AWS out: judges the stored facts, saves the record, tells when something is wrong."""

from __future__ import annotations

from typing import Any

from functions.check_health.check import Checked, check
from functions.check_health.compose import places_of
from shared.alerts import alerts_of
from shared.clock import current_clock
from shared.observability import Telemetry, observed
from shared.runtime import control_of, ledger_of, rules_for
from shared.settings import HealthSettings, load_settings
from shared.venues import futures_of


@observed("check_health")
def handler(event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:  # noqa: ARG001 - a schedule says nothing
    settings = load_settings(HealthSettings)
    rules = rules_for(settings)  # a wrong override must be seen here too, within a minute
    control, clock = control_of(settings.ledger_table), current_clock()
    checked = Checked(
        control=control,
        ledger=ledger_of(settings.ledger_table),
        market=futures_of(settings.futures_url),
        places=places_of(settings, rules),
        clock=clock,
        rules=rules,
        mode=settings.mode,
        emailed=settings.alerts_by_email == "yes",
    )
    health = check(checked, clock.now())
    for name, value in health.counts().items():
        telemetry.count(name, value)
    for name, seconds in health.durations().items():
        telemetry.seconds(name, seconds)
    alert = health.alert()
    if alert is not None and alerts_of(settings.alerts_topic_arn, control).tell(alert):
        health = health.told()
    health.save(control)
    return {"status": health.status, "reasons": list(health.reasons)}
