"""The drill: newest traces deleted, aged and damaged at random; one run of maintenance brings every coin back."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from functions.maintain_records.coverage import Fault
from functions.maintain_records.maintain import maintain, tell
from functions.maintain_records.report import MaintenanceReport
from infra.cli.decided import DecidedPlace
from infra.cli.replay import replay
from shared.storage.decisions import encode_trace
from shared.storage.tables import DecisionItem
from tests.integration.operations.conftest import RULES, World
from tests.integration.operations.records_scene import (
    HOUR,
    Tables,
    coins,
    copied,
    counted_requests,
    fill,
    records_of,
    restored,
    score,
    stored_items,
)
from tests.unit.control.records import NOW, decision
from trading.model.decisions import Decision, Outcome
from trading.model.instruments import InstrumentId
from trading.model.times import to_text

COINS = coins(52)
OLD, BEFORE, BAR = NOW - 7 * HOUR, NOW - HOUR, NOW
CHECKED_AT = BAR + timedelta(minutes=50)
DELETED, AGED, SWAPPED, CUT = 16, 5, 5, 3
TOUCHED = DELETED + AGED + SWAPPED + CUT


@dataclass(slots=True)
class Drill:
    world: World
    kept: dict[InstrumentId, Decision]
    damaged: dict[InstrumentId, bytes]

    def run(self, now: datetime = CHECKED_AT, **changes: object) -> MaintenanceReport:
        records = records_of(self.world, now, **changes)
        report = maintain(records, now)
        self.world.control.record_run("maintain_records", now, tell(records, report, self.world.alerts))
        return report


def item(coin: InstrumentId, bar: datetime) -> DecisionItem:
    return DecisionItem.get(f"BAR#{to_text(bar)}", f"TRACE#{coin}")


BUILT: list[Tables] = []


@pytest.fixture
def drill(world: World) -> Drill:
    """Every coin was decided by scoring at three bars, and maintenance found that so."""
    drill = Drill(world=world, kept={}, damaged={})
    if BUILT:
        restored(BUILT[0])
        return drill
    fill(world, COINS, BAR, 2600)
    drill.run(OLD - HOUR)
    for bar in (OLD, BEFORE, BAR):
        score(world, COINS, bar)
    for bar in [OLD + step * HOUR for step in range(1, 6)]:
        world.control.record_run("maintain_records", bar, {"covers_from": to_text(OLD), "watermark": to_text(BEFORE)})
    assert drill.run().coverage.found == 2 * len(COINS)
    BUILT.append(copied())
    return drill


def damage(drill: Drill) -> None:
    """30 % deleted, 20 % aged (half of them by an old trace in the newest one's place), some cut."""
    chosen = random.Random(7).sample(COINS, TOUCHED)
    for coin in chosen[:DELETED]:
        item(coin, BAR).delete()
    for coin in chosen[DELETED : DELETED + AGED]:
        item(coin, BAR).delete()
        # The hour before says only that there was no decision.
        item(coin, BEFORE).update([DecisionItem.data.set(encode_trace(decision(coin, BEFORE)))])
    for number, coin in enumerate(chosen[DELETED + AGED :]):
        newest = item(coin, BAR)
        data = bytes(item(coin, OLD).data or b"") if number < SWAPPED else bytes(newest.data or b"")[:-9]
        newest.update([DecisionItem.data.set(data)])
        drill.damaged[coin] = data
    untouched = set(COINS) - set(chosen)
    drill.kept = {each.instrument: each for each in drill.world.decisions.listing(BAR).decisions}
    drill.kept = {coin: trace for coin, trace in drill.kept.items() if coin in untouched}


def test_one_run_restores_the_count_to_the_universe(drill: Drill) -> None:
    damage(drill)
    report = drill.run()
    assert report.coverage.proof() == {
        "universe": 52,
        "bars_checked": 1,
        "traces_expected": 52,
        "traces_found": 52 - TOUCHED,
        "missing_written": DELETED,
        "stale_refreshed": AGED + SWAPPED,
        "unreadable_replaced": CUT,
        "joined": 0,
        "traces_written": TOUCHED,
        "decided_afresh": TOUCHED,
        "of_other_version": 0,
        "without_expiry": 0,
        "coverage_before_pct": round(100 * (52 - TOUCHED) / 52, 2),
        "coverage_pct": 100.0,
    }
    found = {each.instrument: each for each in drill.world.decisions.traces(BAR)}
    assert set(found) == set(COINS)
    assert {coin: found[coin] for coin in drill.kept} == drill.kept


def test_second_run_finds_nothing_to_do(drill: Drill) -> None:
    damage(drill)
    drill.run()
    before = {key: each.data for key, each in stored_items(BAR, "TRACE#").items()}
    with counted_requests() as sent:
        report = drill.run()
    assert (report.coverage.holes, report.coverage.written, report.coverage.before_pct) == ((), 0, 100.0)
    assert report.alerts() == ()
    assert {key: each.data for key, each in stored_items(BAR, "TRACE#").items()} == before
    # The run record is the only thing that is written.
    assert sent.get("PutItem") == 1


def test_restored_decisions_are_real_and_late(drill: Drill) -> None:
    original = {each.instrument: each for each in drill.world.decisions.traces(BAR)}
    damage(drill)
    drill.run()
    place = DecidedPlace(decisions=drill.world.decisions, market=drill.world.market, rules=RULES, now=CHECKED_AT)
    restored = [each for each in drill.world.decisions.traces(BAR) if each.instrument not in drill.kept]
    assert len(restored) == TOUCHED
    assert len({each.outcome for each in restored}) > 1
    for each in restored:
        before = original[each.instrument].inputs
        assert each.inputs is not None
        assert before is not None
        assert (each.inputs.candles, each.inputs.late, each.outcome is Outcome.SIGNAL) == (before.candles, True, False)
    assert all(replay(each, place).identical for each in restored[:5])


def test_refused_bytes_are_kept_aside(drill: Drill) -> None:
    damage(drill)
    drill.run()
    aside = {InstrumentId(key.split("#")[1]): each for key, each in stored_items(BAR, "ASIDE#").items()}
    assert {coin: bytes(each.data or b"") for coin, each in aside.items()} == drill.damaged
    assert all(each.expires_at == BAR + timedelta(days=30) for each in aside.values())


def test_alert_names_what_was_put_right(drill: Drill) -> None:
    damage(drill)
    (alert,) = drill.run().alerts()
    assert alert.title == f"{TOUCHED} decisions were missing"
    assert f"({DELETED} missing, {AGED + SWAPPED} stale, {CUT} unreadable)" in alert.text
    assert dict(alert.fields)["coverage"] == "44.2 % -> 100.0 %"


def test_other_version_keeps_decisions_and_counts_them(drill: Drill) -> None:
    before = drill.world.decisions.traces(BAR)
    report = drill.run(code_version="next")
    assert report.coverage.other_version == 52
    assert drill.world.decisions.traces(BAR) == before


def test_old_format_of_all_coins_is_replaced(drill: Drill) -> None:
    for coin in COINS:
        item(coin, BAR).update([DecisionItem.data.remove(), DecisionItem.body.set('{"an":"older format"}')])
    report = drill.run()
    assert {hole.fault for hole in report.coverage.holes} == {Fault.UNREADABLE}
    assert (report.coverage.before_pct, report.coverage.after_pct) == (0.0, 100.0)
    assert {each.body for each in stored_items(BAR, "ASIDE#").values()} == {'{"an":"older format"}'}


def test_coin_that_cannot_be_restored_fails_the_run(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that takes nothing: the run says so, and the metric of the alarm is below 100."""
    damage(drill)
    monkeypatch.setattr(type(drill.world.decisions), "_add_alone", lambda store, decision: 0)
    report = drill.run()
    left = DELETED + AGED
    assert report.proof()["failures"] == [f"{left} of 52 traces are still missing after maintenance"]
    assert report.coverage.after_pct < 100
