"""The contract suite of the venues for a third kind: the real adapter on the sandbox's application without a socket.

The test functions are those of `tests/integration/trading/test_venue_contract.py`; only the fixture is another one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.local.market import GeneratedMarket, generated_market
from shared.venue.last_line import LastLine
from shared.venue.transport import require_loopback
from tests.integration.trading import test_venue_contract
from tests.integration.trading.test_venue_contract import CAPS, Trader
from tests.simulation.transports.http import InProcessVenue

START = datetime(2024, 8, 1, tzinfo=UTC)

globals().update({name: each for name, each in vars(test_venue_contract).items() if name.startswith("test_")})


@pytest.fixture(scope="module")
def in_process() -> InProcessVenue:
    spec = GeneratedMarket(seed=7, coins=3, start=START, days=3, history_days=9)
    return InProcessVenue(generated_market(spec), START)


@pytest.fixture(scope="module")
def trader(in_process: InProcessVenue) -> Trader:
    adapter = in_process.client(LastLine(caps=CAPS, clock=in_process))
    require_loopback(adapter.wire.addresses())
    return Trader(adapter, "PF_XBTUSD", lambda count: in_process.advance(in_process.now() + timedelta(seconds=count)))


def test_nothing_reaches_a_socket(in_process: InProcessVenue, trader: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    assert trader.venue.server_time() == in_process.now()
    assert set(in_process.spot_client().quotes(["XXBTZUSD"])) == {"XXBTZUSD"}
    assert trader.contract in in_process.market_client().quotes()
