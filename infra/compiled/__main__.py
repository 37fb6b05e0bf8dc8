"""`python -m infra.compiled [build]`: build the detector with mypyc (make compile), or say which build is in use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from infra.compiled.finder import BUILT, FOLDER, ROOT, SOURCES, SWITCH, compiled_modules

HOOK = "zz_smc_trader_compiled.pth"
"""Python runs such files of site-packages at its start; the name sorts behind the one that makes `infra` importable."""
COMPILED = "The detector is compiled"
HOOK_TEXT = "import infra.compiled.finder; infra.compiled.finder.install()\n"


def main() -> None:
    if sys.argv[1:] == ["build"]:
        build(Path(BUILT))
        hook = Path(sysconfig.get_path("purelib"), HOOK)
        hook.write_text(HOOK_TEXT, encoding="utf-8")
        # Asked of a process of its own: this one has begun without the hook.
        command = [sys.executable, "-m", "infra.compiled"]
        found = subprocess.run(command, capture_output=True, text=True, check=True, env=_environment()).stdout.strip()
        if not found.startswith(COMPILED):
            raise SystemExit(f"the build is not used: {found}")
        print(found)
        return
    print(status())


def build(folder: Path) -> None:
    """Compile a copy of the sources and put it in its place as a whole."""
    shutil.rmtree(folder, ignore_errors=True)
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(SOURCES, unfinished, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    files = [str(Path(*FOLDER, f"{module}.py")) for module in compiled_modules(str(unfinished))]
    command = [sys.executable, "-m", "mypyc", "--config-file=", "--strict", *files]
    environment = {**_environment(), SWITCH: "1"}
    made = subprocess.run(command, cwd=unfinished, capture_output=True, text=True, check=False, env=environment)
    if made.returncode:
        raise SystemExit(f"mypyc failed; it needs a C compiler and Python.h.\n{made.stdout}{made.stderr}".rstrip())
    shutil.rmtree(unfinished / "build")
    unfinished.rename(folder)


def status() -> str:
    """What this process runs."""
    from trading.smc import detector

    kind = "The detector is plain Python" if detector.__file__.endswith(".py") else COMPILED
    return f"{kind}: {os.path.relpath(detector.__file__, ROOT)}"


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != SWITCH}


if __name__ == "__main__":
    main()
