"""The summary of each past day as it was told, one record each in the Ledger table, and the switch's history."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pynamodb.exceptions import DoesNotExist

from shared.storage.codec import from_json, object_from_json
from shared.storage.tables import LedgerItem, save_new
from trading.model.control import Control
from trading.model.times import to_text

DAY_SUMMARY, CONTROL_AUDIT = "DAY_SUMMARY", "CONTROL_AUDIT"


class DaySummaryStore:
    """By day of UTC, in the Ledger table that this process works with. Reads are strong."""

    def add(self, day: date, summary: dict[str, Any]) -> bool:
        """Keep what was told of this day; False when something was told before, which stays."""
        item = LedgerItem(DAY_SUMMARY, day.isoformat())
        item.body = json.dumps(summary, sort_keys=True, default=str)
        return save_new(item)

    def of(self, day: date) -> dict[str, Any] | None:
        try:
            item = LedgerItem.get(DAY_SUMMARY, day.isoformat(), consistent_read=True)
        except DoesNotExist:
            return None
        return object_from_json(item.body or "{}", "day summary")

    def switched_on(self, day: date) -> tuple[Control, ...]:
        """What the switch was set to on this day, oldest first, from its audit. Raises CorruptRecord."""
        first = datetime.combine(day, time(), UTC)
        within = LedgerItem.sk.between(to_text(first), to_text(first + timedelta(days=1)))
        items = LedgerItem.query(CONTROL_AUDIT, within, consistent_read=True)
        return tuple(from_json(Control, item.body or "") for item in items)
