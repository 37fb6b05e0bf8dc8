"""Which rules were evaluated and which acted."""

from __future__ import annotations

from infra.local.rule_tally import RuleTally


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
