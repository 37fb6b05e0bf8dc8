from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from functions.check_health.check import PERIODS, check
from functions.check_health.health import Health, Status
from functions.check_health.look import Places
from shared.queues import QueueDepth
from shared.storage.control import ControlStore
from shared.storage.ledger import Ledger
from shared.storage.tables import LedgerItem
from tests.integration.operations.conftest import StoppedClock, World
from tests.integration.operations.health_scene import checked, made_well
from tests.unit.control.records import NOW, position, quote
from trading.errors import VenueAuthenticationFailed
from trading.model.control import KillLevel
from trading.model.times import to_text
from trading.model.venue import Quote


@pytest.fixture
def well(world: World) -> World:
    return made_well(world)


def health_of(world: World) -> Health:
    return check(checked(world), NOW)


def test_facts_of_the_stores_make_one_record(well: World) -> None:
    well.ledger.adopt_position(position())
    health = health_of(well)
    assert (health.status, health.reasons) == (Status.OK, ())
    assert [line["instrument"] for line in health.positions or ()] == ["BTC"]
    assert len(health.last_runs) == len(PERIODS) + 1


def test_saved_record_is_what_status_reads(well: World) -> None:
    health_of(well).save(well.control)
    saved = well.control.health()
    assert saved is not None
    assert (json.loads(saved[0])["status"], saved[1]) == ("ok", NOW)
    run = well.control.last_run("check_health")
    assert run is not None
    assert run.at == NOW


def test_overtaken_run_leaves_the_newer_record(well: World) -> None:
    later = NOW + timedelta(minutes=1)
    well.control.save_health('{"status": "down"}', later)
    health_of(well).save(well.control)
    assert well.control.health() == ('{"status": "down"}', later)


def test_unreachable_venue_is_down_with_its_words(well: World) -> None:
    well.venue.silent = True
    health = health_of(well)
    assert (health.status, health.venue_reachable) == (Status.DOWN, False)
    assert health.reasons == ("venue does not answer (venue does not answer)",)
    assert health.alert() is None
    health.save(well.control)
    later = NOW + timedelta(minutes=1)
    again = check(checked(well), later)
    assert again.failing_since == {"venue": to_text(NOW)}
    assert again.alert() is not None


def test_refused_venue_leaves_a_record(well: World) -> None:
    class Refusing:
        def quotes(self) -> dict[str, Quote]:
            raise VenueAuthenticationFailed("tickers answered 401")

    health = check(checked(well, market=Refusing()), NOW)
    assert health.reasons == ("venue does not answer (tickers answered 401)",)


@pytest.mark.parametrize(("behind", "apart"), [(0, 0.0), (4, -3.0)])
def test_slow_look_changes_no_clock_difference(well: World, behind: int, apart: float) -> None:
    """The queues take five seconds of the clock and the venue's answer one; its clock is right, or four behind."""
    clock = Walking(NOW)

    def depth(url: str) -> QueueDepth:
        clock.walk(5)
        return QueueDepth(waiting=0, taken=0)

    class Punctual:
        def quotes(self) -> dict[str, Quote]:
            clock.walk(1)
            return {"A": quote(at=clock.now() - timedelta(seconds=behind))}

    places = replace(checked(well).places, depth=depth)
    health = check(checked(well, places=places, market=Punctual(), clock=clock), NOW)
    assert (health.clock_skew_seconds, len(health.reasons)) == (apart, int(apart != 0))


