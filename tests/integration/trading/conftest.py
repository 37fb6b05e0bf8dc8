from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.cloud import Cloud, emulated
from tests.integration.trading.world import World, new_world


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with emulated(monkeypatch) as stores:
        yield stores


@pytest.fixture
def world(cloud: Cloud) -> World:
    return new_world(cloud)
