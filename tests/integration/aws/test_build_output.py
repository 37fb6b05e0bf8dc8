"""What `sam build` made is what Lambda will import."""

from __future__ import annotations

import os
import platform
import struct
import subprocess
from pathlib import Path

import pytest

from tests.integration.aws.template_reader import TOP, functions

BUILD = TOP / ".aws-sam/build"
LAMBDA_LIMIT_MIB = 250
ELF_MACHINES = {"DependenciesLayerArm64": 0xB7, "DependenciesLayerX86": 0x3E}
IMPORT_ONE = "__import__(sys.argv[1])"
IMPORT_ALL = (
    "import pkgutil, importlib; package = importlib.import_module(sys.argv[1]); "
    "[importlib.import_module(m.name) for m in pkgutil.walk_packages(package.__path__, package.__name__ + '.')]"
)

pytestmark = pytest.mark.skipif(not (BUILD / "template.yaml").exists(), reason="nothing is built: run `make build`")


def artifact(function: str) -> Path:
    return BUILD / ("".join(word.capitalize() for word in function.split("_")) + "Function")


def mebibytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def python_3_13() -> str:
    """Path of the runtime's Python; skips when this machine has none or cannot load the x86_64 layer."""
    if platform.machine() != "x86_64":
        pytest.skip("the built x86_64 layer loads on x86_64 only")
    command = [str(TOP / "infra/aws/with-python3.13"), "python3.13", "-c", "import sys; print(sys.executable)"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(found.stderr.strip())
    return found.stdout.strip()


def test_our_packages_stand_where_lambda_looks() -> None:
    assert (BUILD / "TradingLayer/python/trading/__init__.py").is_file()
    assert (BUILD / "TradingLayer/python/trading/rules.toml").is_file()
    assert (BUILD / "SharedLayer/python/shared/__init__.py").is_file()


@pytest.mark.parametrize("function", sorted(functions()))
def test_function_keeps_its_import_path(function: str) -> None:
    assert (artifact(function) / "functions" / function / "handler.py").is_file()


@pytest.mark.parametrize("layer", sorted(ELF_MACHINES))
def test_layers_fit_into_lambda(layer: str) -> None:
    total = sum(mebibytes(BUILD / name) for name in (layer, "TradingLayer", "SharedLayer"))
    print(f"{layer} with our two layers: {total:.1f} MiB of {LAMBDA_LIMIT_MIB}")
    assert 10 < total < LAMBDA_LIMIT_MIB


@pytest.mark.parametrize(("layer", "machine"), sorted(ELF_MACHINES.items()))
def test_compiled_libraries_match_the_processor(layer: str, machine: int) -> None:
    libraries = list((BUILD / layer).rglob("*.so"))
    assert libraries
    for library in libraries:
        assert struct.unpack_from("<H", library.read_bytes()[:20], 18)[0] == machine, library.name


@pytest.mark.parametrize("layer", [*sorted(ELF_MACHINES), "TradingLayer", "SharedLayer"])
def test_every_layer_module_ships_byte_code(layer: str) -> None:
    sources = list((BUILD / layer).rglob("*.py"))
    missing = [path for path in sources if not (path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc").exists()]
    assert sources
    assert missing == []


def import_on_lambda(statement: str, name: str, *first: Path) -> None:
    """Run `statement` for `name` on Python 3.13 with the built layers and nothing installed on this machine."""
    layers = [BUILD / layer / "python" for layer in ("DependenciesLayerX86", "TradingLayer", "SharedLayer")]
    prepare = "import sys; sys.path = sys.argv[2:] + [p for p in sys.path if 'site-packages' not in p]; "
    command = [python_3_13(), "-S", "-E", "-B", "-c", prepare + statement, name, *map(str, (*first, *layers))]
    environment = {"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("function", sorted(functions()))
def test_built_handler_imports_on_the_lambda_runtime(function: str) -> None:
    import_on_lambda(IMPORT_ONE, f"functions.{function}.handler", artifact(function))


@pytest.mark.parametrize("package", ["shared", "trading", "ccxt"])
def test_every_layer_module_finds_its_imports(package: str) -> None:
    import_on_lambda(IMPORT_ALL, package)
