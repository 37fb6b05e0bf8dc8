"""Every failure that was ever kept holds now: the same faults, the same signals, no violation of anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.kept_cases import KEPT, from_json, replay

PATHS = sorted(KEPT.glob("*.json"))


@pytest.mark.parametrize("path", PATHS, ids=[each.stem for each in PATHS])
def test_kept_case_violates_nothing_any_more(path: Path) -> None:
    found = replay(from_json(path.read_text())).violations
    assert not found, "\n".join(f"{each.name} at {each.at_ms} ms: {each.text}" for each in found)


def test_kept_names_say_which_day_it_was() -> None:
    for path in PATHS:
        case = from_json(path.read_text())
        assert path.stem == f"{case.invariant}-{case.options.profile}-{case.options.seed}"
        assert case.faults is not None
