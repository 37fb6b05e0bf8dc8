"""The tables of a funnel count every decision once, by year and together."""

from __future__ import annotations

from typing import Any

import pandas  # type: ignore[import-untyped]

from infra.research import funnel_tables as tables
from tests.unit.research.funnel_candles import HOUR, START, funnel, row
from trading.strategy.gates import BEFORE_SCORE

SIGNAL = {"outcome": "SIGNAL", "score": 80}
FUNNELS = [
    funnel(
        row(failed_gates="bias|fibonacci", failed_gate="bias", outcome="GATE_FAILED", fate="", stop_bps=0.0),
        row(at=START + HOUR),
        row(at=START + 2 * HOUR, **SIGNAL),
        row(at=START + 3 * HOUR, structure="two", setup="trend", **SIGNAL),
        year=2022,
        gates={"bias": (4, 1), "fibonacci": (3, 1)},
    ),
    funnel(row(**SIGNAL), row(at=START + HOUR, **SIGNAL), coin="ETH", gates={"bias": (2, 0)}),
]
FRAME = tables.candidate_frame(FUNNELS)


def records(table: pandas.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_dict("records")
    return rows


def test_every_decision_is_in_one_outcome() -> None:
    table = tables.outcomes(FUNNELS)
    counted = {each["outcome"]: (each["2022"], each["2024"], each["all"]) for each in records(table)}
    assert counted == {
        "NO_SETUP, consolidation": (2, 2, 4),
        "NO_SETUP, directional": (1, 1, 2),
        "GATE_FAILED": (1, 0, 1),
        "BELOW_THRESHOLD": (1, 0, 1),
        "SIGNAL": (2, 2, 4),
    }
    assert sum(each["all"] for each in records(table)) == sum(each.decisions for each in FUNNELS)
    assert abs(table["all %"].sum() - 100) < 0.1


def test_coverage_counts_coins_and_daily_bias() -> None:
    last = records(tables.coverage(FUNNELS))[-1]
    assert (last["year"], last["coins"], last["decisions"], last["signals"]) == ("all", 2, 12, 4)
    assert last["with 200 days %"] == 16.67


def test_gates_tell_named_from_only_failed() -> None:
    by_gate = {each["gate"]: each for each in records(tables.failed_gates(FUNNELS, FRAME))}
    assert (by_gate["bias"]["asked"], by_gate["bias"]["failed"], by_gate["bias"]["named all"]) == (6, 1, 1)
    assert (by_gate["bias"]["named 2022"], by_gate["bias"]["named 2024"]) == (1, 0)
    assert (by_gate["fibonacci"]["failed"], by_gate["fibonacci"]["named all"]) == (1, 0)
    assert by_gate["bias"]["only this failed"] == 0


def test_gates_before_the_score_are_those_of_strategy() -> None:
    assert {gate.__name__.removesuffix("_gate") for gate in BEFORE_SCORE} == tables.BEFORE_SCORE


def test_setups_count_candidates_passed_and_signals() -> None:
    first = records(tables.setups(FRAME))[0]
    assert (first["year"], first["regime"], first["setup"]) == ("2022", "tight_smc", "order_block")
    assert (first["candidates"], first["passed"], first["signals"], first["structures"]) == (3, 2, 1, 1)


def test_parts_and_totals_count_every_candidate() -> None:
    parts = tables.score_parts(FRAME)
    assert set(parts.groupby("part")["candidates"].sum()) == {len(FRAME)}
    assert set(round(parts.groupby("part")["2022 %"].sum())) == {100.0}
    totals = records(tables.score_totals(FRAME))
    assert [(each["score"], each["candidates"], each["signals"]) for each in totals] == [
        ("40-44", 2, 0),
        ("80-84", 4, 4),
    ]
    assert (totals[1]["of 2022"], totals[1]["of 2024"]) == (2, 2)


def test_threshold_is_reached_at_its_own_number() -> None:
    frame = tables.candidate_frame([funnel(row(score=75), row(score=74), row(score=90, failed_gates="adx"))])
    found = records(tables.thresholds(frame))[0]
    assert (found["threshold"], found["candidates"], found["reached"], found["passed and reached"]) == (75, 3, 2, 1)
    assert (found["highest score"], found["best parts together"], found["reached 2024"]) == (90, 40, 2)


def test_repeated_structures_are_counted_by_idea() -> None:
    refused = [row(outcome="COOLDOWN"), row(outcome="DUPLICATE_STRUCTURE")]
    frame = tables.candidate_frame([*FUNNELS, funnel(*refused, coin="XRP", year=2022)])
    by_year = {each["year"]: each for each in records(tables.repetition(frame))}
    assert (by_year["2022"]["refused: cooldown"], by_year["2022"]["refused: reuse"]) == (1, 1)
    assert (by_year["all"]["signals"], by_year["all"]["structures of signals"]) == (4, 3)
    assert (by_year["2024"]["with several signals"], by_year["2024"]["most signals of one"]) == (1, 2)
    assert by_year["all"]["with several signals"] == 1
    assert by_year["all"]["repeated signals %"] == 25.0


def test_structure_counts_once_from_its_first_levels() -> None:
    assert list(FRAME["once"]) == [False, True, False, True, True, False]
    assert list(FRAME["passed"]) == [False, True, True, True, True, True]
    assert FRAME["net"].iloc[1] == -1.1


def test_fates_are_shares_of_candidates_with_levels() -> None:
    by_group = {(each["group"], each["year"]): each for each in records(tables.fates(FRAME))}
    counts = [by_group[name, "all"]["with levels"] for name in ("every candidate", "structure once", "signals")]
    assert counts == [5, 3, 4]
    every = by_group["every candidate", "2022"]
    assert (every["with levels"], every["filled %"], every["expired %"]) == (3, 100.0, 0.0)
