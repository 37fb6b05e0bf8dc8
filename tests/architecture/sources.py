"""The project's own source files and what they import, read with `ast`; nothing is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRADING_ROOT = ROOT / "layers" / "trading" / "python"
PARTS = {"functions": ROOT, "shared": ROOT, "infra": ROOT, "tests": ROOT, "trading": TRADING_ROOT}


@dataclass(frozen=True)
class Source:
    """One file: its dotted name (`trading.risk.gate`), its text and its tree."""

    path: Path
    module: str
    text: str
    tree: ast.Module

    @property
    def shown(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def imports(self) -> tuple[str, ...]:
        """Dotted names of everything imported, at any depth of the file."""
        return tuple(_imported(self))


@cache
def sources(part: str) -> tuple[Source, ...]:
    """All files of one part, in order."""
    base = PARTS[part]
    found = []
    for path in sorted((base / part).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        names = path.relative_to(base).with_suffix("").parts
        module = ".".join(names[:-1] if names[-1] == "__init__" else names)
        found.append(Source(path=path, module=module, text=text, tree=ast.parse(text)))
    return tuple(found)


def everything(*parts: str) -> tuple[Source, ...]:
    return tuple(source for part in parts or PARTS for source in sources(part))


def _imported(source: Source) -> Iterator[str]:
    package = source.module if source.path.name == "__init__.py" else source.module.rpartition(".")[0]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def functions_of(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
