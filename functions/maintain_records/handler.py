"""AWS in, AWS out: repairs missing traces, fills candle gaps, reports both. Retention is the tables' own TTL."""

from __future__ import annotations

from typing import Any

from functions.maintain_records.maintain import Records, maintain
from shared.alerts import alerts_of
from shared.clock import current_clock
from shared.observability import Telemetry, observed
from shared.runtime import control_of, decisions_of, market_of, rules_for
from shared.settings import MaintainSettings, load_settings
from shared.spot_runs import SpotRuns
from shared.venues import spot_of


@observed("maintain_records")
def handler(event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:  # noqa: ARG001 - a schedule says nothing
    settings = load_settings(MaintainSettings)
    rules = rules_for(settings)
    control = control_of(settings.ledger_table)
    records = Records(
        control=control,
        market_data=market_of(settings.market_data_table, rules.data.bars_kept),
        spot_for=SpotRuns(
            spot=spot_of(settings.spot_url, current_clock()), ledger_table=settings.ledger_table, rules=rules.ingest
        ).begin,
        decisions=decisions_of(settings.decisions_table),
        rules=rules,
        code_version=settings.code_version,
    )
    report = maintain(records, current_clock().now())
    telemetry.count("TraceCoverage", report.coverage_pct)
    telemetry.count("CandleGaps", sum(report.gaps.missing.values()))
    for alert in report.alerts():
        alerts_of(settings.alerts_topic_arn, control).tell(alert)
    control.record_run("maintain_records", report.at, report.proof())
    return report.proof()
