"""The proofs of past days, one record each: written once, never changed."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from typing import Any

from pynamodb.exceptions import DoesNotExist

from shared.storage.tables import LedgerItem, bind, save_new

DAY_PROOF = "DAY_PROOF"


class DayProofStore:
    """By day of UTC. Reads are strong."""

    def __init__(self, table_name: str) -> None:
        self._item = bind(LedgerItem, table_name)

    def add(self, day: date, proof: dict[str, Any]) -> bool:
        """Keep the proof of this day; False when there is one already, which stays."""
        item = self._item(DAY_PROOF, day.isoformat())
        item.body = json.dumps(proof, sort_keys=True, default=str)
        return save_new(item)

    def of(self, day: date) -> dict[str, Any] | None:
        try:
            item = self._item.get(DAY_PROOF, day.isoformat(), consistent_read=True)
        except DoesNotExist:
            return None
        found = json.loads(item.body or "{}")
        return dict(found)


@cache
def day_proofs_of(table_name: str) -> DayProofStore:
    return DayProofStore(table_name)
