"""AWS in, AWS out: CloudWatch asks for a picture and shows the HTML text that it gets."""

from __future__ import annotations

from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.render_dashboard.render import DESCRIPTION, read_cockpit
from shared.clock import current_clock
from shared.observability import Telemetry, observed
from shared.runtime import control_of, decisions_of, ledger_of
from shared.settings import DashboardSettings, load_settings
from trading.reporting.cockpit import render_cockpit


@observed("render_dashboard")
def _drawn(event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:  # noqa: ARG001 - nothing to count
    if event.get("describe"):
        return {"markdown": DESCRIPTION}
    settings = load_settings(DashboardSettings)
    cockpit = read_cockpit(
        control_of(settings.ledger_table),
        ledger_of(settings.ledger_table),
        decisions_of(settings.decisions_table),
        current_clock().now(),
    )
    return {"html": render_cockpit(cockpit)}


def handler(event: dict[str, Any], context: LambdaContext) -> str:
    """A custom widget answers with bare HTML (or Markdown when CloudWatch asks what the widget is)."""
    answer = _drawn(event, context)
    return cast(str, answer.get("html") or answer["markdown"])
