"""The two exchange classes of ccxt without the other hundred.

`import ccxt` loads every exchange (about 400 ms and 76 MiB). While our two classes are imported, a bare module with
ccxt's real path stands in for the package; afterwards it is taken away again, so that anybody else's `import ccxt`
still gets the real one. Verified for the pinned ccxt by `tests/integration/venue/test_import_cost.py`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


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


def _load() -> tuple[Any, Any, type[Exception]]:
    with _bare_package("ccxt"):
        futures = importlib.import_module("ccxt.krakenfutures").krakenfutures
        spot = importlib.import_module("ccxt.kraken").kraken
        errors = importlib.import_module("ccxt.base.errors")
    return futures, spot, errors.BaseError


krakenfutures, kraken, CcxtError = _load()
