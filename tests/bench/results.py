"""What a bench reports: rows of measured runs and ratios, as a file for programs and as a table for people."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that was run `len(cpu_seconds)` times. `count` is of bars, or of what `n` stands for in the subject.

    `cpu_seconds`: process CPU (user and system) of each run. `extra` holds further figures of this subject.
    """

    name: str
    count: int
    counts: str = "bars"
    cpu_seconds: Sequence[float]
    peak_mib: float
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return statistics.median(self.cpu_seconds)

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            self.counts: self.count,
            "cpu_seconds_median": round(self.median, 6),
            "cpu_seconds_min": round(min(self.cpu_seconds), 6),
            "runs": len(self.cpu_seconds),
            "peak_mib": round(self.peak_mib, 1),
            **self.extra,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`ratios`: the other against ours, above 1 means we need less. `targets`: the least a ratio should be."""

    subject: str
    rows: Sequence[Row]
    ratios: Mapping[str, float]
    targets: Mapping[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "machine": machine(),
            "rows": [row.document() for row in self.rows],
            "ratios": {name: round(value, 3) for name, value in self.ratios.items()},
            "targets": {name: {"at_least": least, "met": self.met(name)} for name, least in self.targets.items()},
            "notes": list(self.notes),
        }

    def met(self, ratio: str) -> bool:
        return self.ratios[ratio] >= self.targets[ratio]


def write(result: Result, folder: Path) -> Path:
    """Write `<folder>/<subject>.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.subject}.json"
    path.write_text(json.dumps(result.document(), indent=2) + "\n", encoding="utf-8")
    return path


def show(result: Result, console: Console) -> None:
    """Print the rows, then each ratio with its target."""
    extras = list(dict.fromkeys(name for row in result.rows for name in row.extra))
    table = Table(title=result.subject, title_justify="left")
    for name in ("what", "count", "CPU ms median", "CPU ms min", "runs", "peak MiB", *extras):
        table.add_column(name.replace("_", " "), justify="left" if name == "what" else "right")
    for row in result.rows:
        times = [f"{1000 * value:.1f}" for value in (row.median, min(row.cpu_seconds))]
        figures = [_figure(row.extra.get(name)) for name in extras]
        count = f"{row.count} {row.counts}" if row.counts != "n" else str(row.count)
        table.add_row(row.name, count, *times, str(len(row.cpu_seconds)), f"{row.peak_mib:.0f}", *figures)
    console.print(table)
    for name, value in result.ratios.items():
        console.print(f"  {name} = {value:.2f}{_verdict(result, name)}", highlight=False)
    for note in result.notes:
        console.print(f"  {note}", highlight=False)
    console.print()


def _figure(value: Any) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def _verdict(result: Result, name: str) -> str:
    if name not in result.targets:
        return ""
    return f"  (target {result.targets[name]:g}: {'met' if result.met(name) else 'NOT met'})"


def machine() -> str:
    """Processor, number of CPUs, system and Python in one line."""
    return (
        f"{_processor()}, {_cpus()} CPUs, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown processor"
    )


def _cpus() -> int:
    return os.cpu_count() or 1
