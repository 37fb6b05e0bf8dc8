"""AWS in, AWS out: every minute, every open position."""

from __future__ import annotations

from typing import Any

from functions.manage_exits.exit import manage_exits
from shared.observability import Telemetry, observed
from shared.settings import TradingSettings, load_settings
from shared.trading_desk import open_desk


@observed("manage_exits")
def handler(_event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:
    desk = open_desk(load_settings(TradingSettings), telemetry)
    report = manage_exits(desk)
    proof: dict[str, Any] = {
        "positions": report.positions,
        "dust": report.dust,
        "evaluated": report.evaluated,
        "without_input": report.without_input,
        "fired": report.fired,
        "sent": desk.orders.sent,
        "failures": report.failures,
    }
    telemetry.count("ExitsFired", sum(report.fired.values()))
    if report.guarded is not None:
        proof |= report.guarded.proof()
        telemetry.seconds("NakedSeconds", report.guarded.naked_seconds)
    telemetry.note("exits", proof)
    desk.control.record_run("manage_exits", desk.now, proof)
    return proof
