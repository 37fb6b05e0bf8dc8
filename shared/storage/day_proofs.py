"""The proofs of past days, one record each in the Ledger table: written once, never changed."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from pynamodb.exceptions import DoesNotExist

from shared.storage.codec import object_from_json
from shared.storage.tables import LedgerItem, save_new

DAY_PROOF = "DAY_PROOF"


class DayProofStore:
    """By day of UTC, in the Ledger table that this process works with. Reads are strong."""

    def add(self, day: date, proof: dict[str, Any]) -> bool:
        """Keep the proof of this day; False when there is one already, which stays."""
        item = LedgerItem(DAY_PROOF, day.isoformat())
        item.body = json.dumps(proof, sort_keys=True, default=str)
        return save_new(item)

    def of(self, day: date) -> dict[str, Any] | None:
        try:
            item = LedgerItem.get(DAY_PROOF, day.isoformat(), consistent_read=True)
        except DoesNotExist:
            return None
        return object_from_json(item.body or "{}", "day proof")
