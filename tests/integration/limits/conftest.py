from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from infra.local.sandbox.server import SandboxServer
from tests.integration.limits.local_stack import BALANCE, START, new_application
from tests.integration.limits.quiet_market import QuietMarket
from tests.integration.limits.wire import Wire


@pytest.fixture(scope="module")
def wire() -> Wire:
    return Wire(new_application(QuietMarket(START), BALANCE))


@pytest.fixture(scope="module")
def url(wire: Wire) -> Iterator[str]:
    """The sandbox on a loopback socket; each scenario puts its own venue behind it."""
    with SandboxServer(0, wire) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            server.shutdown()
            thread.join()
