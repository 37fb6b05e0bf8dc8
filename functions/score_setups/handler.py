"""Every minute, and when bars have landed: one decision per coin and closed decision bar."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from functions.score_setups.score import Scoring, score_due
from shared.alerts import alerts_of
from shared.clock import current_clock
from shared.observability import Telemetry, observed
from shared.queues import send
from shared.runtime import control_of, decisions_of, ledger_of, market_of, quality_of, rules_for
from shared.settings import ScoreSettings, load_settings
from shared.venues import futures_of
from trading.model.signals import Signal
from trading.model.times import to_text


@cache
def _scoring(settings: ScoreSettings) -> Scoring:
    rules, control = rules_for(settings), control_of(settings.ledger_table)
    return Scoring(
        futures=futures_of(settings.futures_url),
        market=market_of(settings.market_data_table, rules.data.bars_kept),
        quality=quality_of(settings.market_data_table),
        decisions=decisions_of(settings.decisions_table),
        ledger=ledger_of(settings.ledger_table),
        control=control,
        alerts=alerts_of(settings.alerts_topic_arn, control),
        announce=partial(_announce, settings.signals_queue_url),
        rules=rules,
        code_version=settings.code_version,
    )


def _announce(queue_url: str, signal: Signal) -> None:
    bar = to_text(signal.decision_bar)
    send(queue_url, {"signal_id": signal.id, "instrument": signal.instrument, "decision_bar": bar})


@observed("score_setups")
def handler(event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:
    report = score_due(_scoring(load_settings(ScoreSettings)), current_clock().now())
    telemetry.count("Decisions", report.traces)
    telemetry.count("Signals", report.signals)
    if report.scored_bar:
        telemetry.count("TraceCoverage", report.coverage_pct)
        telemetry.note("outcomes", dict(report.outcomes))
        telemetry.logger.info("scored", extra={"scoring": report.proof()})
    # What a message says is in the tables too: the run above did all that is due, whatever woke it.
    return {"batchItemFailures": []} if "Records" in event else report.proof()
