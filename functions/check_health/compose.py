"""Where a health run looks, from its settings."""

from __future__ import annotations

from datetime import timedelta

from functions.check_health.coins import CoinSources
from functions.check_health.look import Places
from shared.queues import depth, named_queues
from shared.runtime import decisions_of, market_of, quality_of
from shared.secrets import secret_reader
from shared.settings import HealthSettings
from trading.rules import Rules


def places_of(settings: HealthSettings, rules: Rules) -> Places:
    """On paper nothing is signed, so no trading key is missing there."""
    needed = {"webhooks": settings.webhooks_secret_id}
    if settings.mode == "live":
        needed["trading"] = settings.trading_secret_id
    return Places(
        queues=named_queues(settings.queue_urls),
        dead_letters=named_queues(settings.dead_letter_queue_urls),
        secrets=needed,
        depth=depth,
        has_value=secret_reader().has_value,
        coins=CoinSources(
            market=market_of(settings.market_data_table, rules.data.bars_kept),
            quality=quality_of(settings.market_data_table),
            decisions=decisions_of(settings.decisions_table),
            late_after=timedelta(seconds=rules.data.decision_bar_late_after_s),
        ),
    )
