"""The core reads no clock, no environment, no chance; the environment is read in one file; nothing is mocked."""

from __future__ import annotations

import ast
import re

from tests.architecture.sources import ROOT, Source, everything, sources

NO_INPUT = {
    "os",
    "sys",
    "time",
    "random",
    "uuid",
    "secrets",
    "socket",
    "subprocess",
    "threading",
    "asyncio",
    "pathlib",
    "requests",
    "http",
    "urllib",
    "logging",
    "tempfile",
    "shutil",
    "io",
    "boto3",
}
READS_THE_CLOCK = {"now", "utcnow", "today"}
CONTRACT = re.compile(r"\b(PF|PI|FI|FF)_[A-Z0-9{]+")
PLATFORM = {"infra/local/invoker.py"}
"""Plays the platform: what a handler raises ends that invocation there, and nothing else."""

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\bfor now\b|\bplaceholder\b", re.IGNORECASE)
STRINGS_OF_SYMBOLS = ("shared/venue/", "infra/", "tests/")


def attributes(source: Source) -> list[ast.Attribute]:
    return [node for node in ast.walk(source.tree) if isinstance(node, ast.Attribute)]


def test_core_imports_nothing_that_reads_the_world() -> None:
    wrong = [
        f"{source.shown} imports {name}"
        for source in sources("trading")
        for name in source.imports
        if name.split(".")[0] in NO_INPUT - _listed(source)
    ]
    assert wrong == []


def _listed(source: Source) -> set[str]:
    """The matching core derives its ids from a seed and only needs their shape."""
    return {"uuid"} if source.module == "trading.matching.core" else set()


def test_core_never_asks_for_the_time() -> None:
    wrong = [
        f"{source.shown}:{node.lineno} calls {ast.unparse(node)}"
        for source in sources("trading")
        for node in attributes(source)
        if node.attr in READS_THE_CLOCK and ast.unparse(node.value).split(".")[-1] in ("datetime", "date", "time")
    ]
    assert wrong == []


def test_core_ids_come_from_no_chance() -> None:
    wrong = [
        f"{source.shown}:{node.lineno}"
        for source in sources("trading")
        for node in attributes(source)
        if ast.unparse(node) in ("uuid.uuid1", "uuid.uuid4")
    ]
    assert wrong == []


def test_core_opens_and_prints_nothing() -> None:
    wrong = [
        f"{source.shown}:{node.lineno} calls {node.func.id}"
        for source in sources("trading")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "print", "input")
    ]
    assert wrong == []


def test_environment_is_read_in_one_file() -> None:
    wrong = [
        f"{source.shown}:{node.lineno}"
        for source in everything("shared", "functions", "trading")
        for node in attributes(source)
        if ast.unparse(node) in ("os.environ", "os.getenv") and source.shown != "shared/settings.py"
    ]
    assert wrong == []


def test_clock_is_read_in_one_file() -> None:
    wrong = [
        f"{source.shown}:{node.lineno} calls {ast.unparse(node)}"
        for source in everything("shared", "functions")
        for node in attributes(source)
        if ast.unparse(node) in ("datetime.now", "datetime.utcnow", "date.today", "time.time")
        and source.shown != "shared/clock.py"
    ]
    assert wrong == []


def test_nothing_of_ours_is_mocked() -> None:
    mocked = [
        each.shown for each in sources("tests") for name in each.imports if name.startswith(("unittest.mock", "mock"))
    ]
    assert mocked == []


def test_broad_except_swallows_nothing() -> None:
    wrong = [
        f"{source.shown}:{node.lineno}"
        for source in everything("trading", "shared", "functions", "infra")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _raises_again(node)
        if source.shown not in PLATFORM
    ]
    assert wrong == []


def _is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException")


def _raises_again(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))


def test_contract_names_are_built_at_the_edge() -> None:
    wrong = [
        f"{source.shown}:{node.lineno} holds {node.value!r}"
        for source in everything("trading", "shared", "functions")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and CONTRACT.search(node.value)
        and not source.shown.startswith(STRINGS_OF_SYMBOLS)
        and not _is_documentation(source, node)
    ]
    assert wrong == []


def _is_documentation(source: Source, constant: ast.Constant) -> bool:
    """A string that stands alone: nothing is built of it."""
    return any(isinstance(node, ast.Expr) and node.value is constant for node in ast.walk(source.tree))


def test_nothing_is_left_for_later() -> None:
    wrong = [
        f"{source.shown}:{number}: {line.strip()}"
        for source in everything("trading", "shared", "functions", "infra")
        for number, line in enumerate(source.text.splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert wrong == []
    assert (ROOT / "pyproject.toml").exists()
