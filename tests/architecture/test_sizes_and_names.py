"""Small files, small functions, names that say something."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.sources import PARTS, Source, everything, functions_of, sources

LINES_PER_FILE = 300
LINES_PER_FUNCTION = 40
LINES_PER_HANDLER = 60
LONG_ON_PURPOSE = {("trading.smc.detector", "_read")}
"""The detector's loop: what it keeps in local names would cost a call per bar (decision record 0011)."""

BANNED = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc", "v2", "new", "old", "tmp"}
WORDS_OF_A_TEST = range(4, 10)


@pytest.mark.parametrize("part", list(PARTS))
def test_no_file_grows_beyond_its_limit(part: str) -> None:
    long = {source.shown: len(source.text.splitlines()) for source in sources(part)}
    assert {name: lines for name, lines in long.items() if lines > LINES_PER_FILE} == {}


@pytest.mark.parametrize("part", list(PARTS))
def test_no_function_grows_beyond_its_limit(part: str) -> None:
    long = [
        f"{source.shown}: {node.name} has {lines} lines"
        for source in sources(part)
        for node in functions_of(source)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > LINES_PER_FUNCTION
        if (source.module, node.name) not in LONG_ON_PURPOSE
    ]
    assert long == []


def test_handlers_only_translate_and_stay_thin() -> None:
    handlers = [source for source in sources("functions") if source.path.name == "handler.py"]
    assert handlers != []
    assert [each.shown for each in handlers if len(each.text.splitlines()) > LINES_PER_HANDLER] == []


def test_every_function_folder_has_a_handler() -> None:
    folders = {source.path.parent for source in sources("functions") if source.path.parent.name != "functions"}
    assert [folder.name for folder in sorted(folders) if not (folder / "handler.py").exists()] == []


def test_no_file_has_an_empty_name() -> None:
    wrong = [source.shown for source in everything() if _words(source) & BANNED]
    assert wrong == []


def _words(source: Source) -> set[str]:
    """The words in the names of a file and its folder."""
    return {word for name in (source.path.stem, source.path.parent.name) for word in name.split("_")}


def test_no_class_is_called_a_manager() -> None:
    wrong = [
        f"{source.shown}: {node.name}"
        for source in everything("trading", "shared", "functions", "infra")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Manager", "Helper", "Util", "Utils", "Base"))
    ]
    assert wrong == []


def test_tests_are_named_as_short_sentences() -> None:
    wrong = [
        f"{source.shown}: {node.name}"
        for source in sources("tests")
        for node in functions_of(source)
        if node.name.startswith("test_") and len(node.name.removeprefix("test_").split("_")) not in WORDS_OF_A_TEST
    ]
    assert wrong == []
