"""Many differences of one kind are one alert: hundreds would hide each other, and take the time of the run."""

from __future__ import annotations

import pytest

from shared.guard.report import GuardReport
from shared.guard.telling import TOLD_ALONE, tell_discrepancies
from tests.integration.trading.risk_scene import published
from tests.integration.trading.world import World
from trading.reconciliation.policy import POLICIES
from trading.reconciliation.view import Discrepancy, DiscrepancyKind


def told(world: World, count: int) -> list[str]:
    found = [Discrepancy(kind=DiscrepancyKind.GHOST, subject=f"PF_{each}USD", detail="5 long") for each in range(count)]
    other = Discrepancy(kind=DiscrepancyKind.ORPHAN_ORDER, subject="orphan", detail="belongs to nothing")
    tell_discrepancies(world.desk(), GuardReport(discrepancies=(*found, other)), POLICIES)
    return published("discrepancy")


def test_few_of_one_kind_are_told_one_by_one(world: World) -> None:
    assert len(told(world, TOLD_ALONE)) == TOLD_ALONE + 1


@pytest.mark.parametrize("count", [TOLD_ALONE + 1, 400])
def test_many_of_one_kind_are_told_together(world: World, count: int) -> None:
    assert len(told(world, count)) == 2
