"""Killed after any single write and started again: losses, streaks and the reserved risk are what the fills say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from shared.storage.tables import LedgerItem
from tests.fakes.cloud import emulated
from tests.fakes.records import RULES
from tests.integration.trading.killed_writes import Writes, watched
from tests.integration.trading.risk_scene import (
    propose,
    published,
    resumed_by_a_person,
    risk_day_of,
    switch,
    told,
)
from tests.integration.trading.world import World, new_world
from trading.model.control import KillLevel
from trading.model.units import Money
from trading.risk.day import count_trade
from trading.rules import Rules

Run = Callable[[World], Any]


@dataclass
class Story:
    """One life of a world whose product may be killed once. Remembers the equities that a run has surely seen, and
    those of the minute in which reconcile was killed."""

    world: World
    writes: Writes
    seen: list[Decimal] = field(default_factory=list)
    perhaps: list[Decimal] = field(default_factory=list)

    def minute(self, **prices: object) -> None:
        """Nobody repeats a run that was killed: the next minute's has to make it good."""
        self.world.venue.advance(60, **prices)
        equity = self.world.venue.account().equity
        (self.seen if self.writes.run(self.world, World.reconcile) else self.perhaps).append(equity)
        self.writes.run(self.world, World.execute)
        self.writes.run(self.world, World.manage)

    def insist(self, run: Run) -> None:
        """Done again until it is done, as a person would."""
        while not self.writes.run(self.world, run):
            pass


@contextmanager
def begun(rules: Rules = RULES, fatal: int | None = None) -> Iterator[Story]:
    with pytest.MonkeyPatch.context() as patch, emulated(patch) as cloud:
        writes = watched(patch)
        story = Story(new_world(cloud, ["COIN", "OTHER"], rules=rules), writes)
        story.minute()
        writes.fatal, writes.done = fatal, []
        yield story


def one_loser_and_one_open(story: Story) -> None:
    """A long in COIN is stopped out and booked, then one in OTHER is entered and stays open."""
    for name in ("COIN", "OTHER"):
        propose(story.world, name)
        story.minute()
        story.minute(**{name: "99.5"})
        story.minute(**{name: "100.2"})
        if name == "COIN":
            story.minute(**{name: "97"})
            story.minute()
    for _ in range(3):
        story.minute()


def points_of(play: Callable[[Story], None], rules: Rules = RULES) -> int:
    with begun(rules) as story:
        play(story)
        return len(story.writes.done)


@pytest.mark.slow
def test_killed_after_any_write_the_day_is_exact(capsys: pytest.CaptureFixture[str]) -> None:
    points = points_of(one_loser_and_one_open)
    assert points > 30
    losers = 0
    for point in range(points + 1):
        with begun(fatal=point or None) as story:
            one_loser_and_one_open(story)
            assert story.writes.kills == bool(point)
            losers += assert_exact(story, f"killed after write {point} of {points}")
    assert losers > points / 2
    with capsys.disabled():
        print(f"\n{points} kill points, the loser was traded in {losers} of {points + 1} lives")


def assert_exact(story: Story, when: str) -> int:
    """Every figure of the risk day against the venue's own books. Returns how many trades were booked."""
    world, day = story.world, risk_day_of(story.world)
    assert day.last_equity == world.venue.account().equity, when
    assert day.peak_equity == day.week_peak_equity == day.highest_equity, when
    assert day.peak_equity in (max(story.seen), max(story.seen + story.perhaps)), when
    trades, books = world.trades(), world.venue.engine.books
    ended = {fill.symbol for fill in books.fills} - set(books.positions)
    assert sorted(f"PF_{each.instrument}USD" for each in trades) == sorted(ended), when
    expected = replace(day, streaks=())
    for trade in trades:
        expected = count_trade(expected, trade, world.venue.now(), RULES.risk)
    assert [(each.regime, each.losses) for each in day.streaks] == [
        (each.regime, each.losses) for each in expected.streaks
    ], when
    assert_reserved(world, when)
    return len(trades)


def assert_reserved(world: World, when: str) -> None:
    """What the open records put at risk at their stops is what the venue's positions lose at the venue's stops."""
    held = {each.contract: each for each in world.venue.positions()}
    stops = {each.contract: each.trigger_price for each in world.venue.open_orders() if each.trigger_price}
    records = world.cloud.ledger.open_positions()
    assert {each.contract for each in records} == set(held), when
    for record in records:
        shown, stop = held[record.contract], stops[record.contract]
        assert stop is not None, when
        reserved = record.quantity * ((record.average_entry or Decimal(0)) - record.stop)
        assert reserved == shown.quantity * (shown.entry - stop) > 0, when


def fall_of_the_week(story: Story) -> None:
    """The record says that the week began 12 % higher; the next run sees it, and a person resumes."""
    control = story.world.cloud.control
    day = risk_day_of(story.world)
    control.save_risk_day(replace(day, week_peak_equity=Money(11_200), highest_equity=Money(11_200)))
    for _ in range(7):
        story.minute()
    assert switch(story.world).level is KillLevel.NO_ENTRIES
    assert told("kill_level") == [f"critical/control {switch(story.world).version}"]
    assert published("kill_level")
    story.insist(resumed_by_a_person)
    assert switch(story.world).level is KillLevel.NORMAL
    for _ in range(2):
        story.minute()


def test_killed_rise_and_killed_resume_are_made_good(capsys: pytest.CaptureFixture[str]) -> None:
    points = points_of(fall_of_the_week)
    assert points >= 6
    for point in range(1, points + 1):
        with begun(fatal=point) as story:
            fall_of_the_week(story)
            assert story.writes.kills == 1
            assert switch(story.world).level is KillLevel.NORMAL, f"killed after write {point} of {points}"
            assert risk_day_of(story.world).reached == ()
            raised = [item for item in LedgerItem.query("CONTROL_AUDIT") if '"guards"' in (item.body or "")]
            assert len(raised) == 1, f"killed after write {point} of {points}"
    with capsys.disabled():
        print(f"\n{points} kill points of a rise and its resume")


def loss_of_the_day(story: Story) -> None:
    """The day began 6 % higher: entries halt, today's resume does not end it, tomorrow's does."""
    day = risk_day_of(story.world)
    story.world.cloud.control.save_risk_day(replace(day, peak_equity=Money(10_640)))
    story.insist(World.reconcile)
    assert risk_day_of(story.world).halted
    story.insist(resumed_by_a_person)
    assert risk_day_of(story.world).halted
    story.world.venue.advance(24 * 3600)
    for each in (World.reconcile, resumed_by_a_person, World.reconcile):
        story.insist(each)


def test_killed_halt_is_neither_lost_nor_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    points = points_of(loss_of_the_day)
    assert points >= 5
    for point in range(1, points + 1):
        with begun(fatal=point) as story:
            loss_of_the_day(story)
            day = risk_day_of(story.world)
            assert story.writes.kills == 1
            assert (day.halted, day.peak_equity) == (False, 10_000), f"killed after write {point} of {points}"
    with capsys.disabled():
        print(f"\n{points} kill points of a halt and its resumes")
