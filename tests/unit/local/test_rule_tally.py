"""Which rules were evaluated and which acted."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from infra.local.progress import Progress
from infra.local.rule_tally import RuleTally
from trading.model.risk import RefusalReason


def test_refused_limits_count_as_fired() -> None:
    tally = RuleTally()
    tally.add_response({"limits": {"basis:passed": 3, "basis:refused": 1, "positions:passed": 2}})

    assert tally.document() == ({"basis": 4, "positions": 2}, {"basis": 1, "positions": 0})


def test_exits_count_what_they_evaluated_and_fired() -> None:
    tally = RuleTally()
    tally.add_response({"evaluated": {"time_exit": 2, "premise": 2}, "fired": {"time_exit": 1}})
    tally.add_response({"evaluated": {"time_exit": 1}, "fired": {}})

    assert tally.document() == ({"premise": 2, "time_exit": 3}, {"premise": 0, "time_exit": 1})


def test_answers_without_rules_change_nothing() -> None:
    tally = RuleTally()
    for answer in (None, "<html>", {"batchItemFailures": []}, {"evaluated": None}):
        tally.add_response(answer)

    assert tally.document() == ({}, {})


def test_every_limit_of_the_gate_is_listed() -> None:
    tally = RuleTally()
    tally.add_response({"limits": {"basis:passed": 3, "basis:refused": 1}})
    evaluated, refused = tally.limits()

    assert set(evaluated) == set(refused) == {each.value for each in RefusalReason}
    assert (evaluated["basis"], refused["basis"], evaluated["kill_level"]) == (4, 1, 0)


def test_gate_called_like_a_limit_is_kept_apart() -> None:
    tally = RuleTally()
    tally.add_response({"limits": {"spread:passed": 2}})
    tally.add_response({"evaluated": {"spread": 100}, "fired": {"spread": 7}})

    assert tally.document() == ({"spread": 102}, {"spread": 7})
    assert [each["spread"] for each in tally.limits()] == [2, 0]


def test_counts_survive_a_restart_of_the_runner(tmp_path: Path) -> None:
    progress = Progress(start=datetime(2024, 5, 1, tzinfo=UTC), equity_start=Decimal(10_000))
    progress.tally.rules.add_response({"limits": {"basis:refused": 2}, "evaluated": {"premise": 1}})
    progress.save(tmp_path / "progress.json")

    assert Progress.load(tmp_path / "progress.json").tally == progress.tally
