"""AWS in, AWS out: every hour, and when CloudFormation has deployed this stack. Retention is the tables' own TTL."""

from __future__ import annotations

from typing import Any

from functions.maintain_records.deployment import parse_event
from functions.maintain_records.maintain import Records, maintain, tell
from shared.alerts import alerts_of
from shared.clock import current_clock
from shared.observability import Telemetry, observed
from shared.runtime import control_of, decisions_of, ledger_of, market_of, quality_of, rules_for
from shared.settings import MaintainSettings, load_settings
from shared.spot_runs import SpotRuns
from shared.venues import spot_of


def _records(settings: MaintainSettings) -> Records:
    rules = rules_for(settings)
    return Records(
        control=control_of(settings.ledger_table),
        ledger=ledger_of(settings.ledger_table),
        market_data=market_of(settings.market_data_table, rules.data.bars_kept),
        quality=quality_of(settings.market_data_table),
        spot_for=SpotRuns(
            spot=spot_of(settings.spot_url, current_clock()), ledger_table=settings.ledger_table, rules=rules.ingest
        ).begin,
        decisions=decisions_of(settings.decisions_table),
        rules=rules,
        code_version=settings.code_version,
    )


@observed("maintain_records")
def handler(event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:
    woken_by = parse_event(event)
    settings = load_settings(MaintainSettings)
    records = _records(settings)
    report = maintain(records, current_clock().now(), woken_by)
    # Of nothing there is no share: 100 would show a system without a universe as whole.
    if report.coverage.expected:
        telemetry.count("TraceCoverage", report.coverage.after_pct)
    telemetry.count("CandleGaps", sum(report.gaps.missing.values()))
    telemetry.note("coverage_before_pct", round(report.coverage.before_pct, 2))
    proof = tell(records, report, alerts_of(settings.alerts_topic_arn, records.control))
    records.control.record_run("maintain_records", report.at, proof)
    return proof
