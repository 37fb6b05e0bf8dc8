"""The import trick is allowed to know ccxt's insides only because these tests watch it."""

from __future__ import annotations

import subprocess
import sys

import pytest

EXCHANGES = "print(*sorted(name for name in sys.modules if name.startswith('ccxt.') and name.count('.') == 1))"
MAKE_FUTURES = "from shared.venue import KrakenFuturesMarket as M; market = M(base_url='http://127.0.0.1:9')"
MAKE_SPOT = "import shared.venue.ccxt_classes as ours; spot = ours.kraken()"
IN_THREADS = """
import sys, threading
import shared.venue.ccxt_classes as ours
start, made = threading.Barrier(8), []
def make(kind):
    start.wait()
    made.append(kind())
threads = [threading.Thread(target=make, args=(kind,)) for kind in (ours.kraken, ours.krakenfutures) * 4]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(made), len({type(each) for each in made}), 'ccxt' in sys.modules)
"""


def run(code: str) -> list[str]:
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split()


def test_importing_the_venue_loads_no_exchange_class() -> None:
    code = f"import sys; from shared.venue import KrakenFuturesMarket, KrakenRestVenue, KrakenSpot; {EXCHANGES}"
    assert run(code) == []
    assert run("import sys, shared.venues; print('requests' in sys.modules)") == ["False"]


def test_first_client_loads_its_own_class_only() -> None:
    assert run(f"import sys; {MAKE_FUTURES}; {EXCHANGES}") == ["ccxt.abstract", "ccxt.base", "ccxt.krakenfutures"]
    assert run(f"import sys; {MAKE_SPOT}; {EXCHANGES}") == ["ccxt.abstract", "ccxt.base", "ccxt.kraken"]


def test_threads_that_start_together_share_two_classes() -> None:
    assert run(IN_THREADS) == ["8", "2", "False"]


@pytest.mark.parametrize("first", ["import ccxt", MAKE_SPOT])
def test_venue_works_after_any_ccxt_import(first: str) -> None:
    assert run(f"{first}; {MAKE_FUTURES}; print(callable(market.wire._exchange.sign))") == ["True"]


@pytest.mark.parametrize("first", ["import shared.venue.transport", MAKE_FUTURES])
def test_whole_ccxt_import_works_after_the_venue(first: str) -> None:
    code = f"{first}; import ccxt; print(ccxt.binance().id, issubclass(ccxt.BaseError, Exception))"
    assert run(code) == ["binance", "True"]


@pytest.mark.parametrize("first", ["import ccxt", "import shared.venue.ccxt_classes", MAKE_SPOT])
def test_both_imports_share_one_error_class(first: str) -> None:
    code = f"{first}; import ccxt, shared.venue.ccxt_classes as ours; print(ours.CcxtError is ccxt.BaseError)"
    assert run(code) == ["True"]


def test_errors_of_our_classes_are_the_error_class() -> None:
    code = f"{MAKE_SPOT}; import sys; print(issubclass(sys.modules['ccxt.kraken'].BadSymbol, ours.CcxtError))"
    assert run(code) == ["True"]
