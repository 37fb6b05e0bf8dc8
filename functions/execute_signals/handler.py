"""AWS in, AWS out: a schedule or signal messages; both only mean "look now"."""

from __future__ import annotations

from typing import Any

from functions.execute_signals.execute import execute_signals
from shared.observability import Telemetry, observed
from shared.settings import TradingSettings, load_settings
from shared.trading_desk import open_desk


@observed("execute_signals")
def handler(_event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:
    desk = open_desk(load_settings(TradingSettings), telemetry)
    report = execute_signals(desk)
    proof = {
        "outcomes": report.outcomes,
        "limits": report.limits,
        "sent": desk.orders.sent,
        "rejections": desk.orders.rejections,
        "failures": report.failures,
        "pauses": report.pauses,
        "paused": report.paused,
        "watched": report.watched,
        "flat_stop": report.flat_stop,
    }
    telemetry.count("OrdersSent", desk.orders.sent)
    telemetry.count("OrdersUnknown", desk.orders.unknown)
    telemetry.note("execution", proof)
    desk.control.record_run("execute_signals", desk.now, proof)
    return {**proof, "batchItemFailures": []}
