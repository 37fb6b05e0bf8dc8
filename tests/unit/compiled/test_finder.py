"""The compiled detector is used only where it is what the sources say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES as SUFFIXES
from pathlib import Path

import pytest

from infra.compiled.finder import FOLDER, PLAIN, ROOT, SOURCES, CompiledFinder, compiled_modules

GROUP = "0a1b2c__mypyc"
MODULES = compiled_modules(SOURCES)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Sources and what looks like a build of them; the extensions are found, not loaded."""
    for root in ("sources", "built"):
        shutil.copytree(Path(SOURCES, *FOLDER), tmp_path.joinpath(root, *FOLDER))
    for name in (*(str(Path(*FOLDER, module)) for module in MODULES), GROUP):
        (tmp_path / "built" / f"{name}{SUFFIXES[0]}").touch()
    return tmp_path


def _find(tree: Path, module: str = "zones", sources: str = "sources") -> str | None:
    finder = CompiledFinder(str(tree / "sources"), str(tree / "built"))
    spec = finder.find_spec(f"trading.smc.{module}", [str(tree.joinpath(sources, *FOLDER))])
    return None if spec is None else spec.origin


def test_current_build_is_found_for_every_module(tree: Path) -> None:
    assert [_find(tree, module) for module in MODULES] == [
        str(tree.joinpath("built", *FOLDER, module + SUFFIXES[0])) for module in MODULES
    ]
    assert {"detector", "structure", "swings", "zones"} <= set(MODULES)
    assert [_find(tree, module) for module in PLAIN] == [None] * len(PLAIN)


@pytest.mark.parametrize("module", ["zones", "swings", "events", "concept_parameters", "added"])
def test_build_of_other_sources_is_left_alone(tree: Path, module: str) -> None:
    with tree.joinpath("sources", *FOLDER, f"{module}.py").open("a") as file:
        file.write("# edited\n")
    assert _find(tree) is None


def test_incomplete_build_is_left_alone(tree: Path) -> None:
    tree.joinpath("built", *FOLDER, f"swings{SUFFIXES[0]}").unlink()
    assert _find(tree) is None


def test_other_installation_of_trading_stays_plain(tree: Path) -> None:
    assert _find(tree, sources="elsewhere") is None


def test_shared_library_is_found_by_its_name(tree: Path) -> None:
    finder = CompiledFinder(str(tree / "sources"), str(tree / "built"))
    spec = finder.find_spec(GROUP)
    assert spec is not None
    assert spec.origin == str(tree / "built" / f"{GROUP}{SUFFIXES[0]}")
    assert finder.find_spec("json") is None


def test_switch_in_the_environment_keeps_it_plain() -> None:
    environment = {**os.environ, "PLAIN_DETECTOR": "1"}
    command = [sys.executable, "-m", "infra.compiled"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=ROOT)
    assert answer.stdout.startswith("The detector is plain Python: layers/trading/python/trading/smc/detector.py")


def test_nothing_built_lies_beside_the_sources() -> None:
    assert [path for path in Path(SOURCES).rglob("*") if path.suffix in (".so", ".pyd", ".c")] == []
