"""Calibration finds a score that means something, and says so when it means nothing."""

from __future__ import annotations

import random
from typing import Any

import pandas  # type: ignore[import-untyped]
import pytest

from infra.research import funnel_calibration as calibration
from infra.research.funnel_tables import candidate_frame
from tests.unit.research.funnel_candles import HOUR, START, funnel, row


def candidates(count: int, *, meaning: float, seed: int = 3, **changes: object) -> pandas.DataFrame:
    """Candidates every three hours with scores of 30 to 79; `meaning` R more for each point of score."""
    generator = random.Random(seed)
    rows = []
    for number in range(count):
        score = generator.randrange(30, 80)
        gross = (score - 55) * meaning + generator.gauss(0.0, 1.0)
        rows.append(row(at=START + number * 3 * HOUR, score=score, gross=gross, structure=f"s{number // 2}", **changes))
    return candidate_frame([funnel(*rows)])


def records(table: pandas.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_dict("records")
    return rows


def test_meaningful_score_rises_over_its_deciles() -> None:
    table = calibration.by_decile(candidates(1_000, meaning=0.1))
    deciles = [each for each in records(table) if each["year"] == "all" and each["decile"] != "all"]
    means = [each["net R"] for each in deciles]
    assert (len(deciles), means) == (10, sorted(means))
    assert sum(each["count"] for each in deciles) == 1_000
    agreement = records(calibration.rank_agreement(candidates(1_000, meaning=0.1)))[-1]
    assert agreement["rank correlation"] > agreement["low"] > 0.5


def test_meaningless_score_has_zero_inside_its_interval() -> None:
    found = records(calibration.rank_agreement(candidates(1_000, meaning=0.0)))[-1]
    assert found["low"] < 0 < found["high"]
    assert abs(found["rank correlation"]) < 0.1


def test_rank_correlation_is_that_of_pandas() -> None:
    frame = candidates(300, meaning=0.03)
    found = records(calibration.rank_agreement(frame))[-1]["rank correlation"]
    assert found == pytest.approx(frame["score"].rank().corr(frame["net"].rank()), abs=0.004)


def test_equal_scores_stay_in_one_decile() -> None:
    frame = candidates(400, meaning=0.0)
    frame["score"] = [40] * 300 + [50] * 100
    found = [
        (each["decile"], each["score"]) for each in records(calibration.by_decile(frame)) if each["year"] == "2024"
    ]
    assert found == [("all", "40-50"), ("4", "40-40"), ("9", "50-50")]


def test_few_candidates_are_not_cut() -> None:
    frame = candidates(calibration.CUT_FROM - 1, meaning=0.0)
    assert [each["decile"] for each in records(calibration.by_decile(frame))] == ["all", "all"]
    assert pandas.isna(records(calibration.rank_agreement(frame))[-1]["rank correlation"])


def test_interval_holds_the_mean_and_repeats() -> None:
    frame = candidates(500, meaning=0.0)
    low, high = calibration.interval(frame, "net")
    assert low < frame["net"].mean() < high
    assert calibration.interval(frame, "net") == (low, high)
    assert pandas.isna(calibration.interval(candidates(20, meaning=0.0), "net")[0])


def test_weeks_of_one_mind_widen_the_interval() -> None:
    frame = candidates(1_000, meaning=0.0)
    together = frame.assign(net=(frame["at"] // calibration.WEEK) % 2 * 2.0 - 1.0)
    alone = frame.assign(net=[number % 2 * 2.0 - 1.0 for number in range(len(frame))])
    widths = [high - low for low, high in (calibration.interval(each, "net") for each in (together, alone))]
    assert widths[0] > 5 * widths[1]


def test_only_resting_fills_with_an_end_have_a_mean() -> None:
    rows = [row(gross=2.0), row(fate="crossed", gross=-9.0), row(fate="expired", ending=""), row(ending="unknown")]
    found = calibration.summary(candidate_frame([funnel(*rows)]))
    assert (found["count"], found["fills"], found["fill %"]) == (4, 1, 25.0)
    assert (found["gross R"], found["net R"], found["win %"]) == (2.0, 1.9, 100.0)


def test_win_is_a_gain_after_cost() -> None:
    frame = candidate_frame([funnel(row(gross=0.05), row(gross=0.2))])
    assert calibration.summary(frame)["win %"] == 50.0


def test_populations_part_signals_and_count_structures_once() -> None:
    signal = {"outcome": "SIGNAL", "score": 80}
    rows = [row(failed_gates="adx"), row(), row(**signal), row(**signal), row(structure="two"), row(fate="")]
    sizes = {name: len(each) for name, each in calibration.populations(candidate_frame([funnel(*rows)])).items()}
    assert list(sizes.values()) == [5, 2, 4, 2, 2, 1]


def test_groups_show_both_ways_of_leaving() -> None:
    found = records(calibration.by_group(candidate_frame([funnel(row()), funnel(row(gross=1.0), year=2022)])))
    every = [each for each in found if each["group"] == "every candidate"]
    assert [(each["year"], each["net R"]) for each in every] == [("2022", 0.9), ("2024", -1.1), ("all", -0.1)]
    assert {each["net R, every rule"] for each in every} == {-0.9}
    assert not [each for each in found if each["group"] == "signals" and each["count"]]


def test_setups_show_their_stop_and_cost() -> None:
    rows = [row(), row(stop_bps=300.0), row(stop_bps=400.0, gross=0.5), row(setup="trend")]
    found = records(calibration.by_setup(candidate_frame([funnel(*rows)])))
    first = found[0]
    assert (first["setup"], first["count"], first["median stop bps"], first["median cost R"]) == (
        "order_block",
        3,
        300.0,
        0.033,
    )
    assert first["gross R"] == -0.5
    assert [each["setup"] for each in found if each["group"] == "every candidate"] == ["order_block", "trend"]


def test_crossed_entries_are_told_apart() -> None:
    frame = candidate_frame([funnel(row(fate="crossed", gross=1.0), row(gross=-1.0))])
    assert records(calibration.crossed(frame))[0]["gross R"] == 1.0
    endings = records(calibration.endings(frame))
    assert [(each["exits"], each["ending"], each["fills"]) for each in endings] == [
        ("targets", "stop", 1),
        ("managed", "premise", 1),
    ]
