"""The life of an entry, branch by branch."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from tests.fakes.records import NOW, RULES, filled, levels, planned, quote, rules_with, seconds, waiting, with_state
from trading.execution.entries import (
    EntrySight,
    counts_as_refused,
    next_entry_step,
    premise_broken,
    stop_was_dropped,
    watched,
)
from trading.model.control import KillLevel
from trading.model.instruments import Side
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position
from trading.model.steps import EntryStep, EntryStepKind
from trading.model.units import Price, Quantity

K = EntryStepKind
S = IntentState


def step(position: Position, now: datetime = NOW, **changes: Any) -> EntryStep:
    sight = EntrySight(**({"last_close": 99.0, "level": KillLevel.NORMAL} | changes))
    return next_entry_step(position, sight, RULES, now)


def stop_in(state: IntentState) -> Position:
    return with_state(planned(), Purpose.STOP, state)


def entry_in(state: IntentState) -> Position:
    return with_state(waiting(), Purpose.ENTRY, state)


def test_stop_goes_out_before_the_entry() -> None:
    assert step(planned()).kind is K.SEND_STOP


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (S.LIVE, K.SEND_ENTRY),
        (S.SENDING, K.WAIT),
        (S.UNKNOWN, K.SEND_STOP),
        (S.CANCEL_PENDING, K.WAIT),
        (S.REJECTED, K.ABANDON),
        (S.NOT_PLACED, K.ABANDON),
        (S.CANCELLED, K.ABANDON),
        (S.FILLED, K.ABANDON),
        (S.ABANDONED, K.ABANDON),
    ],
)
def test_entry_waits_for_a_working_stop(state: IntentState, kind: EntryStepKind) -> None:
    assert step(stop_in(state)).kind is kind


def test_entry_without_planned_stop_is_abandoned() -> None:
    position = planned()
    entry = position.intent(Purpose.ENTRY)
    assert entry is not None
    assert step(replace(position, intents=(entry,))).kind is K.ABANDON


@pytest.mark.parametrize("level", [level for level in KillLevel if level >= KillLevel.NO_ENTRIES])
@pytest.mark.parametrize("stop", [S.PLANNED, S.LIVE])
def test_nothing_new_is_sent_from_k1(level: KillLevel, stop: IntentState) -> None:
    found = step(stop_in(stop), level=level)
    assert found.kind is K.ABANDON
    assert f"K{level.value}" in found.why


@pytest.mark.parametrize("level", list(KillLevel))
def test_resting_entry_is_cancelled_from_k2(level: KillLevel) -> None:
    expected = K.CANCEL_ENTRY if level >= KillLevel.CANCEL_ENTRIES else K.WAIT
    assert step(waiting(), level=level).kind is expected


@pytest.mark.parametrize(("position", "kind"), [(planned(), K.ABANDON), (waiting(), K.CANCEL_ENTRY)])
def test_expired_entry_is_given_up(position: Position, kind: EntryStepKind) -> None:
    assert step(position, now=position.entry_expires_at) == EntryStep(kind=kind, why="entry expired")
    assert step(position, now=position.entry_expires_at - seconds(1)).why != "entry expired"


@pytest.mark.parametrize(("position", "kind"), [(planned(), K.ABANDON), (waiting(), K.CANCEL_ENTRY)])
def test_broken_premise_gives_the_entry_up(position: Position, kind: EntryStepKind) -> None:
    assert step(position, last_close=98.4).kind is kind
    assert step(position, last_close=98.5).kind is not kind
    assert step(position, last_close=None).kind is not kind


def test_premise_of_a_short_breaks_upwards() -> None:
    short = planned(side=Side.SHORT, levels=levels(Side.SHORT))
    assert premise_broken(short, 101.6)
    assert not premise_broken(short, 101.5)


def test_partly_filled_rest_is_not_chased() -> None:
    assert step(entry_in(S.PARTIAL)).kind is K.CANCEL_ENTRY


def test_unconfirmed_cancel_is_asked_again() -> None:
    assert step(entry_in(S.CANCEL_PENDING)).kind is K.CANCEL_ENTRY


@pytest.mark.parametrize("state", [S.SENDING, S.UNKNOWN])
@pytest.mark.parametrize("level", [KillLevel.NORMAL, KillLevel.FLATTEN])
def test_entry_in_doubt_is_left_to_reconcile(state: IntentState, level: KillLevel) -> None:
    assert step(entry_in(state), level=level).kind is K.WAIT


@pytest.mark.parametrize("state", [S.CANCELLED, S.REJECTED, S.NOT_PLACED, S.ABANDONED])
def test_entry_that_ended_empty_is_finished(state: IntentState) -> None:
    assert step(entry_in(state)).kind is K.FINISH


def test_entry_that_filled_is_never_finished() -> None:
    assert step(filled()).kind is K.WAIT
    seen_by_venue_only = replace(entry_in(S.CANCELLED), quantity=Quantity(1))
    assert step(seen_by_venue_only).kind is K.WAIT


@pytest.mark.parametrize("state", [S.CANCELLED, S.REJECTED, S.FILLED, S.NOT_PLACED])
def test_entry_whose_stop_is_gone_is_cancelled(state: IntentState) -> None:
    found = step(with_state(waiting(), Purpose.STOP, state))
    assert (found.kind, found.why) == (K.CANCEL_ENTRY, "its stop is gone")


def test_position_without_entry_has_no_step() -> None:
    assert step(replace(filled(), intents=())).kind is K.WAIT


def test_stale_plan_is_given_up() -> None:
    late = NOW + seconds(RULES.execution.plan_maximum_age_s + 1)
    assert step(planned(), now=late) == EntryStep(kind=K.ABANDON, why="the plan is stale")


@pytest.mark.parametrize(
    ("reason", "counts"),
    [
        ("insufficientAvailableFunds", True),
        ("not sent: it may open a position and this client has no caps for entries", True),
        ("postWouldExecute", False),
        ("iocWouldNotExecute", False),
        ("apiLimitExceeded", False),
        ("not sent: call budget of 400 is used", False),
    ],
)
def test_only_refusals_of_the_entry_itself_count(reason: str, counts: bool) -> None:
    entry = with_state(waiting(), Purpose.ENTRY, S.REJECTED, reason=reason).intent(Purpose.ENTRY)
    assert entry is not None
    assert counts_as_refused(entry) is counts
    assert not counts_as_refused(replace(entry, state=S.UNKNOWN))


def test_stop_in_doubt_is_sent_again_only_once() -> None:
    again = with_state(planned(), Purpose.STOP, S.UNKNOWN, resent_at=NOW)
    assert step(stop_in(S.UNKNOWN)).kind is K.SEND_STOP
    assert step(again).kind is K.WAIT


@pytest.mark.parametrize(("version", "kind"), [(7, K.SEND_STOP), (8, K.ABANDON), (None, K.SEND_STOP)])
def test_plan_from_before_a_resume_is_given_up(version: int | None, kind: EntryStepKind) -> None:
    found = step(planned(control_version=7), control_version=version)
    assert found.kind is kind
    assert ("switch was changed" in found.why) is (kind is K.ABANDON)


def test_resting_entry_outlives_a_resume() -> None:
    assert step(waiting(control_version=7), control_version=8).kind is K.WAIT


def watching(side: Side = Side.LONG) -> Position:
    """Planned, and the venue refused its stop because there was no position."""
    return with_state(planned(side=side), Purpose.STOP, S.REJECTED, reason="wouldNotReducePosition")


@pytest.mark.parametrize("state", [S.REJECTED, S.ABANDONED])
def test_plan_whose_stop_found_nothing_is_watched(state: IntentState) -> None:
    position = with_state(planned(), Purpose.STOP, state, reason="wouldNotReducePosition: told before")
    assert watched(position)
    assert step(position).kind is K.WAIT
    assert not watched(with_state(position, Purpose.ENTRY, S.LIVE))
    assert not watched(with_state(planned(), Purpose.STOP, state, reason="invalidPrice"))
    assert not watched(planned())


@pytest.mark.parametrize(
    ("side", "mark", "kind"),
    [
        ("long", "100.1", K.WAIT),
        ("long", "100", K.WAIT),
        ("long", "99.9", K.TAKE_ENTRY),
        ("long", "98", K.ABANDON),
        ("short", "99.9", K.WAIT),
        ("short", "100.1", K.TAKE_ENTRY),
        ("short", "102", K.ABANDON),
    ],
)
def test_watched_entry_goes_out_at_its_level(side: str, mark: str, kind: EntryStepKind) -> None:
    position = watching(Side(side))
    position = replace(position, levels=levels(Side(side)), spot_invalidation=levels(Side(side)).stop)
    assert step(position, quote=quote(mark=mark), last_close=None).kind is kind


def test_watched_entry_wants_a_book_within_its_limit() -> None:
    assert step(watching(), quote=quote(mark="99.9", ask=None)).kind is K.WAIT
    assert step(watching(), quote=quote(mark="99.9", ask=Price("100.1"))).kind is K.WAIT
    assert step(watching(), quote=quote(mark="99.9", ask=Price(100))).kind is K.TAKE_ENTRY


def test_old_quote_takes_no_watched_entry() -> None:
    limit = RULES.risk.quote_maximum_age_s
    given = quote(mark="99.9")
    assert step(watching(), quote=given, now=NOW + seconds(limit)).kind is K.TAKE_ENTRY
    assert step(watching(), quote=given, now=NOW + seconds(limit + 1)).kind is K.WAIT


@pytest.mark.parametrize(("index", "kind"), [("100.6", K.TAKE_ENTRY), ("100.7", K.WAIT), (None, K.WAIT)])
def test_torn_basis_takes_no_watched_entry(index: str | None, kind: EntryStepKind) -> None:
    """At most 0.75 % between mark and index, as the gate had it when it was planned."""
    given = quote(mark="99.9", index=Price(index) if index else None)
    assert step(watching(), quote=given).kind is kind
    unguarded = rules_with('{"risk": {"basis_guard": false}}')
    sight = EntrySight(level=KillLevel.NORMAL, last_close=99.0, quote=given)
    assert next_entry_step(watching(), sight, unguarded, NOW).kind is K.TAKE_ENTRY


def test_stop_taken_and_gone_again_was_dropped() -> None:
    dropped = with_state(planned(), Purpose.STOP, S.CANCELLED)
    assert stop_was_dropped(dropped)
    assert not stop_was_dropped(with_state(dropped, Purpose.STOP, S.CANCELLED, filled=Quantity(1)))
    assert not stop_was_dropped(with_state(dropped, Purpose.ENTRY, S.LIVE, sent_at=NOW))
    assert not any(stop_was_dropped(each) for each in (planned(), watching(), replace(dropped, intents=())))


def test_watched_plan_grows_old_but_not_for_ever() -> None:
    late = NOW + seconds(RULES.execution.plan_maximum_age_s + 1)
    assert step(watching(), now=late).kind is K.WAIT
    assert step(watching(), now=watching().entry_expires_at) == EntryStep(kind=K.ABANDON, why="entry expired")
    assert step(watching(), last_close=98.4).kind is K.ABANDON
    assert step(watching(), level=KillLevel.NO_ENTRIES).kind is K.ABANDON
    assert step(watching(), control_version=9).kind is K.ABANDON


@pytest.mark.parametrize("word", ["postWouldExecute", "iocWouldNotExecute"])
def test_passed_level_ends_in_a_clear_sentence(word: str) -> None:
    found = step(with_state(waiting(), Purpose.ENTRY, S.REJECTED, reason=word))
    assert found.kind is K.FINISH
    assert found.why == f"the price had left the entry level 100 ({word}); it is not chased"


def test_other_endings_say_what_became_of_it() -> None:
    assert step(with_state(waiting(), Purpose.ENTRY, S.REJECTED, reason="selfFill")).why == "entry REJECTED (selfFill)"
    assert step(entry_in(S.CANCELLED)).why == "entry CANCELLED"
