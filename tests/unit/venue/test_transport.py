from __future__ import annotations

import logging

import pytest

from shared.venue.transport import futures_wire, require_loopback, spot_wire
from trading.errors import InvalidInput


@pytest.mark.parametrize("address", ["https://futures.kraken.com/derivatives/api/", "http://10.0.0.1/", "nonsense", ""])
def test_address_beyond_this_machine_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="expected a loopback address"):
        require_loopback(("http://127.0.0.1:1/", address))


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8800", "http://localhost:8800/", "http://[::1]:8800"])
def test_every_address_follows_the_base(base_url: str) -> None:
    for wire in (futures_wire(base_url=base_url, timeout_s=1), spot_wire(base_url=base_url, timeout_s=1)):
        require_loopback(wire.addresses())
        assert all(address.startswith(base_url.rstrip("/")) for address in wire.addresses())


def test_ccxt_never_logs_the_request_headers() -> None:
    futures_wire(base_url="http://127.0.0.1:1", timeout_s=1, key="key", secret="c2VjcmV0")
    assert not logging.getLogger("ccxt.base.exchange").isEnabledFor(logging.DEBUG)
