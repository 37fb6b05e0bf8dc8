from __future__ import annotations

from decimal import Decimal

import pytest

from tests.integration.trading.risk_scene import pay_in
from tests.integration.trading.world import World


@pytest.mark.parametrize(("paid", "equity", "lost"), [(-200, "9800", "2.00"), (300, "10300", "0.00")])
def test_reconcile_knows_equity_and_the_days_loss(world: World, paid: int, equity: str, lost: str) -> None:
    world.minute()
    pay_in(world, Decimal(paid))
    report = world.reconcile()
    assert (report.equity, report.day_loss_pct) == (equity, lost)


def test_loss_is_measured_from_the_days_peak(world: World) -> None:
    world.minute()
    pay_in(world, Decimal(2_000))
    world.minute()
    pay_in(world, Decimal(-300))
    assert world.reconcile().day_loss_pct == "2.50"


def test_equity_not_believed_makes_no_loss(world: World) -> None:
    world.minute()
    pay_in(world, Decimal(-100))
    world.minute()
    pay_in(world, Decimal(-9_000))
    report = world.reconcile()
    assert (report.equity, report.day_loss_pct) == ("900", "1.00")


def test_account_that_does_not_answer_gives_no_loss(world: World) -> None:
    world.minute()
    world.venue.faults.reads.add("account")
    report = world.reconcile()
    assert (report.equity, report.day_loss_pct) == ("", None)
