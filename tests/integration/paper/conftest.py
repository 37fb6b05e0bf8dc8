from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.cloud import emulated
from tests.integration.paper.desk import PaperDesk


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[PaperDesk]:
    with emulated(monkeypatch):
        yield PaperDesk()
