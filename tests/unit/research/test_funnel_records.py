"""A coin's file is read back as it was, and not at all when it is of something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.research.funnel_records import PARTS, CandidateRow, as_records, file_of, load, save
from tests.unit.research.funnel_candles import funnel, row
from tests.unit.strategy.readings import case
from trading.rules import load_rules
from trading.strategy.scoring import score_case

MADE = {"rules": "one"}


def test_stored_funnel_reads_back_as_it_was(tmp_path: Path) -> None:
    whole = funnel(row(), row(at=1_704_070_800, failed_gates="adx|fibonacci"), made_with=MADE)
    save(whole, tmp_path)
    assert load(tmp_path, "BTC", 2024, MADE) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["BTC-2024.json"]


def test_funnel_of_other_rules_is_not_taken(tmp_path: Path) -> None:
    save(funnel(row(), made_with=MADE), tmp_path)
    assert load(tmp_path, "BTC", 2024, {"rules": "two"}) is None
    assert load(tmp_path, "BTC", 2022, MADE) is None


@pytest.mark.parametrize("change", ["cut", "format", "columns", "field"])
def test_damaged_file_counts_as_not_done(tmp_path: Path, change: str) -> None:
    path = save(funnel(row(), made_with=MADE), tmp_path)
    body = json.loads(path.read_text())
    changes: dict[str, dict[str, object]] = {"format": {"format": 0}, "columns": {"columns": []}, "field": {"more": 1}}
    text = json.dumps({**body, **changes.get(change, {})})
    path.write_text(text[: len(text) // 2] if change == "cut" else text)
    assert load(tmp_path, "BTC", 2024, MADE) is None


def test_same_funnel_gives_the_same_bytes(tmp_path: Path) -> None:
    whole = funnel(row(), outcomes={"B": 1, "A": 2})
    first = save(whole, tmp_path / "one").read_bytes()
    assert save(funnel(row(), outcomes={"A": 2, "B": 1}), tmp_path / "two").read_bytes() == first
    assert file_of(tmp_path / "one", "BTC", 2024).exists()


def test_records_name_every_part_of_the_score() -> None:
    record = as_records([funnel(row(parts=(1, 2, 3, 4, 5, 6, 7)))])[0]
    assert [record[f"part_{name}"] for name in PARTS] == [1, 2, 3, 4, 5, 6, 7]
    assert (record["coin"], record["year"]) == ("BTC", 2024)
    assert tuple(part.name for part in score_case(case(), load_rules())) == PARTS
    assert set(CandidateRow.__slots__) - {"parts"} <= set(record)
