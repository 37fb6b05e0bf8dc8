"""Waiting belongs to the clock that is installed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from infra.local.invoker import StackClock
from shared.clock import SystemClock, current_clock, current_wait, install_clock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def system_clock() -> Iterator[None]:
    yield
    install_clock(SystemClock())


def test_machine_clock_waits_by_sleeping() -> None:
    install_clock(SystemClock())

    assert current_wait() is time.sleep


def test_clock_brings_its_own_way_to_wait() -> None:
    clock = StackClock(NOON)
    install_clock(clock, clock.wait)

    assert (current_clock(), current_wait()) == (clock, clock.wait)


def test_clock_without_a_wait_really_waits() -> None:
    stack = StackClock(NOON)
    install_clock(stack, stack.wait)
    install_clock(SystemClock())

    assert current_wait() is time.sleep


def test_virtual_clock_waits_without_time_passing() -> None:
    clock, started = StackClock(NOON), time.monotonic()
    clock.wait(3600)

    assert clock.now() == NOON
    assert time.monotonic() - started < 1
