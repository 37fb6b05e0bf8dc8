"""The shrinker comes down to the few faults that matter, and what it keeps fails again where the defect is."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.defects import DEFECTS
from tests.simulation.kept_cases import Case, case_of, from_json, keep, replay, told
from tests.simulation.options import MINUTE_MS
from tests.simulation.shrinking import Shrinker, shrink_and_keep

AGAIN = next(each for each in DEFECTS if each.name == "unknown entry is sent again under a new id")
"""Needs one fault: a send whose answer never comes."""

MORNING_MS = 6 * 60 * MINUTE_MS
ENOUGH_S = 300.0


@pytest.fixture
def _nothing_left_of_others() -> Iterator[None]:
    """Each replay collects garbage; without this it would go through what a thousand tests before left each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def failing_case(invariant: str) -> Case:
    """The first day of the campaign's kind on which the planted defect shows before six o'clock."""
    for seed in range(12):
        case = replace(case_of(seed, "targeted", invariant), until_ms=MORNING_MS)
        if replay(case).violation_of(invariant):
            return case
    raise AssertionError("the planted defect shows on none of twelve days")


@pytest.mark.usefixtures("_nothing_left_of_others")
def test_planted_defect_shrinks_to_three_faults(tmp_path: Path) -> None:
    with AGAIN.plant():
        case = failing_case("S8")
        before = replay(case)
        path = shrink_and_keep(case, budget_s=ENOUGH_S, folder=tmp_path)
        kept = from_json(path.read_text())
        again = replay(kept)
    assert len(before.faults) > 10
    assert len(again.faults) <= 3
    assert kept.signals is not None
    assert len(kept.signals) <= 2
    assert kept.until_ms < min(MORNING_MS, kept.quiet_from_ms)
    assert again.violation_of("S8")
    assert not replay(kept).violations, "without the defect the kept case holds"


def test_kept_file_says_what_happened(tmp_path: Path) -> None:
    case = replace(case_of(5, "targeted", "S8"), faults=("owner 0",), signals=(1, 2), until_ms=3 * MINUTE_MS)
    path = keep(case, tmp_path)
    body = json.loads(path.read_text())
    assert path.name == "S8-targeted-5.json"
    assert (body["seed"], body["profile"], body["signals"]) == (5, "targeted", [1, 2])
    assert replace(from_json(path.read_text()), faults=case.faults) == case
    assert told(case, replay(case)).startswith("def test_s8_holds_on_targeted_day_5() -> None:")


def test_day_without_the_violation_is_refused() -> None:
    case = replace(case_of(0, "calm", "S8"), until_ms=10 * MINUTE_MS)
    with pytest.raises(ValueError, match="seed 0 calm does not violate S8"):
        Shrinker(budget_s=5).shrink(case)


def test_search_ends_when_its_budget_is_spent() -> None:
    shrinker = Shrinker(budget_s=0)
    assert shrinker._minimal([1, 2, 3], lambda _: pytest.fail("nothing may be tried any more")) == [1, 2, 3]


def test_option_that_no_longer_exists_is_named(tmp_path: Path) -> None:
    body = json.loads(keep(replace(case_of(1, "calm", "S1"), until_ms=MINUTE_MS), tmp_path).read_text())
    body["options"]["moon_phase"] = 3
    with pytest.raises(ValueError, match="moon_phase"):
        from_json(json.dumps(body))