class Walking:
    """A clock that goes on when it is told to."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def walk(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


def test_unreachable_store_is_down_and_alerted(world: World) -> None:
    world.venue.tickers = {"PF_BTCUSD": quote()}
    gone = "table-that-is-not-there"
    health = check(checked(world, control=ControlStore(gone), ledger=Ledger(gone)), NOW)
    assert (health.status, health.store_reachable, health.kill_level) == (Status.DOWN, False, None)
    assert health.alert() is not None
    with pytest.raises((PynamoDBException, BotoCoreError)):
        health.save(ControlStore(gone))


def test_corrupt_position_record_is_a_reason_not_a_crash(well: World) -> None:
    well.ledger.adopt_position(position("ETH"))
    LedgerItem("POSITION", "BTC", body="{broken").save()
    health = health_of(well)
    assert (health.status, health.store_reachable) == (Status.DOWN, True)
    (reason,) = health.reasons
    assert reason.startswith("the record of an open position cannot be read: BTC: ")
    assert [line["instrument"] for line in health.positions or ()] == ["ETH"]
    assert (health.unreadable_positions, health.kill_level, health.naked_positions) == (1, KillLevel.NORMAL, 0)


def test_corrupt_run_record_hides_no_other(well: World) -> None:
    LedgerItem("RUN", "forward_alerts", at=to_text(NOW), body="{broken").save()
    LedgerItem("RUN", "ingest_candles", at="yesterday", body="{}").save()
    health = health_of(well)
    assert (health.status, health.store_reachable, len(health.last_runs)) == (Status.DEGRADED, True, len(PERIODS) + 2)
    late, *unreadable = health.reasons
    assert late.startswith("ingest_candles last ran ")
    assert sorted(each.partition(" cannot")[0] for each in unreadable) == [
        "the run record of forward_alerts",
        "the run record of ingest_candles",
    ]


def test_own_corrupt_record_is_written_anew(well: World) -> None:
    LedgerItem("RUN", "check_health", at=to_text(NOW), body="[]").save()
    health_of(well).save(well.control)
    assert check(checked(well), NOW + timedelta(minutes=1)).reasons == ()


def stored_at(world: World, now: datetime) -> list[str]:
    """The DynamoDB calls of one whole run at this time."""
    calls: list[str] = []
    client = LedgerItem._get_connection().connection.client

    def note(model: Any, **_: Any) -> None:
        calls.append(model.name)

    client.meta.events.register("before-call.dynamodb.*", note)
    world.venue.tickers = {"PF_BTCUSD": quote(at=now)}
    check(checked(world), now).save(world.control)
    client.meta.events.unregister("before-call.dynamodb.*", note)
    return sorted(calls)


def test_run_without_a_look_makes_four_requests(well: World) -> None:
    stored_at(well, NOW)
    assert stored_at(well, NOW + timedelta(minutes=1)) == ["GetItem", "PutItem", "Query", "Query"]
    assert stored_at(well, NOW + timedelta(minutes=4)) == ["GetItem", "PutItem", "Query", "Query"]


def test_run_with_a_look_makes_a_few_more(well: World) -> None:
    # Universe and candle index; then the bars of the newest day, and the quality and traces where coins lack some.
    assert len(stored_at(well, NOW)) <= 4 + 2 + 2 + 3
    assert len(stored_at(well, NOW + timedelta(minutes=5))) <= 4 + 2 + 2 + 1


def new_dead_letters(well: World, places: Places, minutes: int, dead: int) -> bool:
    """Whether the run of that minute told; its record is kept."""
    now = NOW + timedelta(minutes=minutes)
    for function in PERIODS:
        well.control.record_run(function, now, {})
    well.control.record_run("forward_alerts", now, {})
    well.venue.tickers = {"PF_BTCUSD": quote(at=now)}
    depths = replace(places, depth=lambda url: QueueDepth(waiting=dead if url == "runs-url" else 0, taken=0))
    health = check(checked(well, places=depths, clock=StoppedClock(now)), now)
    alert = health.alert()
    told = alert is not None and well.alerts.tell(alert)
    (health.told() if told else health).save(well.control)
    return told


def test_muted_dead_letters_are_told_when_the_window_ends(well: World) -> None:
    """The second given-up message is seen by one look, in the window of the first one's alert."""
    places = checked(well).places
    told = [minutes for minutes in range(21) if new_dead_letters(well, places, minutes, 1 if minutes < 5 else 2)]
    assert told == [0, 10]
