"""The day before in one message: right figures, unknown ones said, exactly once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.maintain_records.maintain import maintain, tell
from functions.maintain_records.report import MaintenanceReport
from shared.alerts import Alerts
from shared.storage.codec import from_json
from shared.storage.decisions import StageRecord
from shared.storage.tables import LedgerItem
from tests.fakes.records import signal
from tests.integration.operations.conftest import World
from tests.integration.operations.records_scene import HOUR, records_of
from tests.unit.control.records import decision, entry, filled, position, trade, with_live
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.control import Control, KillLevel, RiskDay
from trading.model.decisions import Outcome
from trading.model.instruments import InstrumentId
from trading.model.orders import IntentState, PositionId
from trading.model.units import Money

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
"""Of the day that is summarised."""
NEXT = MIDNIGHT + 24 * HOUR
LATE = NEXT + timedelta(minutes=20)


def run(world: World, now: datetime, alerts: Alerts | None = None) -> MaintenanceReport:
    records = records_of(world, now)
    report = maintain(records, now)
    world.control.record_run("maintain_records", now, tell(records, report, alerts or world.alerts))
    return report


def mark(world: World, at: datetime, start: int, last: int, peak: int = 0) -> None:
    """The account as reconcile left it."""
    known = world.control.risk_day()
    day = RiskDay(
        day=at.date(),
        start_equity=Money(start),
        peak_equity=Money(peak or max(start, last)),
        last_equity=Money(last),
        halted_on=None,
        version=known.version if known else 0,
    )
    world.control.save_risk_day(day)


def close(world: World, code: str, at: datetime, net: str, **changes: Any) -> None:
    """A trade that was planned an hour before it ended `at`."""
    made = position(code, planned_at=at - HOUR)
    made = replace(made, id=PositionId(f"{code}-{at:%d%H}"))
    made = filled(with_live(made, entry(made), IntentState.LIVE))
    booked = replace(trade(code, net), id=made.id, closed_at=at, **changes)
    world.ledger.close_position(world.ledger.adopt_position(made), booked)


def played(world: World) -> None:
    """A day with trades, signals, decisions, a switch that was used, and hourly looks at the account."""
    run(world, MIDNIGHT)
    for hour, equity in ((1, 10_000), (9, 9_700), (20, 10_150)):
        mark(world, MIDNIGHT + hour * HOUR, 10_000, equity, 10_200)
        run(world, MIDNIGHT + hour * HOUR)
    close(world, "BTC", MIDNIGHT + 5 * HOUR, "12.5", fees=Money("0.5"), funding=Money("-0.25"))
    close(world, "ETH", MIDNIGHT + 9 * HOUR, "-4", fees=Money("0.25"), funding=Money("0"))
    close(world, "SOL", NEXT, "99")
    close(world, "SOL", MIDNIGHT - timedelta(seconds=1), "99")
    bar = MIDNIGHT + 4 * HOUR
    for name in ("BTC", "SOL"):
        assert world.ledger.add_signal(signal(name, decision_bar=bar))
    world.decisions.add_stage(
        StageRecord(
            instrument=InstrumentId("SOL"), decision_bar=bar, outcome=Outcome.RISK_REFUSED, sentence="no", at=bar
        )
    )
    set_level(world, MIDNIGHT + 10 * HOUR, KillLevel.NO_ENTRIES, "anna")
    mark(world, NEXT, 10_100, 10_100)


def set_level(world: World, at: datetime, level: KillLevel, who: str) -> None:
    version = world.control.control(at).version
    world.control.set_control(Control(level=level, reason="t", changed_by=who, changed_at=at, version=version))


def summaries(world: World) -> list[Alert]:
    """Those that were published since this was asked last."""
    found = []
    while messages := world.published():
        found += [from_json(Alert, json.loads(each["Body"])["Message"]) for each in messages]
    return [each for each in found if each.kind is AlertKind.DAILY_SUMMARY]


def test_summary_says_what_is_stored(world: World) -> None:
    played(world)
    report = run(world, LATE)
    assert report.summary is not None
    facts = dict(report.summary.facts)
    assert facts == {
        "trades": "2 (1 won)",
        "net": "8.50 USD",
        "fees": "0.75 USD",
        "funding": "-0.25 USD",
        "equity": "10000.00 -> 10100.00 USD (+100.00)",
        "worst moment": "4.90 % below the day's high at 09:00 UTC, limit 5 %, by 3 readings",
        "signals to fills": "2 signals, 3 orders, 3 filled",
        "decisions": facts["decisions"],
        "later stages": "1 RISK_REFUSED",
        "kill level": "changed 1x: 10:00 K1 by anna",
        "open positions": "0",
    }
    assert report.summary.unread == ()
    (alert,) = summaries(world)
    assert (alert.severity, alert.title) == (Severity.INFO, "2026-11-22: trades 2 (1 won), net 8.50 USD")


def test_decisions_are_counted_by_their_outcome(world: World) -> None:
    run(world, MIDNIGHT)
    bars = [MIDNIGHT - HOUR, MIDNIGHT, MIDNIGHT + 23 * HOUR, NEXT]
    for bar in bars:
        world.decisions.add([decision("BTC", bar), decision("ETH", bar, Outcome.COOLDOWN)])
    summary = maintain(records_of(world, LATE), LATE).summary
    assert summary is not None
    counted = dict(summary.facts)["decisions"]
    # Maintenance itself wrote the others of the hours that it looked at.
    assert "2 NO_SETUP" in counted
    assert "2 COOLDOWN" in counted


def test_repeated_runs_tell_the_day_once(world: World) -> None:
    played(world)
    for minutes in (20, 21, 45, 80, 600, 1400):
        run(world, NEXT + timedelta(minutes=minutes))
    assert [each.subject for each in summaries(world)] == ["day 2026-11-22"]


def test_concurrent_runs_tell_the_day_once(world: World) -> None:
    played(world)
    records = records_of(world, LATE)
    reports = [maintain(records, LATE) for _ in range(2)]
    proofs = [tell(records, each, world.alerts) for each in reports]
    assert all(each.summary is not None for each in reports)
    assert [each["day_summary"]["status"] for each in proofs] == ["told", "not told"]
    assert len(summaries(world)) == 1


def test_missed_midnight_is_told_by_the_next_run(world: World) -> None:
    played(world)
    run(world, NEXT + 23 * HOUR)
    assert [each.subject for each in summaries(world)] == ["day 2026-11-22"]
    run(world, NEXT + 25 * HOUR)
    assert [each.subject for each in summaries(world)] == ["day 2026-11-23"]


def test_summary_that_was_not_published_is_told_later(world: World) -> None:
    played(world)
    nowhere = Alerts("arn:aws:sns:us-east-1:123456789012:gone", world.control)
    run(world, LATE, nowhere)
    last = world.control.last_run("maintain_records")
    assert last is not None
    assert last.proof["day_summary"] == {"day": "2026-11-22", "status": "not told"}
    assert summaries(world) == []
    run(world, LATE + HOUR)
    assert len(summaries(world)) == 1


def test_day_before_the_first_run_is_not_told(world: World) -> None:
    assert run(world, MIDNIGHT + 5 * HOUR).summary is None
    part = run(world, LATE).summary
    assert part is not None
    assert part.facts[0] == ("from", "2026-11-22T05:00:00.000Z")


def test_what_is_not_stored_is_unknown(world: World) -> None:
    run(world, MIDNIGHT)
    summary = run(world, LATE).summary
    assert summary is not None
    facts = dict(summary.facts)
    assert (facts["equity"], facts["worst moment"]) == ("unknown", "unknown")
    assert (facts["trades"], facts["net"]) == ("0 (0 won)", "0.00 USD")


def test_account_seen_no_more_has_no_end(world: World) -> None:
    run(world, MIDNIGHT)
    mark(world, MIDNIGHT + HOUR, 10_000, 9_900)
    run(world, MIDNIGHT + HOUR)
    summary = run(world, LATE).summary
    assert summary is not None
    assert dict(summary.facts)["equity"] == "10000.00 -> unknown"
    assert "1.00 % below" in dict(summary.facts)["worst moment"]


def test_run_at_midnight_waits_for_the_new_day(world: World) -> None:
    """Reconcile opens the risk day some seconds after maintenance ran: the day's end is the first equity in it."""
    run(world, MIDNIGHT)
    mark(world, MIDNIGHT + HOUR, 10_000, 9_900)
    run(world, MIDNIGHT + HOUR)
    early = run(world, NEXT + timedelta(seconds=5))
    assert (early.summary, early.summary_status) == (None, "not due")
    mark(world, NEXT + timedelta(seconds=20), 9_950, 9_950)
    summary = run(world, NEXT + timedelta(seconds=40)).summary
    assert summary is not None
    assert dict(summary.facts)["equity"] == "10000.00 -> 9950.00 USD (-50.00)"


