"""After midnight the day is proven from the account log, once, and what does not add up is told."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.maintain_records.maintain import Records, maintain
from functions.maintain_records.report import MaintenanceReport
from functions.reconcile_positions.reconcile import reconcile_positions
from shared.storage.day_proofs import DayProofStore
from shared.storage.quality import QualityStore
from tests.fakes.cloud import MARKET, Cloud
from tests.fakes.records import RULES
from tests.fakes.spot_market import SpotInMemory
from tests.integration.trading.risk_scene import lose, published
from tests.integration.trading.test_repairs import by_hand
from tests.integration.trading.world import World, new_world
from trading.model.alerts import Severity
from trading.model.units import Money
from trading.model.venue import LedgerRow

HOUR = timedelta(hours=1)


class Logged:
    """The account of the world; rows as the venue writes them, with what the test spoils."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.asked = 0
        self.without: set[int] = set()
        self.added_fee = Decimal(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.venue, name)

    def ledger_rows(self, since: Any) -> tuple[LedgerRow, ...]:
        self.asked += 1
        logged = {each.row_id: each for each in self._world.venue.engine.books.log}
        rows = [each for each in self._world.venue.ledger_rows(since) if each.id not in self.without]
        rows = [
            replace(row, old_balance=Money(logged[row.id].old_balance), new_balance=Money(logged[row.id].new_balance))
            for row in rows
        ]
        if self.added_fee:
            rows[-1] = replace(rows[-1], fee=Money(rows[-1].fee + self.added_fee))
        return tuple(rows)


@pytest.fixture
def traded(cloud: Cloud) -> World:
    """One losing trade on the day that has just ended."""
    world = new_world(cloud)
    maintained(world)
    lose(world, "COIN")
    until_midnight(world, minutes=0)
    return world


def until_midnight(world: World, minutes: int) -> None:
    now = world.venue.now()
    midnight = now.replace(hour=0, minute=0, second=0) + timedelta(days=1)
    world.venue.advance((midnight - now).total_seconds() + 60 * minutes)


def maintained(world: World, account: Any = None) -> MaintenanceReport:
    """A run of reconcile, which proves, and then one of maintenance, which shows and tells."""
    reconcile_positions(world.desk(venue=account or Logged(world)))
    now, spot = world.venue.now(), SpotInMemory(history={}, now=world.venue.now())
    records = Records(
        control=world.cloud.control,
        ledger=world.cloud.ledger,
        market_data=world.cloud.market,
        quality=QualityStore(MARKET),
        spot_for=lambda calls: nullcontext(spot),
        decisions=world.cloud.decisions,
        rules=RULES,
        code_version="test",
    )
    report = maintain(records, now)
    for alert in report.alerts():
        world.cloud.alerts.tell(alert)
    world.cloud.control.record_run("maintain_records", now, report.proof())
    return report


def status(report: MaintenanceReport) -> str:
    return str(report.proof()["day_proof"]["status"])


def test_day_is_proven_once_after_midnight(traded: World) -> None:
    account = Logged(traded)
    assert status(maintained(traded, account)) == "not proven yet"
    traded.venue.advance(600)
    proof = maintained(traded, account).proof()["day_proof"]
    (trade,) = traded.trades()
    assert (proof["status"], proof["day"], proof["trades"]) == ("proven", "2024-05-01", 1)
    assert Decimal(proof["closing"]) - Decimal(proof["opening"]) == trade.net == Decimal(proof["ours"])
    traded.venue.advance(3600)
    assert maintained(traded, account).proof()["day_proof"] == proof
    assert account.asked == 1
    stored = traded.cloud.control.last_run("maintain_records")
    assert stored is not None
    assert stored.proof["day_proof"] == proof


def test_day_before_our_first_run_is_not_proven(cloud: Cloud) -> None:
    world = new_world(cloud)
    world.venue.advance(600)
    assert status(maintained(world)) == "not due"


def test_log_that_does_not_answer_is_asked_again(traded: World) -> None:
    traded.venue.advance(600)
    traded.venue.faults.reads.add("ledger_rows")
    report = maintained(traded)
    assert status(report) == "not proven yet"
    assert [each for each in report.alerts() if each.severity is Severity.CRITICAL] == []
    assert DayProofStore().of(report.at.date() - timedelta(days=1)) is None
    traded.venue.faults.reads.clear()
    traded.venue.advance(3600)
    assert status(maintained(traded)) == "proven"


