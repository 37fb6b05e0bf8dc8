"""Trim the installed third-party packages of the Lambda layer and compile them to byte code.

Run by the Makefile beside this file, with the interpreter of the Lambda runtime: `python3.13 trim_packages.py FOLDER`.
FOLDER is the `python/` folder pip has just filled. Why each thing goes:

- ccxt ships about a hundred exchanges; the system speaks to two. Its `__init__` imports them all (3.7 s of cold
  start), so that file is rewritten to the lines whose module is still there.
- botocore stays, pinned: the boto3 inside the Lambda runtime changes without our doing, and the tests ran against this
  one. Only the descriptions of the services the functions call stay.
- Tests, type stubs and command-line scripts are never imported.
- Lambda cannot write byte code under /opt, so it is compiled here. Unchecked hashes, because zip files carry new times.
"""

import compileall
import py_compile
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

EXCHANGES = frozenset({"kraken", "krakenfutures"})
CCXT_PARTS = frozenset({"base", "abstract", "__init__.py"}) | {f"{name}.py" for name in EXCHANGES}
# xray: the tracer's SDK opens a client when it is imported.
AWS_SERVICES = frozenset({"dynamodb", "secretsmanager", "sns", "sqs", "ssm", "sts", "xray"})
TEST_FOLDERS = frozenset({"tests", "test"})
# cryptography needs the compiled `_cffi_backend` beside these two, not the parser that made it.
UNUSED_PACKAGES = ("bin", "cffi", "pycparser", "wrapt-stubs", "boto3/examples")
EXCHANGE_LINE = re.compile(r"from ccxt\.(?P<imported>\w+) import|    '(?P<listed>\w+)',")


class TrimError(Exception):
    """The installed packages do not look as this script expects; the message says what is missing."""


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit("usage: trim_packages.py FOLDER")
    root = Path(arguments[0])
    try:
        trim(root)
    except TrimError as error:
        raise SystemExit(f"The dependencies layer cannot be trimmed: {error}") from None
    compile_byte_code(root)


def trim(root: Path) -> None:
    """Remove from `root` what the functions never import. Raises TrimError when a package is not where it should be."""
    for name in UNUSED_PACKAGES:
        shutil.rmtree(root / name, ignore_errors=True)
    trim_ccxt(existing_folder(root / "ccxt"))
    trim_botocore(existing_folder(root / "botocore" / "data"))
    for path in list(unused_everywhere(root)):
        remove(path)


def trim_ccxt(package: Path) -> None:
    removed = {path.stem for path in package.iterdir() if path.name not in CCXT_PARTS}
    missing = sorted(EXCHANGES - {path.stem for path in package.iterdir()})
    if missing:
        raise TrimError(f"ccxt has no {', '.join(missing)}.")
    for path in [*package.iterdir(), *existing_folder(package / "abstract").iterdir()]:
        if path.stem in removed and path.stem not in EXCHANGES:
            remove(path)
    init = package / "__init__.py"
    lines = init.read_text().splitlines(keepends=True)
    init.write_text("".join(line for line in lines if module_named_by(line) not in removed))


def module_named_by(line: str) -> str | None:
    """The exchange that a line of ccxt's `__init__` imports or lists, or None for every other line."""
    found = EXCHANGE_LINE.match(line)
    return found["imported"] or found["listed"] if found else None


def trim_botocore(data: Path) -> None:
    for path in list(data.iterdir()):
        if path.is_dir() and path.name not in AWS_SERVICES:
            remove(path)
    missing = sorted(AWS_SERVICES - {path.name for path in data.iterdir()})
    if missing:
        raise TrimError(f"botocore does not describe {', '.join(missing)}.")


def unused_everywhere(root: Path) -> Iterator[Path]:
    """Test folders, byte code of another interpreter, type stubs and C sources, in any package."""
    for path in root.rglob("*"):
        is_test = path.is_dir() and path.name in TEST_FOLDERS
        if is_test or path.name == "__pycache__" or path.suffix in {".pyi", ".pyx", ".pxd", ".c", ".h"}:
            yield path


def compile_byte_code(root: Path) -> None:
    done = compileall.compile_dir(
        root,
        quiet=1,
        workers=0,
        stripdir=str(root.parent),
        prependdir="/opt",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not done:
        raise SystemExit("The dependencies layer cannot be compiled: a file above is not valid Python.")


def existing_folder(path: Path) -> Path:
    if not path.is_dir():
        raise TrimError(f"{path} should be a folder and is not there.")
    return path


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1:])
