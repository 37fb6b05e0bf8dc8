"""Every minute: the candles that have closed. Also takes shards, lists of coins, from its queue."""

from __future__ import annotations

from datetime import datetime
from functools import cache, partial
from typing import Any

from functions.ingest_candles.ingest import Ingest, IngestReport, ingest_coins, ingest_due
from shared.alerts import alerts_of
from shared.clock import current_clock
from shared.observability import Telemetry, observed
from shared.queues import messages, send
from shared.runtime import control_of, market_of, rules_for
from shared.settings import IngestSettings, load_settings
from shared.spot_pool import SpotPool
from shared.venue import KrakenSpot
from trading.model.instruments import InstrumentId
from trading.model.times import to_text


@cache
def _world(settings: IngestSettings) -> Ingest:
    control = control_of(settings.ledger_table)
    return Ingest(
        spot=SpotPool(partial(KrakenSpot, clock=current_clock(), base_url=settings.spot_url)),
        store=market_of(settings.market_data_table, rules_for(settings).data.bars_kept),
        control=control,
        alerts=alerts_of(settings.alerts_topic_arn, control),
        announce=partial(_announce, settings.bars_queue_url),
    )


def _announce(queue_url: str, close: datetime) -> None:
    send(queue_url, {"close": to_text(close)})


@observed("ingest_candles")
def handler(event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:
    world, now = _world(load_settings(IngestSettings)), current_clock().now()
    if "Records" not in event:
        report = ingest_due(world, now)
        _tell(report, telemetry)
        return report.proof()
    failed = []
    for message_id, body in messages(event):
        report = ingest_coins(world, [InstrumentId(coin) for coin in body.get("instruments", ())], now)
        _tell(report, telemetry)
        if report.waiting:
            failed.append({"itemIdentifier": message_id})
    return {"batchItemFailures": failed}


def _tell(report: IngestReport, telemetry: Telemetry) -> None:
    telemetry.count("BarsStored", report.bars)
    if report.coins:
        telemetry.count("CoinsWaiting", len(report.waiting))
        telemetry.logger.info("ingested", extra={"ingest": report.proof()})
