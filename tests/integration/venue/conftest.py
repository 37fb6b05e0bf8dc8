from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.venue import KrakenRestVenue, KrakenSpot
from shared.venue.last_line import EntryCaps, LastLine
from shared.venue.transport import require_loopback
from tests.integration.venue.loopback_venue import LoopbackVenue, running

SECRET = base64.b64encode(b"a secret for tests only, 40 bytes long...").decode()
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CAPS = EntryCaps(order_notional_usd=Decimal(100_000), process_before_s=10, call_cost_per_10_s=400)


class StoppedClock:
    def now(self) -> datetime:
        return NOW


def with_caps() -> LastLine:
    return LastLine(caps=CAPS, clock=StoppedClock())


@pytest.fixture
def loopback() -> Iterator[LoopbackVenue]:
    with running() as venue:
        yield venue


@pytest.fixture
def venue(loopback: LoopbackVenue) -> KrakenRestVenue:
    adapter = KrakenRestVenue(
        key="key-for-tests", secret=SECRET, base_url=loopback.url, timeout_s=2.0, last_line=with_caps()
    )
    require_loopback(adapter.wire.addresses())
    return adapter


@pytest.fixture
def spot(loopback: LoopbackVenue) -> KrakenSpot:
    adapter = KrakenSpot(clock=StoppedClock(), base_url=loopback.url, timeout_s=2.0)
    require_loopback(adapter.wire.addresses())
    return adapter
