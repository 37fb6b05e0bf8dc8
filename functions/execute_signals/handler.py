"""AWS in, AWS out: a schedule or signal messages; both only mean "look now"."""

from __future__ import annotations

from typing import Any

from functions.execute_signals.execute import execute_signals
from shared.observability import Telemetry, observed
from shared.settings import TradingSettings, load_settings
from shared.trading_desk import open_desk, skip_run


@observed("execute_signals")
def handler(_event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:
    settings = load_settings(TradingSettings)
    if settings.mode != "live":
        return skip_run("execute_signals", settings, "signals are recorded, no orders are sent") | {
            "batchItemFailures": []
        }
    desk = open_desk(settings, telemetry)
    report = execute_signals(desk)
    proof = {
        "outcomes": report.outcomes,
        "limits": report.limits,
        "sent": desk.orders.sent,
        "rejections": desk.orders.rejections,
        "failures": report.failures,
        "pauses": report.pauses,
        "paused": report.paused,
    }
    telemetry.count("OrdersSent", desk.orders.sent)
    telemetry.count("OrdersUnknown", desk.orders.unknown)
    telemetry.note("execution", proof)
    desk.control.record_run("execute_signals", desk.now, proof)
    return {**proof, "batchItemFailures": []}
