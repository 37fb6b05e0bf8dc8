"""The import trick is allowed to know ccxt's insides only because these tests watch it."""

from __future__ import annotations

import subprocess
import sys

import pytest

COUNT = "print(sum(name == 'ccxt' or name.startswith('ccxt.') for name in sys.modules))"
WORKS = "print(callable(KrakenFuturesMarket(base_url='http://127.0.0.1:9').wire._exchange.sign))"


def run(code: str) -> list[str]:
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split()


def test_importing_the_venue_loads_few_ccxt_modules() -> None:
    (count,) = run(f"import sys; import shared.venue; {COUNT}")
    assert int(count) < 15


def test_venue_works_after_a_whole_ccxt_import() -> None:
    (works,) = run(f"import ccxt; from shared.venue import KrakenFuturesMarket; {WORKS}")
    assert works == "True"


def test_whole_ccxt_import_works_after_the_venue() -> None:
    code = "import shared.venue, ccxt, ccxt.base.errors; print(ccxt.kraken().id, issubclass(ccxt.BaseError, Exception))"
    assert run(code) == ["kraken", "True"]


@pytest.mark.parametrize("first", ["ccxt", "shared.venue"])
def test_both_imports_share_one_error_class(first: str) -> None:
    code = f"import {first}; import ccxt, shared.venue.ccxt_classes as ours; print(ours.CcxtError is ccxt.BaseError)"
    assert run(code) == ["True"]
