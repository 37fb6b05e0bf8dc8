"""AWS in, AWS out: every minute, the exchange against the ledger."""

from __future__ import annotations

from typing import Any

from functions.reconcile_positions.reconcile import reconcile_positions
from shared.observability import Telemetry, observed
from shared.settings import TradingSettings, load_settings
from shared.trading_desk import open_desk


@observed("reconcile_positions")
def handler(_event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:
    desk = open_desk(load_settings(TradingSettings), telemetry)
    report = reconcile_positions(desk)
    proof = {
        "positions": report.positions,
        "failures": report.failures,
        "equity": report.equity,
        "day_loss_pct": report.day_loss_pct,
        "sent": desk.orders.sent,
    } | report.proof()
    telemetry.count("Discrepancies", len(report.discrepancies))
    telemetry.seconds("NakedSeconds", report.naked_seconds)
    telemetry.note("reconciliation", proof)
    desk.control.record_run("reconcile_positions", desk.now, proof)
    return proof
