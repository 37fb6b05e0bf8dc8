"""Runs `smc-trader` as a person would: as a process of its own."""

from __future__ import annotations

import subprocess
import sys

from infra.local.template import ROOT


def smc_trader(*arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infra.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=seconds, check=False)


def refused(answer: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a refusal."""
    lines = answer.stderr.strip().splitlines()
    assert answer.returncode == 1, answer.stderr
    assert len(lines) == 1, answer.stderr
    return lines[0]
