"""The two exchange classes of ccxt without the other hundred, each loaded when its first instance is made.

`import ccxt` loads every exchange (about 230 ms and 50 MiB). While one of our two classes is imported, bare modules
with ccxt's real paths stand in for its packages; afterwards they are taken away again, so that anybody else's
`import ccxt` still gets the real ones. A minute in which nothing is fetched needs neither class nor the HTTP library
below them. Verified for the pinned ccxt by `tests/integration/venue/test_import_cost.py`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

# Callers make clients in several threads, and the stand-ins are seen by all of them.
_one_at_a_time = threading.Lock()


@contextmanager
def _bare_package(name: str) -> Iterator[None]:
    if name in sys.modules:
        yield
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"package {name!r} is not installed; expected it among the dependencies")
    bare = ModuleType(name)
    bare.__path__ = list(spec.submodule_search_locations)
    sys.modules[name] = bare
    try:
        yield
    finally:
        if sys.modules.get(name) is bare:
            del sys.modules[name]


def _module(name: str, *bare: str) -> Any:
    if name in sys.modules:
        return sys.modules[name]
    with ExitStack() as stack:
        for package in bare:
            stack.enter_context(_bare_package(package))
        return importlib.import_module(name)


def _instance(exchange: str, settings: Mapping[str, object] | None) -> Any:
    with _one_at_a_time:
        module = _module(f"ccxt.{exchange}", "ccxt")
    return getattr(module, exchange)(dict(settings or {}))


def kraken(settings: Mapping[str, object] | None = None) -> Any:
    """A new `ccxt.kraken`."""
    return _instance("kraken", settings)


def krakenfutures(settings: Mapping[str, object] | None = None) -> Any:
    """A new `ccxt.krakenfutures`."""
    return _instance("krakenfutures", settings)


CcxtError: type[Exception] = _module("ccxt.base.errors", "ccxt", "ccxt.base").BaseError