@pytest.mark.parametrize(("minutes", "told"), [(9, False), (10, True)])
def test_day_without_an_account_is_told_at_last(world: World, minutes: int, told: bool) -> None:
    run(world, MIDNIGHT)
    assert (run(world, NEXT + timedelta(minutes=minutes)).summary is not None) is told


def spoil_trades(world: World) -> None:
    LedgerItem("TRADE#2026-11", "2026-11-22T04:00:00.000Z#x", body="{").save()


def spoil_audit(world: World) -> None:
    LedgerItem("CONTROL_AUDIT", "2026-11-22T04:00:00.000Z#000009", body="{").save()


def spoil_position(world: World) -> None:
    LedgerItem("POSITION", "BTC", body="{").save()


@pytest.mark.parametrize(
    ("spoil", "unknown"),
    [
        (spoil_trades, {"trades", "net", "fees", "funding", "signals to fills"}),
        (spoil_audit, {"kill level"}),
        (spoil_position, {"signals to fills"}),
    ],
)
def test_unreadable_records_are_unknown_never_zero(
    world: World, spoil: Callable[[World], None], unknown: set[str]
) -> None:
    played(world)
    spoil(world)
    summary = run(world, LATE).summary
    assert summary is not None
    assert {name for name, value in summary.facts if value == "unknown"} == unknown
    (alert,) = summaries(world)
    assert "Unknown: " in alert.text
    assert summary.unread


def test_entry_that_was_never_sent_is_no_order(world: World) -> None:
    run(world, MIDNIGHT)
    planned = position("BTC", planned_at=MIDNIGHT + 3 * HOUR)
    world.ledger.adopt_position(planned.with_intent(entry(planned)))
    summary = run(world, LATE).summary
    assert summary is not None
    assert dict(summary.facts)["signals to fills"] == "0 signals, 0 orders, 0 filled"


def test_open_positions_are_named(world: World) -> None:
    played(world)
    world.ledger.adopt_position(position("BTC", planned_at=MIDNIGHT + 3 * HOUR))
    summary = run(world, LATE).summary
    assert summary is not None
    assert dict(summary.facts)["open positions"] == "1: BTC long"
    assert Decimal(dict(summary.facts)["net"].split()[0]) == Decimal("8.50")
