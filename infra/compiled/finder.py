"""Finds the compiled detector; the hook that `make compile` leaves in .venv calls `install` at every start.

What is built lies in out/compiled with a copy of the sources it was built from. A module is taken from there only while
these copies equal the checkout's files, and only in place of the checkout's own package: an edited file, another
Python or another installation of `trading` runs as plain Python. Nothing is ever put beside the sources, so no
archive, layer or wheel can pick it up. PLAIN_DETECTOR=1 in the environment leaves it unused.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Final

ROOT: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES: Final = os.path.join(ROOT, "layers", "trading", "python")
BUILT: Final = os.path.join(ROOT, "out", "compiled", EXTENSION_SUFFIXES[0].split(".")[1])
PACKAGE: Final = "trading.smc"
FOLDER: Final = ("trading", "smc")
# Values that are checked when they are made, and constants: nothing of them is hot.
PLAIN: Final = ("__init__", "concept_parameters", "concept_state", "events", "parameters", "state")
GROUP_ENDING: Final = "__mypyc"
SWITCH: Final = "PLAIN_DETECTOR"


class CompiledFinder:
    """A finder of the import system: `built` in place of `sources`, as long as one was made from the other."""

    def __init__(self, sources: str = SOURCES, built: str = BUILT) -> None:
        self.sources = sources
        self.built = built
        self._current: bool | None = None

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's extension, or None where the usual finders are to look."""
        package, _, module = name.rpartition(".")
        if package == PACKAGE and module not in PLAIN:
            if os.path.join(self.sources, *FOLDER) not in (path or ()) or not self.is_current():
                return None
            file = self._extension(module)
            return spec_from_file_location(name, file, loader=ExtensionFileLoader(name, file))
        # The modules share one library, which their extensions import by its own name.
        if not package and name.endswith(GROUP_ENDING):
            return PathFinder.find_spec(name, [self.built])
        return None

    def is_current(self) -> bool:
        """Whether all of the package was built, and from sources equal to those of today. Looked at once.

        All of it: compiled modules hold constants of the others, and know how their objects are laid out.
        """
        if self._current is None:
            sources = _python_files(self.sources)
            built = _python_files(self.built)
            extensions = [self._extension(module) for module in compiled_modules(self.sources)]
            self._current = bool(sources) and sources == built and all(map(os.path.exists, extensions))
        return self._current

    def _extension(self, module: str) -> str:
        return os.path.join(self.built, *FOLDER, module + EXTENSION_SUFFIXES[0])


def install() -> None:
    """Let this process use the compiled modules."""
    if not os.environ.get(SWITCH) and os.path.isdir(BUILT):
        sys.meta_path.insert(0, CompiledFinder())


def compiled_modules(root: str) -> list[str]:
    """The modules of the package below `root` that a build compiles, in order."""
    return [name for name in sorted(_python_files(root)) if name not in PLAIN]


def _python_files(root: str) -> dict[str, bytes]:
    """Content by module; empty where there is no such folder."""
    folder = os.path.join(root, *FOLDER)
    found = {}
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as file:
                found[name.removesuffix(".py")] = file.read()
    return found
