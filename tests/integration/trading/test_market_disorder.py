"""Market disorder on the real path: who is paused, for how long, what is told, and what happens to what is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from moto.sns.models import sns_backends

from functions.execute_signals.watch import MarketLook, watch_market
from shared.storage.codec import from_json
from shared.storage.market_watch import MarketWatchStore
from tests.fakes.cloud import REGION, Cloud, write_raw
from tests.fakes.records import NOW, RULES, coin, levels, rules_with
from tests.fakes.venue import VenueInMemory
from tests.integration.trading.bent_venue import bent_world
from tests.integration.trading.world import World, new_world
from trading.errors import VenueUnavailable
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.decisions import Outcome
from trading.model.disorder import EVERYWHERE, MarketWatch
from trading.model.instruments import Universe
from trading.model.orders import IntentState, Purpose
from trading.model.positions import PositionState
from trading.rules import Rules

ACCOUNT = "123456789012"
"""The emulator's own."""

OFF = rules_with('{"risk": {"disorder": false}}')
REFUSED = {"RISK_REFUSED:market_disorder": 1}
SENT = {Outcome.SENT: 1}
HIGHER = levels(entry=106, stop=104, invalidation="104.5", target_1=108, target_2=111)


def look(world: World) -> MarketLook:
    return watch_market(world.desk(), world.venue.now())


def paused(watch: MarketWatch | None) -> list[str]:
    assert watch is not None
    return [each.contract for each in watch.pauses]


@pytest.mark.parametrize(("rules", "outcome"), [(RULES, REFUSED), (OFF, SENT)])
@pytest.mark.parametrize("spacing", [60, 62, 90, 119, 170])
def test_jump_of_mark_refuses_the_entry(cloud: Cloud, rules: Rules, outcome: dict[str, int], spacing: int) -> None:
    world = new_world(cloud, rules=rules)
    world.execute()
    world.venue.advance(spacing, COIN=106)
    world.add_signal(levels=HIGHER)
    assert world.execute().outcomes == outcome


def test_entry_goes_out_once_the_pause_is_over(cloud: Cloud) -> None:
    world = new_world(cloud)
    world.execute()
    world.minute(COIN=106)
    world.venue.advance(1799)
    world.add_signal(levels=HIGHER)
    assert world.execute().outcomes == REFUSED
    world.venue.advance(1)
    world.add_signal(levels=HIGHER, structure_id="ob-2")
    assert world.execute().outcomes == SENT


@pytest.mark.parametrize(("rules", "left"), [(RULES, []), (OFF, ["COIN"])])
def test_resting_entry_is_taken_off(cloud: Cloud, rules: Rules, left: list[str]) -> None:
    world = new_world(cloud, rules=rules)
    world.add_signal()
    world.execute()
    assert world.intent(Purpose.ENTRY).state is IntentState.LIVE
    world.minute(COIN=106)
    world.minutes(4)
    assert [each.instrument for each in cloud.ledger.open_positions()] == left
    assert bool(world.venue.open_orders()) is bool(left)


def test_jump_of_a_major_spares_open_positions(cloud: Cloud) -> None:
    world = new_world(cloud, ["BTC", "HELD", "COIN"])
    world.open_position("HELD")
    world.add_signal()
    world.minute(BTC=94)
    assert world.runs[-1][1].outcomes == REFUSED
    world.minutes(3)
    assert world.position("HELD").state is PositionState.PROTECTED
    assert world.intent(Purpose.STOP, "HELD").state is IntentState.LIVE
    assert world.venue.naked_seconds_max() == 0


@pytest.mark.parametrize(("fallen", "outcome"), [("AB", SENT), ("ABC", REFUSED)])
def test_three_falling_coins_pause_a_calm_one(cloud: Cloud, fallen: str, outcome: dict[str, int]) -> None:
    world = new_world(cloud, ["A", "B", "C", "CALM"])
    world.minute()
    world.add_signal("CALM")
    world.minute(**dict.fromkeys(fallen, 94))
    assert world.runs[-1][1].outcomes == outcome


@pytest.mark.parametrize("change", [{"suspended": True}, {"post_only": True}])
def test_halted_coin_pauses_itself_beyond_its_halt(cloud: Cloud, change: dict[str, bool]) -> None:
    world, venue = bent_world(cloud, ["COIN", "OTHER", "THIRD"])
    venue.bend("COIN", **change)
    world.minute()
    venue.bend("COIN")
    world.add_signal()
    world.add_signal("OTHER")
    assert world.execute().outcomes == REFUSED | SENT


def test_reported_dislocation_pauses_its_coin(cloud: Cloud) -> None:
    world = new_world(cloud, ["COIN", "OTHER"])
    world.venue.put_under_stress("PF_COINUSD", dislocated=True)
    found = look(world)
    assert paused(found.watch) == ["PF_COINUSD"]
    assert (set(found.stress), set(found.quotes)) == ({"PF_COINUSD"}, {"PF_COINUSD", "PF_OTHERUSD"})
    assert cloud.watch.read() == found.watch


def test_disorder_that_lasts_is_told_once(cloud: Cloud) -> None:
    world, venue = bent_world(cloud, ["COIN", "OTHER", "THIRD"])
    venue.tear("COIN", "2")
    for _ in range(40):
        look(world)
        venue.advance(60)
    assert (cloud.alerts.published, cloud.alerts.muted) == (1, 0)
    venue.tear("OTHER", "2")
    look(world)
    assert (cloud.alerts.published, cloud.alerts.muted) == (2, 0)


