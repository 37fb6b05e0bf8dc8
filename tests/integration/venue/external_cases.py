"""Where the cases written by others are, and how a test says that they are not here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.shared_folder import SHARED

CASES = SHARED / "venue-cases"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f"external venue cases are not on this machine ({CASES})")


def load(name: str) -> Any:
    return json.loads((CASES / name).read_text(encoding="utf-8"))


def response_case(method: str, beginning: str) -> dict[str, Any]:
    """The upstream case of `method` whose description begins so."""
    cases = load("ccxt/response_krakenfutures.json")["methods"][method]
    (found,) = [case for case in cases if case["description"].startswith(beginning)]
    return dict(found)
