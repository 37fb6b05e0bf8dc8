"""Children of the local stack are recognised and ended by id and start time."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local.processes import Running, ready_line, spawn, stop
from trading.errors import InvalidInput


def test_stopped_process_is_gone(sleeper: Running) -> None:
    assert sleeper.alive
    stop(sleeper)

    assert not sleeper.alive


def test_killed_process_counts_as_dead(sleeper: Running) -> None:
    os.kill(sleeper.pid, signal.SIGKILL)
    stop(sleeper)

    assert not sleeper.alive


def test_process_with_a_used_id_is_left_alone(sleeper: Running) -> None:
    other = replace(sleeper, birth="1")
    stop(other)

    assert not other.alive
    assert sleeper.alive


def test_process_that_cannot_start_says_why(tmp_path: Path) -> None:
    process = spawn("infra.local.sandbox", ["--candles", str(tmp_path / "none")], tmp_path / "sandbox")

    with pytest.raises(InvalidInput, match="none"):
        ready_line(process)
    stop(process)
