"""A real emulator process, and a test process that is left as it was found."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from infra.local.processes import Running, ready_line, spawn, stop
from shared import aws_clients, queues, runtime, secrets
from shared.alerts import alerts_of
from shared.clock import SystemClock, install_clock
from shared.storage.tables import DecisionItem, LedgerItem, MarketDataItem


@pytest.fixture(scope="module")
def emulator_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process = spawn("infra.local.emulator", [], tmp_path_factory.mktemp("emulator") / "emulator")
    yield f"http://127.0.0.1:{ready_line(process)['port']}"
    stop(process)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Address of a running receiver and the file of its posts."""
    posts = tmp_path / "posts.jsonl"
    process = spawn("infra.local.receiver", ["--posts", str(posts)], tmp_path / "receiver")
    yield f"http://127.0.0.1:{ready_line(process)['port']}", posts
    stop(process)


@pytest.fixture
def own_process() -> Iterator[None]:
    """Give back environment, clock and cached connections: handlers are called in this very process."""
    environment, session = dict(os.environ), boto3.DEFAULT_SESSION
    _forget()
    yield
    _forget()
    os.environ.clear()
    os.environ.update(environment)
    boto3.DEFAULT_SESSION = session
    install_clock(SystemClock())


def _forget() -> None:
    for cached in (
        aws_clients.topics_client,
        aws_clients.secrets_client,
        queues.queues_client,
        secrets.secret_reader,
        runtime.control_of,
        runtime.ledger_of,
        runtime.decisions_of,
        runtime.market_of,
        alerts_of,
    ):
        cached.cache_clear()
    for model in (LedgerItem, DecisionItem, MarketDataItem):
        model._connection = None


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Running]:
    """A child that serves until it is ended."""
    process = spawn("infra.local.receiver", ["--posts", str(tmp_path / "posts.jsonl")], tmp_path / "receiver")
    ready_line(process)
    yield process
    stop(process)
