"""Every four hours: what can be traded."""

from __future__ import annotations

from functools import cache
from typing import Any

from functions.discover_markets.discover import Discovery, discover
from shared.alerts import alerts_of
from shared.clock import current_clock
from shared.observability import Telemetry, observed
from shared.progress import DISCOVER
from shared.runtime import control_of, ledger_of, market_of, rules_for
from shared.settings import DiscoverSettings, load_settings
from shared.venues import futures_of, spot_of


@cache
def _world(settings: DiscoverSettings) -> Discovery:
    rules = rules_for(settings)
    return Discovery(
        spot=spot_of(settings.spot_url, current_clock()),
        futures=futures_of(settings.futures_url),
        store=market_of(settings.market_data_table, rules.data.bars_kept),
        ledger=ledger_of(settings.ledger_table),
        alerts=alerts_of(settings.alerts_topic_arn, control_of(settings.ledger_table)),
        rules=rules,
    )


@observed("discover_markets")
def handler(_event: dict[str, Any], telemetry: Telemetry) -> dict[str, Any]:
    settings = load_settings(DiscoverSettings)
    now = current_clock().now()
    proof = discover(_world(settings), now)
    telemetry.count("UniverseMarkets", proof["markets"])
    telemetry.note("left_out", proof["left_out"])
    if proof["kept"]:
        telemetry.logger.warning("universe kept: %s", proof["kept"])
    control_of(settings.ledger_table).record_run(DISCOVER, now, proof)
    return proof
