"""Every minute: the candles that have closed. Also takes shards, lists of coins, from its queue."""

from __future__ import annotations

from typing import Any

from functions.ingest_candles.compose import ingest_of
from functions.ingest_candles.ingest import ingest_due, ingest_shard
from functions.ingest_candles.report import IngestReport
from functions.ingest_candles.sharding import shard_message
from shared.clock import current_clock
from shared.observability import Telemetry, observed
from shared.queues import message
from shared.settings import IngestSettings, load_settings
from trading.errors import TradingError


@observed("ingest_candles")
def handler(event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:
    world, now = ingest_of(load_settings(IngestSettings)), current_clock().now()
    if "Records" not in event:
        report = ingest_due(world, now)
        _tell(report, telemetry)
        return report.proof()
    failed = []
    for record in event["Records"]:
        try:
            number, coins = shard_message(message(record))
            _tell(ingest_shard(world, number, coins, now), telemetry)
        except TradingError as error:
            telemetry.logger.error("shard was not ingested: %s", error)
            failed.append({"itemIdentifier": record.get("messageId", "")})
    return {"batchItemFailures": failed}


def _tell(report: IngestReport, telemetry: Telemetry) -> None:
    telemetry.count("BarsStored", report.bars)
    if report.coins:
        telemetry.count("CoinsWaiting", len(report.waiting))
        telemetry.logger.info("ingested", extra={"ingest": report.proof()})
