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

FUNCTIONS = {"control": ("control_trading", "tests/unit/operator")}
"""Stages that are a function of the system instead of a folder of `trading`, with their tests."""

PLUGIN = Path(__file__).with_name("few_examples.py")
PYTEST_OPTIONS = ["-p", "no:xdist", "-p", "no:cacheprovider", "-p", PLUGIN.stem, "-m", "not slow"]
NO_CACHES = shutil.ignore_patterns("__pycache__", "*.pyc")


@dataclass(frozen=True, slots=True)
class Stage:
    """One folder of `trading`, or one of `functions`, and the unit tests that have to notice every change in it."""

    root: Path
    name: str

    def __post_init__(self) -> None:
        for folder in (self.sources, self.root / self.tests):
            if not folder.is_dir():
                raise ValueError(f"Stage {self.name!r} cannot be mutated: expected a folder {folder}.")

    @property
    def top(self) -> Path:
        """The folder of the package that is imported by its name."""
        return Path("functions") if self.name in FUNCTIONS else PACKAGE

    @property
    def module(self) -> str:
        """As it is imported, such as `trading.risk`."""
        return module_of(self.name)

    @property
    def sources(self) -> Path:
        return self.root / self.top / self.module.partition(".")[2]

    @property
    def tests(self) -> str:
        return FUNCTIONS[self.name][1] if self.name in FUNCTIONS else f"tests/unit/{self.name}"

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
            f"{self.module}.{path.stem}.{node.name}"
            for path in sorted(self.sources.rglob("*.py"))
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if not {ast.unparse(each) for each in node.decorator_list} <= {"staticmethod", "classmethod"}
        ]


def module_of(stage: str) -> str:
    return f"functions.{FUNCTIONS[stage][0]}" if stage in FUNCTIONS else f"trading.{stage}"


def prepare(stage: Stage, folder: Path) -> None:
    """Lay out `folder` for mutmut: sources in it, everything else where mutmut puts what is mutated.

    The package lies at the top, so that its modules have the names under which the tests import them.
    """
    mutants = folder / "mutants"
    shutil.copytree(stage.root / stage.top, folder / stage.top.name, ignore=NO_CACHES)
    for source in (PACKAGE, *map(Path, BESIDE)):
        if source != stage.top and (stage.root / source).is_dir():
            shutil.copytree(stage.root / source, mutants / source.name, ignore=NO_CACHES)
    shutil.copy(PLUGIN, mutants / PLUGIN.name)
    project = (stage.root / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(project + _configuration(stage), encoding="utf-8")


def _configuration(stage: Stage) -> str:
    values = {
        "source_paths": [stage.top.name],
        "only_mutate": [f"{stage.module.replace('.', '/')}/*.py"],
        "pytest_add_cli_args_test_selection": [stage.tests],
        "pytest_add_cli_args": PYTEST_OPTIONS,
        "use_git_change_detection": False,
        "track_dependencies": False,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join(["", "[tool.mutmut]", *lines, ""])
