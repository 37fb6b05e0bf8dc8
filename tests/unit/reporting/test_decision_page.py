"""The picture and the page of a decision: levels in their order, every gate with its limit, nothing to load."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from xml.etree import ElementTree

import pytest

from tests.unit.strategy.markets import hours, snapshot
from trading.model.candles import CandleSeries
from trading.model.decisions import Decision, GateResult
from trading.model.instruments import Side
from trading.reporting.charts import CandleChart, candle_chart
from trading.reporting.decision_page import decision_chart, render_decision, render_structure, structure_chart, svg_file
from trading.reporting.structure import Structure
from trading.reporting.words import GATES, gate_rows, input_rows, level_rows, score_rows
from trading.rules import load_rules
from trading.strategy.decide import decide
from trading.strategy.gates import AFTER_SCORE, BEFORE_SCORE

NOTHING = Structure(zones=(), breaks=(), swings=())


@cache
def decided(seed: int = 33, skipped: int = 60, direction: int = 1) -> tuple[Decision, CandleSeries]:
    seen = snapshot(hours(seed, skipped, direction=direction), daily=direction, structure=direction)
    return decide(seen, load_rules()), seen.h1.last(168)


def picture(direction: int = 1) -> CandleChart:
    decision, bars = decided(33, 60, 1) if direction > 0 else decided(37, 216, -1)
    return decision_chart(decision, bars, NOTHING)


@pytest.mark.parametrize(("direction", "order"), [(1, ("target 2", "target 1", "entry", "stop")), (-1, None)])
def test_levels_stand_in_the_order_of_prices(direction: int, order: tuple[str, ...] | None) -> None:
    names = ("target 2", "target 1", "entry", "stop")
    tags = re.findall(rf'y="([\d.]+)" fill="#fff">({"|".join(names)}) ', candle_chart(picture(direction)))
    shown = tuple(name for _, name in sorted(tags, key=lambda tag: float(tag[0])))
    assert shown == (order or names[::-1])


def test_reward_and_risk_lie_beside_the_entry() -> None:
    levels = decided()[0].levels
    assert levels is not None
    reward, risk = picture().zones
    assert (reward.side, reward.bottom, reward.top) == (Side.LONG, float(levels.entry), float(levels.target_2))
    assert (risk.side, risk.top, risk.bottom) == (Side.SHORT, float(levels.entry), float(levels.stop))
    assert reward.since == risk.since == decided()[0].decision_bar


def test_decision_without_levels_has_no_empty_room() -> None:
    decision = replace(decided()[0], levels=None)
    assert decision_chart(decision, decided()[1], NOTHING).room == 0
    assert picture().room > 0


def test_page_shows_every_gate_with_its_limit() -> None:
    decision, _ = decided()
    page = render_decision(decision, picture(), ["a remark"])
    for name, _, value, limit, verdict in gate_rows(decision):
        assert f"<td>{name}</td>" in page
        assert f"<td>{value}</td><td>{limit}</td>" in page
        assert verdict == "passed"
    assert decision.sentence.replace(">", "&gt;") in page
    assert "a remark" in page


@pytest.mark.parametrize(
    "text", [render_decision(decided()[0], picture()), render_structure(picture()), svg_file(picture())]
)
def test_nothing_has_to_be_loaded(text: str) -> None:
    bare = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|<script|<link|@import|url\(|src=|href=", bare)


def test_picture_file_is_svg_for_light_and_dark() -> None:
    text = svg_file(picture())
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "prefers-color-scheme:dark" in text
    assert text.count("xmlns") == 1


def test_title_and_sentence_are_in_the_picture() -> None:
    decision, bars = decided()
    svg = candle_chart(picture())
    assert "bar closed 2024-06-03 12:00 UTC: SIGNAL" in svg
    words = "".join(ElementTree.fromstring(svg).itertext())
    assert all(word in words for word in decision.sentence.split())
    assert "Only this" in candle_chart(structure_chart("file", "Only this", bars, NOTHING))


def test_every_gate_of_the_strategy_has_words() -> None:
    asked = {gate.__name__.removesuffix("_gate") for gate in (*BEFORE_SCORE, *AFTER_SCORE)}
    assert asked == set(GATES)


def test_limit_says_which_way_it_binds() -> None:
    gates = (GateResult(name="adx", passed=False, value=17.3, limit=25.0), GateResult(name="levels", passed=True))
    rows = gate_rows(replace(decided()[0], gates=gates))
    assert [row[2:] for row in rows] == [("17.3", "at least 25", "FAILED"), ("-", "-", "passed")]


def test_rows_say_sum_multiples_and_inputs() -> None:
    decision, _ = decided()
    assert decision.levels is not None
    assert score_rows(decision)[-1] == ("sum", str(decision.score), f"{decision.threshold} needed")
    away = {name: text for name, _, text in level_rows(decision.levels)}
    assert (away["stop"][-7:], away["entry"], away["target 2"][-7:]) == ("-1.00 R", "", "+2.50 R")
    assert ("quote", "spread 4 bps") in input_rows(decision)
    assert input_rows(replace(decision, inputs=None)) == []
