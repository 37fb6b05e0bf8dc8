"""A folder of its own in which mutmut may write mutated sources: the project's tree is only read."""

from __future__ import annotations

import ast
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path("layers/trading/python/trading")
BESIDE = ("shared", "functions", "infra", "tests")
"""What the tests may import besides the package; copied unmutated."""

PLUGIN = Path(__file__).with_name("few_examples.py")
PYTEST_OPTIONS = ["-p", "no:xdist", "-p", "no:cacheprovider", "-p", PLUGIN.stem, "-m", "not slow"]
NO_CACHES = shutil.ignore_patterns("__pycache__", "*.pyc")


@dataclass(frozen=True, slots=True)
class Stage:
    """One folder of `trading` and the unit tests that have to notice every change in it."""

    root: Path
    name: str

    def __post_init__(self) -> None:
        for folder in (self.sources, self.root / self.tests):
            if not folder.is_dir():
                raise ValueError(f"Stage {self.name!r} cannot be mutated: expected a folder {folder}.")

    @property
    def sources(self) -> Path:
        return self.root / PACKAGE / self.name

    @property
    def tests(self) -> str:
        return f"tests/unit/{self.name}"

    def called_on_import(self) -> set[str]:
        """Names of what modules of the stage call outside functions, such as a factory of entries of a table."""
        return {
            ast.unparse(node.func).rpartition(".")[2]
            for path in sorted(self.sources.rglob("*.py"))
            for statement in ast.parse(path.read_text(encoding="utf-8")).body
            if not isinstance(statement, ast.FunctionDef | ast.ClassDef)
            for node in ast.walk(statement)
            if isinstance(node, ast.Call)
        }

    def decorated(self) -> list[str]:
        """Functions that mutmut leaves as they are, because decorators run when the module is imported."""
        return [
            f"trading.{self.name}.{path.stem}.{node.name}"
            for path in sorted(self.sources.rglob("*.py"))
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if not {ast.unparse(each) for each in node.decorator_list} <= {"staticmethod", "classmethod"}
        ]


def prepare(stage: Stage, folder: Path) -> None:
    """Lay out `folder` for mutmut: sources in it, everything else where mutmut puts what is mutated.

    The package lies at the top, so that its modules have the names under which the tests import them.
    """
    mutants = folder / "mutants"
    shutil.copytree(stage.root / PACKAGE, folder / "trading", ignore=NO_CACHES)
    for name in BESIDE:
        if (stage.root / name).is_dir():
            shutil.copytree(stage.root / name, mutants / name, ignore=NO_CACHES)
    shutil.copy(PLUGIN, mutants / PLUGIN.name)
    project = (stage.root / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(project + _configuration(stage), encoding="utf-8")


def _configuration(stage: Stage) -> str:
    values = {
        "source_paths": ["trading"],
        "only_mutate": [f"trading/{stage.name}/*.py"],
        "pytest_add_cli_args_test_selection": [stage.tests],
        "pytest_add_cli_args": PYTEST_OPTIONS,
        "use_git_change_detection": False,
        "track_dependencies": False,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join(["", "[tool.mutmut]", *lines, ""])
