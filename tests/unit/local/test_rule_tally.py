"""Which rules were evaluated and which acted."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.local.progress import Progress
from infra.local.rule_tally import RuleTally
from trading.exits.registry import REGISTRY
from trading.model.risk import RefusalReason

NO_EXITS = dict.fromkeys((name for name, _ in REGISTRY), 0)


def test_refused_limits_count_as_fired() -> None:
    tally = RuleTally()
    tally.add_response({"limits": {"basis:passed": 3, "basis:refused": 1, "positions:passed": 2}})

    assert tally.document() == (NO_EXITS | {"basis": 4, "positions": 2}, NO_EXITS | {"basis": 1, "positions": 0})


def test_exits_count_what_they_evaluated_and_fired() -> None:
    tally = RuleTally()
    tally.add_response({"evaluated": {"time_exit": 2, "premise": 2}, "fired": {"time_exit": 1}})
    tally.add_response({"evaluated": {"time_exit": 1}, "fired": {}})

    assert tally.document() == (NO_EXITS | {"premise": 2, "time_exit": 3}, NO_EXITS | {"premise": 0, "time_exit": 1})


def test_every_exit_rule_is_listed_apart() -> None:
    """Also those never evaluated; a limit of the same name is not mixed in."""
    tally = RuleTally()
    tally.add_response({"evaluated": {"funding": 2}, "without_input": {"funding": 1}, "fired": {"funding": 1}})
    tally.add_response({"limits": {"funding:refused": 7}})
    found = tally.exits()

    assert set(found) == set(NO_EXITS)
    assert found["funding"] == {"evaluated": 2, "without_input": 1, "fired": 1}
    assert found["trailing"] == {"evaluated": 0, "without_input": 0, "fired": 0}


def test_answers_without_rules_change_nothing() -> None:
    tally = RuleTally()
    answers: tuple[Any, ...] = (None, "<html>", {"batchItemFailures": []}, {"evaluated": None})
    for answer in answers:
        tally.add_response(answer)

    assert tally.document() == (NO_EXITS, NO_EXITS)


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

    assert tally.document() == (NO_EXITS | {"spread": 102}, NO_EXITS | {"spread": 7})
    assert [each["spread"] for each in tally.limits()] == [2, 0]


def test_counts_survive_a_restart_of_the_runner(tmp_path: Path) -> None:
    progress = Progress(start=datetime(2024, 5, 1, tzinfo=UTC), equity_start=Decimal(10_000))
    progress.tally.rules.add_response(
        {"limits": {"basis:refused": 2}, "evaluated": {"premise": 1}, "fired": {"premise": 1}}
    )
    progress.save(tmp_path / "progress.json")

    assert Progress.load(tmp_path / "progress.json").tally == progress.tally
