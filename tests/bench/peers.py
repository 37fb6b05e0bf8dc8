"""Other libraries of the field, each run by a Python that has them: time on the same bars, and what becomes of rows."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHILD_SECONDS = 900
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """`module` is imported by the file `<module>_peer.py`; `functions` says which of it are timed.

    `runs_by_bars`: how often at each size; its time may grow faster than its bars, and sizes left out are not asked.
    """

    module: str
    functions: str
    runs_by_bars: Mapping[int, int]


PEERS = (
    Peer(
        module="smartmoneyconcepts",
        functions="swing_highs_lows, bos_choch, ob, fvg; swing length 5",
        runs_by_bars={500: 9, 15_000: 3, 100_000: 1},
    ),
    Peer(
        module="pyvsmc",
        functions="detect_swings, detect_structure, detect_order_blocks, detect_fvg; window 5, mitigation computed",
        runs_by_bars={500: 9, 15_000: 3, 100_000: 1},
    ),
    Peer(
        module="pyindicators",
        functions="swing_structure, market_structure_choch_bos, order_blocks, fair_value_gap with fvg_filled; length 5",
        runs_by_bars={500: 9, 15_000: 3, 100_000: 1},
    ),
)


def installed(python: Path) -> Mapping[str, str]:
    """Versions of the peers that this Python has, by module."""
    names = [peer.module for peer in PEERS]
    program = (
        "import json, importlib.metadata as m\n"
        f"print(json.dumps({{d.name.lower(): d.version for d in m.distributions() if d.name.lower() in {names!r}}}))"
    )
    found: Mapping[str, str] = json.loads(_answer([str(python), "-c", program], "list of peers"))
    return found


def timing(peer: Peer, python: Path, file: Path, runs: int) -> Mapping[str, Any]:
    """`cpu_seconds` and `peak_mib` of its four families on the bars of `file`."""
    found: Mapping[str, Any] = json.loads(_answer([*_program(peer, python), str(file), str(runs)], peer.module))
    return found


def replay(peer: Peer, python: Path, file: Path) -> Mapping[str, Mapping[str, int]]:
    """By family: readings that appeared live, and of these the ones rewritten and backdated."""
    command = [*_program(peer, python), str(file), "0"]
    found: Mapping[str, Mapping[str, int]] = json.loads(_answer(command, f"replay of {peer.module}"))
    return found


def _program(peer: Peer, python: Path) -> list[str]:
    return [str(python), str(HERE / f"{peer.module}_peer.py")]


def _answer(command: Sequence[str], name: str) -> str:
    """The last line that a program prints."""
    answer = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_SECONDS, check=False)
    if answer.returncode:
        raise ValueError(f"{name} failed: {answer.stderr.strip()}")
    return answer.stdout.splitlines()[-1]
