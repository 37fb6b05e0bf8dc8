"""Records survive their text exactly; text that is not theirs is refused as corrupt, whatever it is."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.storage.codec import from_json, to_json
from tests.fakes.records import BAR, NOW, coin, control, filled, planned, risk_day, signal, trade, waiting
from trading.errors import CorruptRecord
from trading.model.control import Control, KillLevel, LossStreak, RiskDay
from trading.model.decisions import Bias, Decision, GateResult, Outcome, ScorePart
from trading.model.instruments import MarginLevel, Universe
from trading.model.positions import Position, PositionState, RecordedFill, Trade
from trading.model.signals import Regime, Signal
from trading.model.units import Money, Price, Quantity

DECIDED = Decision(
    instrument=coin().id,
    decision_bar=BAR,
    outcome=Outcome.SIGNAL,
    sentence="BTC: a signal.",
    code_version="test",
    rules_fingerprint="f",
    inputs_fingerprint="i",
    daily_bias=Bias.UP,
    indicators=(("adx", 27.25), ("atr", 1e-9)),
    gates=(GateResult(name="adx", passed=True, value=27.25, limit=25.0), GateResult(name="trend", passed=True)),
    score_parts=(ScorePart(name="ote", points=20, maximum=20),),
    score=80,
    levels=signal().levels,
    signal=signal(),
)
RECORDS: list[Any] = [
    planned(),
    waiting(),
    filled(state=PositionState.UNPROTECTED, unprotected_since=NOW),
    signal(),
    DECIDED,
    Universe(instruments=(coin("A"), coin("B")), left_out=(("C", "no volume"),)),
    control(KillLevel.CANCEL_ENTRIES, version=3),
    risk_day(streaks=(LossStreak(regime=Regime.WIDE_STRUCTURE, losses=2, paused_until=NOW),)),
    trade(),
]
moments = st.integers(0, 2 * 10**12).map(lambda each: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=each))
numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**12)


@pytest.mark.parametrize("record", RECORDS, ids=lambda each: type(each).__name__)
def test_record_comes_back_exactly_as_written(record: Any) -> None:
    text = to_json(record)
    assert from_json(type(record), text) == record
    assert to_json(from_json(type(record), text)) == text


@settings(max_examples=100, deadline=None)
@given(numbers, numbers, moments, st.text(max_size=20), st.booleans())
def test_any_position_survives_its_text(size: Decimal, money: Decimal, at: datetime, text: str, opens: bool) -> None:
    fill = RecordedFill(
        id=text, client_order_id=None, opens=opens, quantity=Quantity(size), price=Price(money + 1), at=at
    )
    position = filled(quantity=Quantity(size), fills=(fill,), close_reason=text, opened_at=at, risk=Money(-money))
    again = from_json(Position, to_json(position))
    assert again == position
    assert type(again.fills[0].price) is Price
    assert type(again.risk) is Money


@given(st.dates(), st.decimals(allow_nan=False, allow_infinity=False), st.booleans(), st.integers(0, 10**9))
def test_any_risk_day_survives_its_text(day: date, equity: Decimal, halted: bool, version: int) -> None:
    record = risk_day(day=day, last_equity=Money(equity), halted_on=day if halted else None, version=version)
    assert from_json(RiskDay, to_json(record)) == record


def test_same_value_always_gives_the_same_text() -> None:
    assert to_json({"b": 1, "a": Decimal("1.50")}) == '{"a":"1.50","b":1}'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(json_values, st.sampled_from([Position, Signal, Control, RiskDay, Trade, MarginLevel, Decision]))
def test_foreign_json_is_corrupt_never_a_crash(value: Any, kind: type) -> None:
    with pytest.raises(CorruptRecord, match=kind.__name__):
        from_json(kind, json.dumps(value))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_one_damaged_field_is_corrupt_or_still_valid(data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(RECORDS))
    document = json.loads(to_json(record))
    name = data.draw(st.sampled_from(sorted(document)))
    damaged = document | {name: data.draw(json_values)}
    with suppress(CorruptRecord):
        assert isinstance(from_json(type(record), json.dumps(damaged)), type(record))


@pytest.mark.parametrize("text", ["", "{", "null", "[]", '""', "\x00", "3", '{"level": 9}'])
def test_broken_text_is_corrupt(text: str) -> None:
    with pytest.raises(CorruptRecord):
        from_json(Control, text)


@pytest.mark.parametrize("number", ['"abc"', '""', "[]", "{}", "null"])
def test_plain_number_that_is_none_is_corrupt(number: str) -> None:
    with pytest.raises(CorruptRecord):
        from_json(MarginLevel, f'{{"from_notional": {number}, "initial": "1", "maintenance": "1"}}')


def test_unknown_and_missing_fields_are_corrupt() -> None:
    document = json.loads(to_json(control()))
    with pytest.raises(CorruptRecord, match="surprise"):
        from_json(Control, json.dumps(document | {"surprise": 1}))
    document.pop("level")
    with pytest.raises(CorruptRecord, match="level"):
        from_json(Control, json.dumps(document))


def test_local_time_is_never_written() -> None:
    naive = replace(control(), changed_at=(NOW + timedelta(hours=1)).replace(tzinfo=None))
    with pytest.raises(Exception, match="UTC"):
        to_json(naive)
