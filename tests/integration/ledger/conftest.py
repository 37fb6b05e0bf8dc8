from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.cloud import Cloud, emulated


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with emulated(monkeypatch) as stores:
        yield stores