def test_row_that_comes_late_is_waited_for(traded: World) -> None:
    account = Logged(traded)
    account.without = {max(each.row_id for each in traded.venue.engine.books.log if each.is_cash)}
    traded.venue.advance(600)
    assert status(maintained(traded, account)) == "not proven yet"
    account.without = set()
    traded.venue.advance(3600)
    assert status(maintained(traded, account)) == "proven"


def test_row_that_never_comes_is_told(traded: World) -> None:
    account = Logged(traded)
    account.without = {max(each.row_id for each in traded.venue.engine.books.log if each.is_cash)}
    traded.venue.advance(6 * 3600 + 600)
    assert status(maintained(traded, account)) == "does not add up"
    assert "The books of 2024-05-01 do not add up" in published("discrepancy")


@pytest.mark.parametrize(("fee", "said"), [("0", "proven"), ("0.5", "proven"), ("1.5", "does not add up")])
def test_difference_beyond_its_share_is_critical(traded: World, fee: str, said: str) -> None:
    """0.01 % of an equity a little below 10,000 USD."""
    account = Logged(traded)
    account.added_fee = Decimal(fee)
    traded.venue.advance(600)
    report = maintained(traded, account)
    assert status(report) == said
    critical = [each for each in report.alerts() if each.severity is Severity.CRITICAL]
    assert bool(critical) is (said != "proven")


def test_trades_of_the_owner_explain_their_fees(cloud: Cloud) -> None:
    world = new_world(cloud)
    maintained(world)
    lose(world, "COIN")
    by_hand(world, "mkt", "buy", "3")
    by_hand(world, "mkt", "sell", "3", reduce_only=True)
    until_midnight(world, minutes=12)
    proof = maintained(world).proof()["day_proof"]
    assert proof["status"] == "proven"
    assert Decimal(proof["others"]) < 0


def test_fee_of_an_unrecorded_order_of_ours_is_told(traded: World) -> None:
    """A fill under our own name that no record knows: an order was sent that nobody wrote down."""
    fills = traded.venue.engine.books.fills
    by_hand(traded, "mkt", "buy", "3")
    fills[-1] = replace(fills[-1], client_order_id="smc-unrecorded", time=fills[-1].time - timedelta(minutes=1))
    log = traded.venue.engine.books.log
    for index in (-2, -1):
        log[index] = replace(log[index], time=fills[-1].time)
    traded.venue.advance(600)
    report = maintained(traded)
    assert status(report) == "does not add up"
    assert "is of no recorded fill" in report.proof()["day_proof"]["faults"][0]


def test_trouble_is_told_by_every_run_that_day(traded: World) -> None:
    account = Logged(traded)
    account.added_fee = Decimal(5)
    traded.venue.advance(600)
    maintained(traded, account)
    traded.venue.advance(3600)
    again = maintained(traded)
    assert status(again) == "does not add up"
    assert len(published("discrepancy")) == 2


def test_position_over_midnight_is_part_of_both_days(cloud: Cloud) -> None:
    world = new_world(cloud)
    world.venue.charge_funding("PF_COINUSD", "0.01")
    maintained(world)
    world.open_position()
    until_midnight(world, minutes=12)
    first = maintained(world).proof()["day_proof"]
    world.minute(COIN="97")
    world.minutes(2)
    until_midnight(world, minutes=12)
    second = maintained(world).proof()["day_proof"]
    (trade,) = world.trades()
    assert (first["status"], second["status"]) == ("proven", "proven")
    assert Decimal(first["ours"]) + Decimal(second["ours"]) == trade.net
    assert Decimal(first["funding"]) < 0


def test_day_that_nobody_proves_is_told(traded: World) -> None:
    traded.venue.faults.reads.add("ledger_rows")
    traded.venue.advance(7 * 3600 + 600)
    assert "The books of 2024-05-01 do not add up" not in published("discrepancy")
    maintained(traded)
    traded.venue.advance(3600)
    report = maintained(traded)
    assert status(report) == "not proven yet"
    assert published("discrepancy") == ["The books of 2024-05-01 do not add up"]


def test_failing_log_is_asked_once_an_hour(traded: World) -> None:
    account = Logged(traded)
    traded.venue.faults.reads.add("ledger_rows")
    for _ in range(26):
        traded.venue.advance(60)
        reconcile_positions(traded.desk(venue=account))
    assert account.asked == 1
