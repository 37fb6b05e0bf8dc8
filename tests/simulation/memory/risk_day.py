"""The risk day's item: written alone when equity is marked, and together with the trade that ends on it."""

from __future__ import annotations

from shared.storage.risk_day import HALTED, OPEN
from tests.simulation.memory.tables import Stored
from trading.model.control import RiskDay


def stored_day(day: RiskDay) -> Stored[RiskDay]:
    stopped = day.halted or day.reached or day.implausible is not None
    return Stored(day, day.version, HALTED if stopped else OPEN)