def told() -> list[Alert]:
    topics = sns_backends[ACCOUNT][REGION].topics.values()
    return [from_json(Alert, message) for topic in topics for _, message, *_ in topic.sent_notifications]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ("A", "PF_AUSD"),
        ("ABC", "PF_AUSD, PF_BUSD, PF_CUSD"),
        ("ABCD", "PF_AUSD, PF_BUSD, PF_CUSD and 1 more"),
    ],
)
def test_pauses_of_one_look_make_one_alert(cloud: Cloud, names: str, shown: str) -> None:
    world, venue = bent_world(cloud, list("ABCDEFGHI"))
    for name in names:
        venue.bend(name, suspended=True)
    look(world)
    (alert,) = told()
    assert (alert.kind, alert.severity, alert.subject) == (AlertKind.MARKET_DISORDER, Severity.WARNING, shown)
    assert alert.title == f"Market disorder: no entries in {shown}"
    assert alert.text.startswith(f"No entries in {shown} before 10:30 UTC: it is suspended")
    assert [name for name, _ in alert.fields] == [f"PF_{name}USD" for name in names]


def test_alert_for_all_speaks_for_each(cloud: Cloud) -> None:
    world = new_world(cloud, ["A", "B", "C", "D"])
    look(world)
    world.venue.advance(60, A=94, B=94, C=94)
    assert paused(look(world).watch)[0] == EVERYWHERE
    (alert,) = told()
    assert (alert.subject, alert.title) == ("everywhere", "Market disorder: no entries anywhere")
    assert alert.text.startswith("No entries anywhere before 10:31 UTC: 3 contracts began to shake together (PF_AUSD")
    assert [name for name, _ in alert.fields] == ["PF_AUSD", "PF_BUSD", "PF_CUSD"]


@pytest.mark.parametrize("read", ["quotes", "stress"])
def test_unreadable_market_changes_nothing(cloud: Cloud, read: str) -> None:
    world = new_world(cloud)
    look(world)
    before = cloud.watch.read()
    world.venue.advance(60, COIN=106)
    world.venue.faults.reads = {read}
    with pytest.raises(VenueUnavailable):
        look(world)
    assert cloud.watch.read() == before
    world.add_signal(levels=HIGHER)
    assert world.execute().outcomes == {}
    world.venue.faults.reads = set()
    assert world.execute().outcomes == REFUSED


def test_switched_off_watch_stores_nothing(cloud: Cloud) -> None:
    world, venue = bent_world(cloud, rules=OFF)
    venue.tear("COIN", "5")
    found = look(world)
    assert (found.watch, cloud.watch.read(), cloud.alerts.published) == (MarketWatch(), None, 0)
    assert set(found.quotes) == {"PF_COINUSD"}


def test_contracts_outside_the_universe_are_ignored(cloud: Cloud) -> None:
    world, venue = bent_world(cloud, ["COIN", "BTC", "OTHER"])
    stored = cloud.market.universe()
    assert stored is not None
    only = Universe(instruments=tuple(each for each in stored.universe.instruments if each.id == "COIN"))
    cloud.market.save_universe(only, NOW, stored)
    venue.tear("BTC", "5")
    watch = look(world).watch
    assert (watch.pauses, set(watch.seen[0].marks)) == ((), {"PF_COINUSD"})


class BeatenStore:
    """The store to a run that others beat to its first `times` writes: after its read, `other` looks and saves."""

    def __init__(self, store: MarketWatchStore, other: Callable[[], Any], times: int) -> None:
        self._store, self._other, self._times = store, other, times

    def read(self) -> MarketWatch | None:
        found = self._store.read()
        if self._times:
            self._times -= 1
            self._other()
        return found

    def save(self, watch: MarketWatch) -> MarketWatch:
        return self._store.save(watch)


@pytest.mark.parametrize(("beaten", "kept"), [(1, ["PF_COINUSD"]), (2, [])])
def test_of_two_looks_neither_loses_its_pause(cloud: Cloud, beaten: int, kept: list[str]) -> None:
    """The others saw a calm market and saved first: what only this run saw binds it, and is kept when it can be."""
    world, calm = new_world(cloud, ["COIN", "OTHER"]), VenueInMemory((coin("COIN"), coin("OTHER")), NOW)
    world.venue.put_under_stress("PF_COINUSD", dislocated=True)
    store: Any = BeatenStore(cloud.watch, lambda: watch_market(world.desk(calm), NOW), beaten)
    found = watch_market(replace(world.desk(), watch=store), NOW)
    assert paused(found.watch) == ["PF_COINUSD"]
    assert paused(cloud.watch.read()) == kept
    assert cloud.alerts.published == 1


def test_unreadable_record_pauses_everything_for_a_while(cloud: Cloud) -> None:
    world = new_world(cloud)
    write_raw("MARKET_WATCH", "CURRENT", body="{")
    world.add_signal()
    assert world.execute().outcomes == REFUSED
    world.venue.advance(1801)
    world.add_signal(structure_id="ob-2")
    assert world.execute().outcomes == SENT
