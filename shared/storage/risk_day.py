"""The risk day's item: saved alone when equity is marked, and in one transaction with the trade that ends on it."""

from __future__ import annotations

from dataclasses import replace

from shared.storage.codec import to_json
from shared.storage.tables import LedgerItem
from trading.model.control import RiskDay

RISK_DAY, CURRENT = "RISK_DAY", "CURRENT"
OPEN, HALTED = "OPEN", "HALTED"
"""What the writes that let an entry out look at."""


def next_version(day: RiskDay) -> RiskDay:
    return replace(day, version=day.version + 1)


def risk_day_item(model: type[LedgerItem], day: RiskDay) -> LedgerItem:
    item = model(RISK_DAY, CURRENT)
    stopped = day.halted or day.reached or day.implausible is not None
    item.body, item.version, item.state = to_json(day), day.version, HALTED if stopped else OPEN
    return item
