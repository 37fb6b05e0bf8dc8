"""Who may import whom: the pure core knows nobody, stages do not know each other, nothing goes in circles."""

from __future__ import annotations

import sys

from tests.architecture.sources import PARTS, Source, everything, sources

STAGES = (
    "smc",
    "strategy",
    "risk",
    "execution",
    "exits",
    "reconciliation",
    "universe",
    "quality",
    "reporting",
    "matching",
)
BASE = ("trading.model", "trading.rules", "trading.errors", "trading.indicators")
ALLOWED = {"trading": {"trading"}, "shared": {"shared", "trading"}, "functions": {"functions", "shared", "trading"}}
SHARED_MAY_USE = ("trading.ports", "trading.model", "trading.rules", "trading.errors", "trading.matching")
GUARD_MAY_USE = (*SHARED_MAY_USE, "trading.execution", "trading.reconciliation", "trading.risk")
"""`shared.guard` is a use case that two functions run; decision 0021 says why it lies there."""


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def own_imports(source: Source) -> list[str]:
    return [name for name in source.imports if name.split(".")[0] in PARTS]


def test_parts_import_only_what_lies_below() -> None:
    wrong = [
        f"{source.shown} imports {name}"
        for part, allowed in ALLOWED.items()
        for source in sources(part)
        for name in own_imports(source)
        if name.split(".")[0] not in allowed
    ]
    assert wrong == []


def test_pure_core_imports_only_the_standard_library() -> None:
    wrong = [
        f"{source.shown} imports {name}"
        for source in sources("trading")
        for name in source.imports
        if name.split(".")[0] != "trading" and name.split(".")[0] not in sys.stdlib_module_names
    ]
    assert wrong == []


def test_stages_do_not_import_each_other() -> None:
    wrong = []
    for source in sources("trading"):
        stage = source.module.split(".")[1] if "." in source.module else ""
        if stage not in STAGES:
            continue
        foreign = [
            name for name in own_imports(source) if not within(name, (*BASE, f"trading.{stage}", "trading.ports"))
        ]
        wrong += [f"{source.shown} imports {name}" for name in foreign if not _listed(stage, name)]
    assert wrong == []


def _listed(stage: str, name: str) -> bool:
    """`strategy` decides on what `smc` found; the architecture page lists this one edge."""
    return stage == "strategy" and within(name, ("trading.smc",))


def test_model_and_rules_know_no_stage() -> None:
    lower = [each for each in sources("trading") if within(each.module, (*BASE, "trading.ports"))]
    wrong = [
        f"{source.shown} imports {name}"
        for source in lower
        for name in own_imports(source)
        if within(name, tuple(f"trading.{stage}" for stage in STAGES))
    ]
    assert wrong == []


def test_shared_knows_only_the_words_of_trading() -> None:
    wrong = [
        f"{source.shown} imports {name}"
        for source in sources("shared")
        for name in own_imports(source)
        if name.startswith("trading") and not within(name, _may_use(source))
    ]
    assert wrong == []


def _may_use(source: Source) -> tuple[str, ...]:
    return GUARD_MAY_USE if within(source.module, ("shared.guard",)) else SHARED_MAY_USE


def test_adapters_know_nothing_of_the_guard() -> None:
    wrong = [
        f"{source.shown} imports {name}"
        for source in sources("shared")
        for name in own_imports(source)
        if within(name, ("shared.guard",)) and not within(source.module, ("shared.guard",))
    ]
    assert wrong == []


def test_functions_do_not_import_each_other() -> None:
    wrong = [
        f"{source.shown} imports {name}"
        for source in sources("functions")
        for name in own_imports(source)
        if name.startswith("functions.") and name.split(".")[1] != source.module.split(".")[1]
    ]
    assert wrong == []


def test_no_module_imports_itself_in_circles() -> None:
    files = everything("trading", "shared", "functions", "infra")
    modules = {source.module for source in files}
    graph = {source.module: {_module(name, modules) for name in own_imports(source)} for source in files}
    assert _cycle({module: found - {"", module} for module, found in graph.items()}) == []


def _module(name: str, modules: set[str]) -> str:
    """The module an imported name lies in."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def _cycle(graph: dict[str, set[str]]) -> list[str]:
    """What is left when every module whose imports are all settled is taken away, again and again."""
    left = dict(graph)
    while settled := [module for module, found in left.items() if not found & left.keys()]:
        for module in settled:
            del left[module]
    return sorted(left)
