"""What ingest works with, made once per process from its settings."""

from __future__ import annotations

from datetime import datetime
from functools import cache, partial

from functions.ingest_candles.ingest import Ingest
from functions.ingest_candles.sharding import Shard
from shared.alerts import alerts_of
from shared.clock import current_clock
from shared.queues import send
from shared.runtime import control_of, market_of, quality_of, rules_for
from shared.settings import IngestSettings
from shared.spot_pool import SpotPool
from shared.spot_runs import SpotRuns
from shared.venue import KrakenSpot
from trading.model.times import to_text
from trading.ports import IndexCandles


@cache
def ingest_of(settings: IngestSettings) -> Ingest:
    control, rules = control_of(settings.ledger_table), rules_for(settings)
    spot = SpotPool(partial(KrakenSpot, clock=current_clock(), base_url=settings.spot_url))
    return Ingest(
        spot_for=SpotRuns(spot=spot, ledger_table=settings.ledger_table, rules=rules.ingest).begin,
        index=partial(_index, settings.futures_url),
        store=market_of(settings.market_data_table, rules.data.bars_kept),
        quality=quality_of(settings.market_data_table),
        control=control,
        alerts=alerts_of(settings.alerts_topic_arn, control),
        rules=rules,
        clock=current_clock(),
        send_out=partial(_send_out, settings.ingest_shards_queue_url),
        announce=partial(_announce, settings.bars_queue_url),
    )


def _index(url: str) -> IndexCandles:
    # Imported when the spot market fails: an ordinary cold start does not pay for it.
    from shared.venues import futures_of

    return futures_of(url)


def _announce(queue_url: str, close: datetime) -> None:
    send(queue_url, {"close": to_text(close)})


def _send_out(queue_url: str, shard: Shard) -> None:
    send(queue_url, shard.message())
