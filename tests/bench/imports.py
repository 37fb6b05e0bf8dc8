"""Cold imports of two handlers beside the whole libraries they avoid: CPU and memory of fresh processes.

As in the Lambda layers everything is compiled to byte code: into a folder of the bench's own, by a first run that is
not counted, whatever the environment says. The programs take turns, so that a busy moment of the machine hits all.
What an import leaves for the first run is not hidden: each handler is also measured with the clients it then makes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.results import Result, Row

INGEST, SCORE = "functions.ingest_candles.handler", "functions.score_setups.handler"
CLIENTS = "from tests.bench.first_clients import"
OURS = {
    "import ingest_candles": f"import {INGEST}",
    "ingest_candles + first clients": f"import {INGEST}; {CLIENTS} ingest_clients; ingest_clients()",
    "our way to ccxt.kraken()": "from shared.venue.ccxt_classes import kraken; kraken()",
    "import score_setups": f"import {SCORE}",
    "score_setups + first clients": f"import {SCORE}; {CLIENTS} score_clients; score_clients()",
}
THEIRS = {
    "import ccxt": "import ccxt",
    "ccxt + ccxt.kraken()": "import ccxt; ccxt.kraken()",
    "import pandas": "import pandas",
}
PROGRAMS = {**OURS, **THEIRS}
# The other's program and ours. `ingest_first_run` sets all that our first run needs against ccxt's exchange alone.
RATIOS = {
    "ingest_vs_import_ccxt": ("import ccxt", "import ingest_candles"),
    "ingest_first_run_vs_ccxt_kraken": ("ccxt + ccxt.kraken()", "ingest_candles + first clients"),
    "exchange_vs_ccxt_kraken": ("ccxt + ccxt.kraken()", "our way to ccxt.kraken()"),
    "score_vs_import_pandas": ("import pandas", "import score_setups"),
}
EXCHANGES = {"ccxt.kraken", "ccxt.krakenfutures"}
HEAVY = {"pandas", "numpy"}
CHILD_SECONDS = 60
BYTE_CODE = Path("out/bench/bytecode")

# The bench's own modules come last: nothing may be loaded before the import that is measured.
CHILD = """
import sys, time
started = time.process_time()
exec({program!r})
seconds = time.process_time() - started
loaded = sorted(sys.modules)
import json
from tests.bench.memory import peak_mib
print(json.dumps(dict(seconds=seconds, peak_mib=peak_mib(), loaded=loaded)))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportsBench:
    runs: int = 7


def run(bench: ImportsBench) -> Result:
    """Raises ValueError when a handler loads pandas, numpy or an exchange class beyond the two."""
    for program in PROGRAMS.values():
        measure(program)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in PROGRAMS}
    for _ in range(bench.runs):
        for name, program in PROGRAMS.items():
            found[name].append(measure(program))
    for name in OURS:
        require_few_modules(name, found[name][0]["loaded"])
    rows = {name: row(name, runs) for name, runs in found.items()}
    return Result(
        subject="imports",
        rows=list(rows.values()),
        ratios=_ratios(rows),
        targets={"ingest_vs_import_ccxt": 3.0},
        notes=[
            f"No pandas, no numpy and no exchange but {' and '.join(sorted(EXCHANGES))} in any row of ours.",
            "First clients: DynamoDB for each table, Kraken, SQS. All of it is compiled byte code, as in the layers.",
        ],
    )


def require_few_modules(name: str, loaded: Collection[str]) -> None:
    """The handlers need at most two exchange classes of ccxt and no tables."""
    heavy = HEAVY.intersection(loaded)
    if heavy:
        raise ValueError(f"{name} imports {', '.join(sorted(heavy))}; expected neither of {sorted(HEAVY)}")
    more = exchanges(loaded) - EXCHANGES
    if more:
        raise ValueError(f"{name} imports {sorted(more)} of ccxt; expected at most {sorted(EXCHANGES)}")


def exchanges(loaded: Collection[str]) -> set[str]:
    """Modules directly in ccxt, without its foundations: one for each exchange."""
    direct = {name for name in loaded if name.startswith("ccxt.") and name.count(".") == 1}
    return direct - {"ccxt.base", "ccxt.abstract", "ccxt.static_dependencies"}


def measure(program: str) -> dict[str, Any]:
    """Run in a fresh process: CPU `seconds`, `peak_mib` and the modules `loaded`."""
    command = [sys.executable, "-X", f"pycache_prefix={BYTE_CODE.resolve()}", "-c", CHILD.format(program=program)]
    answer = subprocess.run(
        command, capture_output=True, text=True, timeout=CHILD_SECONDS, check=False, env=_environment(os.environ)
    )
    if answer.returncode:
        raise ValueError(f"{program!r} failed: {answer.stderr.strip()}")
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """No profile, endpoint or trace of whoever runs the bench, and byte code is written."""
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith(("AWS_", "_X_AMZN_", "POWERTOOLS_")) and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {
        **kept,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _ratios(rows: Mapping[str, Row]) -> dict[str, float]:
    cpu = {name: rows[other].median / rows[ours].median for name, (other, ours) in RATIOS.items()}
    memory = {f"{name}_memory": rows[other].peak_mib / rows[ours].peak_mib for name, (other, ours) in RATIOS.items()}
    return {**cpu, **memory}


def row(name: str, found: list[dict[str, Any]]) -> Row:
    return Row(
        name=name,
        count=len(found[0]["loaded"]),
        counts="n",
        cpu_seconds=[each["seconds"] for each in found],
        peak_mib=max(each["peak_mib"] for each in found),
    )
