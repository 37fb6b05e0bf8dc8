"""AWS in, AWS out: CloudWatch asks for a picture and shows the HTML text that it gets."""

from __future__ import annotations

from functools import wraps
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.render_dashboard.controls import render_controls, render_switch
from functions.render_dashboard.render import DESCRIPTION, drawn_cockpit, loss_limit, open_coins
from shared.clock import current_clock
from shared.observability import Telemetry, observed
from shared.runtime import control_of, decisions_of, ledger_of
from shared.settings import DashboardSettings, load_settings


@observed("render_dashboard")
def _drawn(_event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:  # noqa: ARG001 - nothing to count
    settings, now = load_settings(DashboardSettings), current_clock().now()
    control, ledger = control_of(settings.ledger_table), ledger_of(settings.ledger_table)
    switch = render_switch(control.control(now), control.risk_day(), loss_limit(settings))
    controls = render_controls(open_coins(ledger), settings.control_function_arn)
    cockpit = drawn_cockpit(control, ledger, decisions_of(settings.decisions_table), now)
    return {"html": f"{switch}{controls}{cockpit}"}


@wraps(_drawn)
def handler(event: dict[str, Any], context: LambdaContext) -> str | dict[str, str]:
    """A custom widget answers with bare HTML, and with Markdown when CloudWatch asks what it is."""
    if event.get("describe"):
        return {"markdown": DESCRIPTION}
    return str(_drawn(event, context)["html"])
