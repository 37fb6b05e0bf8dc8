"""What the import of a handler brings in: no tables and no exchange but Kraken's, because every cold start pays it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import functions
from tests.bench.imports import require_few_modules

HANDLERS = sorted(f"functions.{path.parent.name}.handler" for path in Path(functions.__path__[0]).glob("*/handler.py"))
# In one process, to be quick: what a handler brings in alone is part of what is there after it.
PROGRAM = """
import importlib, json, sys
loaded = {}
for name in sys.argv[1:]:
    importlib.import_module(name)
    loaded[name] = sorted(sys.modules)
print(json.dumps(loaded))
"""


def after_each() -> dict[str, list[str]]:
    command = [sys.executable, "-c", PROGRAM, *HANDLERS]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, list[str]] = json.loads(answer.stdout)
    return found


def test_no_handler_loads_tables_or_other_exchanges() -> None:
    found = after_each()
    assert len(found) >= 11
    for name, loaded in found.items():
        require_few_modules(name, loaded)
        assert "aws_xray_sdk" not in loaded, name
        assert "aws_lambda_powertools.logging" in loaded, name
