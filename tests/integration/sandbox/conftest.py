"""Fixtures: one sandbox per test where orders are sent, one per module where it is only read."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.shared_folder import SHARED
from tests.integration.sandbox.served import Served, serve


@pytest.fixture
def sandbox() -> Iterator[Served]:
    with serve() as served:
        yield served


@pytest.fixture(scope="module")
def read_sandbox() -> Iterator[Served]:
    with serve("--history-days", "40") as served:
        yield served


@pytest.fixture
def recorded() -> Any:
    """Loader of recorded bodies below ../shared; skips when the folder is not there."""

    def load(name: str) -> Any:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"{path} is absent: recorded venue bodies are not part of the repository")
        return json.loads(path.read_text())

    return load
