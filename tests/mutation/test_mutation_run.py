"""The runner on a small project of its own, with the real mutmut: one stage well tested, its other module not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.mutation import report
from tests.mutation.__main__ import judge
from tests.mutation.mutants import Mutant, RunStopped
from tests.mutation.verdict import Accepted, change_of
from tests.mutation.workspace import Stage

PROJECT = {
    "pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\npythonpath = ["."]\n',
    "layers/trading/python/trading/__init__.py": "",
    "layers/trading/python/trading/shop/__init__.py": "",
    "layers/trading/python/trading/shop/discount.py": (
        "def discounted(price: int, percent: int) -> int:\n    return price - price * percent // 100\n"
    ),
    "layers/trading/python/trading/shop/surcharge.py": (
        "def adding(cents):\n    def add(price):\n        return price + cents\n\n    return add\n\n\n"
        "ADD_TEN = adding(10)\n"
    ),
    "layers/trading/python/trading/shop/postage.py": "def postage(weight: int) -> int:\n    return 4 + weight\n",
    "tests/unit/shop/test_discount.py": (
        "from trading.shop.discount import discounted\n\n\n"
        "def test_discount():\n    assert (discounted(1010, 10), discounted(15, 10)) == (909, 14)\n"
    ),
    "tests/unit/shop/test_surcharge.py": (
        "from trading.shop.surcharge import ADD_TEN\n\n\ndef test_surcharge():\n    assert ADD_TEN(5) == 15\n"
    ),
    "tests/unit/shop/test_postage.py": (
        "from trading.shop.postage import postage\n\n\ndef test_postage():\n    postage(3)\n"
    ),
}
POSTAGE = {"return 5 + weight", "return 4 - weight"}


def written(root: Path, name: str = "shop") -> Stage:
    for path_name, text in (PROJECT | FUNCTION).items():
        path = root / path_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Stage(root, name)


FUNCTION = {
    "shared/__init__.py": "",
    "shared/rates.py": "def rate() -> int:\n    return 3\n",
    "functions/__init__.py": "",
    "functions/control_trading/__init__.py": "",
    "functions/control_trading/till.py": (
        "from shared.rates import rate\nfrom trading.shop.postage import postage\n\n\n"
        "def total(weight: int) -> int:\n    return rate() * postage(weight)\n"
    ),
    "functions/other/__init__.py": "def untouched(number: int) -> int:\n    return number + 1\n",
    "tests/unit/operator/test_till.py": (
        "from functions.control_trading.till import total\n\n\ndef test_total():\n    assert total(3) == 21\n"
    ),
}
"""A function of the system beside the package, which it imports."""


def fingerprints(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file() and "out" not in path.relative_to(root).parts)
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, report.Findings]:
    stage = written(tmp_path_factory.mktemp("project"))
    before = fingerprints(stage.root)
    findings = judge([stage], [], processes=2)
    assert fingerprints(stage.root) == before, "the runner changed the project that it was given"
    return stage.root, findings


def test_real_test_kills_every_mutant_of_its_module(shop: tuple[Path, report.Findings]) -> None:
    score = next(each for each in shop[1].scores if each.name == "trading.shop.discount")
    assert (score.mutants, score.killed, score.survived) == (4, 4, 0)


def test_mutants_of_what_runs_on_import_are_killed(shop: tuple[Path, report.Findings]) -> None:
    score = next(each for each in shop[1].scores if each.name == "trading.shop.surcharge")
    assert (score.mutants, score.killed, score.survived) == (1, 1, 0)


def test_useless_test_lets_its_mutants_survive(shop: tuple[Path, report.Findings]) -> None:
    assert {each.module for each in shop[1].survivors} == {"trading.shop.postage"}
    assert {each.mutant for each in shop[1].survivors} == POSTAGE
    assert {each.line for each in shop[1].survivors} == {"return 4 + weight"}


def test_low_score_and_every_survivor_are_told(shop: tuple[Path, report.Findings]) -> None:
    low, *unlisted = shop[1].problems
    assert low == "The score of trading.shop is 71.4 %, expected at least 90 %."
    assert len(unlisted) == len(POSTAGE)
    assert all(any(mutant in problem for problem in unlisted) for mutant in POSTAGE)


def test_function_is_mutated_beside_the_untouched_package(tmp_path: Path) -> None:
    stage = written(tmp_path, "control")
    before = fingerprints(tmp_path)
    findings = judge([stage], [], processes=2)
    assert [(each.name, each.mutants, each.killed) for each in findings.scores] == [
        ("functions.control_trading.till", 2, 2),
        ("functions.control_trading", 2, 2),
    ]
    assert (findings.survivors, findings.problems) == ([], [])
    assert fingerprints(tmp_path) == before


def test_tests_that_fail_unmutated_stop_the_run(tmp_path: Path) -> None:
    stage = written(tmp_path)
    (tmp_path / "tests/unit/shop/test_postage.py").write_text("def test_broken():\n    assert 1 == 2\n")
    with pytest.raises(RunStopped, match=r"exit code 1 on shop:(.|\n)*assert 1 == 2"):
        judge([stage], [], processes=1)


def test_report_and_page_carry_every_survivor(shop: tuple[Path, report.Findings]) -> None:
    root, findings = shop
    accepted = [explained(each) for each in findings.survivors[:1]]
    text = report.write(findings, accepted, root / "out/mutation").read_text()
    page = report.document(findings, accepted)
    unlisted = (root / "out/mutation/unlisted.toml").read_text()
    assert all(mutant in text and f"+ {mutant}" in page for mutant in POSTAGE)
    assert unlisted.count("[[survivor]]") == 1
    assert "Postage is never read." in page
    assert "Not explained yet." in page


def explained(mutant: Mutant) -> Accepted:
    module, function, line, changed = change_of(mutant)
    return Accepted(module=module, function=function, line=line, mutant=changed, reason="Postage is never read.")
