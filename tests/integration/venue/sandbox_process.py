"""The venue sandbox as a process of its own, and its control plane."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

KEY, SECRET = "sandbox-key", "c2FuZGJveCB0cmFkaW5nIHNlY3JldCwgd29ydGggbm90aGluZw=="
COMMAND = [sys.executable, "-m", "infra.local.sandbox", "--market", "generated", "--seed", "7", "--coins", "3"]


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A running sandbox. It is also a clock: its virtual time is what `now` gives."""

    url: str

    def control(self, path: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if document is None else json.dumps(document).encode()
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.url}/sandbox/{path}", data=data), timeout=10
        ) as answer:
            return dict(json.load(answer))

    def now(self) -> datetime:
        return datetime.fromisoformat(self.control("state")["now"])

    def advance(self, **by: float) -> None:
        self.control("advance", {"to": (self.now() + timedelta(**by)).isoformat()})


@contextmanager
def running_sandbox() -> Iterator[Sandbox]:
    command = [*COMMAND, "--days", "3", "--history-days", "9", "--api-key", KEY, "--api-secret", SECRET]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield Sandbox(url=json.loads(line)["url"])
    finally:
        process.terminate()
        process.communicate(timeout=10)
