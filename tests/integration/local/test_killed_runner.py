"""A runner that is killed at random moments goes on, without a second entry and without a naked position."""

from __future__ import annotations

import pytest

from tests.integration.local.killing import Killed, kill_and_resume

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

KILLS = 5


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    return kill_and_resume(tmp_path_factory.mktemp("killed") / "state", KILLS, seed=11)


def test_run_ends_well_after_every_kill(seen: Killed) -> None:
    assert seen.kills == KILLS
    assert seen.exit_code == 0, seen.errors
    assert seen.summary["violations"] == []


def test_killed_runner_loses_no_process(seen: Killed) -> None:
    assert seen.dead_children == []
    assert seen.other_children == []


def test_no_signal_is_entered_twice(seen: Killed) -> None:
    assert seen.repeated_entries == []
    assert seen.summary["entries"] >= 1


def test_position_is_protected_through_all_kills(seen: Killed) -> None:
    assert seen.summary["seconds_without_stop_max"] <= 60
    assert seen.summary["discrepancies_end"] == 0


def test_confirmed_flatten_leaves_nothing_open(seen: Killed) -> None:
    assert seen.summary["positions"] != []
    assert seen.flatten.get("ok") is True, seen.flatten
    assert seen.status_after["positions"] == []
    assert seen.status_after["kill_level"] == 3
