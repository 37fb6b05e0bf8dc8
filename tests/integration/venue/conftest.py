from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from shared.venue import KrakenRestVenue, KrakenSpot
from shared.venue.transport import require_loopback
from tests.integration.venue.loopback_venue import LoopbackVenue, running

SECRET = base64.b64encode(b"a secret for tests only, 40 bytes long...").decode()
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class StoppedClock:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def loopback() -> Iterator[LoopbackVenue]:
    with running() as venue:
        yield venue


@pytest.fixture
def venue(loopback: LoopbackVenue) -> KrakenRestVenue:
    adapter = KrakenRestVenue(key="key-for-tests", secret=SECRET, base_url=loopback.url, timeout_s=2.0)
    require_loopback(adapter.wire.addresses())
    return adapter


@pytest.fixture
def spot(loopback: LoopbackVenue) -> KrakenSpot:
    adapter = KrakenSpot(clock=StoppedClock(), base_url=loopback.url, timeout_s=2.0)
    require_loopback(adapter.wire.addresses())
    return adapter
