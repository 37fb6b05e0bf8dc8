"""Cold imports of two handlers beside the whole libraries they avoid: CPU and memory of fresh processes.

Every import runs in an interpreter of its own. Compiling byte code can make the first slower, not the median.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tests.bench.results import Result, Row

INGEST, SCORE = "functions.ingest_candles.handler", "functions.score_setups.handler"
CCXT, PANDAS = "ccxt", "pandas"
EXCHANGES = {"ccxt.kraken", "ccxt.krakenfutures"}
HEAVY = {"pandas", "numpy"}
CHILD_SECONDS = 60
RATIOS = {"ingest_vs_import_ccxt": (CCXT, INGEST), "score_vs_import_pandas": (PANDAS, SCORE)}

# The bench's own module comes last: nothing may be loaded before the import that is measured.
PROGRAM = """
import sys, time
started = time.process_time()
import {module}
seconds = time.process_time() - started
loaded = sorted(sys.modules)
import json
from tests.bench.memory import peak_mib
print(json.dumps(dict(seconds=seconds, peak_mib=peak_mib(), loaded=loaded)))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportsBench:
    runs: int = 3


def run(bench: ImportsBench) -> Result:
    """Raises ValueError when a handler loads pandas, numpy or an exchange class beyond the two."""
    measured = {module: [_import(module) for _ in range(bench.runs)] for module in (INGEST, SCORE, CCXT, PANDAS)}
    for module in (INGEST, SCORE):
        require_few_modules(module, measured[module][0]["loaded"])
    rows = {module: _row(module, found) for module, found in measured.items()}
    ratios = {name: rows[other].median / rows[ours].median for name, (other, ours) in RATIOS.items()}
    memory = {f"{name}_memory": rows[other].peak_mib / rows[ours].peak_mib for name, (other, ours) in RATIOS.items()}
    return Result(
        subject="imports",
        rows=list(rows.values()),
        ratios={**ratios, **memory},
        targets={"ingest_vs_import_ccxt": 3.0},
        notes=[f"Both handlers load {', '.join(sorted(EXCHANGES))} and no other exchange, no pandas and no numpy."],
    )


def require_few_modules(handler: str, loaded: Collection[str]) -> None:
    """The handlers need two exchange classes of ccxt and no tables."""
    heavy = HEAVY.intersection(loaded)
    if heavy:
        raise ValueError(f"{handler} imports {', '.join(sorted(heavy))}; expected neither of {sorted(HEAVY)}")
    found = exchanges(loaded)
    if found != EXCHANGES:
        raise ValueError(f"{handler} imports {sorted(found)} of ccxt; expected {sorted(EXCHANGES)}")


def exchanges(loaded: Collection[str]) -> set[str]:
    """Modules directly in ccxt, without its foundations: one for each exchange."""
    direct = {name for name in loaded if name.startswith("ccxt.") and name.count(".") == 1}
    return direct - {"ccxt.base", "ccxt.abstract", "ccxt.static_dependencies"}


def _import(module: str) -> dict[str, Any]:
    command = [sys.executable, "-c", PROGRAM.format(module=module)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_SECONDS, check=False)
    if answer.returncode:
        raise ValueError(f"import of {module} failed: {answer.stderr.strip()}")
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def _row(module: str, found: list[dict[str, Any]]) -> Row:
    return Row(
        name=f"import {module}",
        count=len(found[0]["loaded"]),
        counts="n",
        cpu_seconds=[each["seconds"] for each in found],
        peak_mib=max(each["peak_mib"] for each in found),
    )
