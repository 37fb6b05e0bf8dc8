"""What a run is failed for, what an entry of survivors.toml has to be, and how little the property tests do."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mutation.__main__ import STAGES
from tests.mutation.few_examples import EXAMPLES, Collected, pytest_collection_modifyitems
from tests.mutation.mutants import Mutant, Outcome, changed_lines, place_of
from tests.mutation.verdict import Accepted, problems, read_accepted
from tests.mutation.workspace import PACKAGE, Stage, module_of

ROOT = Path(__file__).parents[2]


def mutant(outcome: Outcome, changed: str = "return b") -> Mutant:
    return Mutant(module="trading.risk.day", function="f", outcome=outcome, line="return a", mutant=changed)


def accepted(changed: str = "return b", times: int = 1) -> Accepted:
    place = {"module": "trading.risk.day", "function": "f", "line": "return a"}
    return Accepted(**place, mutant=changed, reason="Both are equal.", times=times)


def killed(count: int) -> list[Mutant]:
    return [mutant(Outcome.KILLED)] * count


def test_explained_survivors_pass_above_the_wanted_score() -> None:
    assert problems({"risk": [*killed(9), mutant(Outcome.SURVIVED)]}, [accepted()]) == []
    assert problems({"risk": [*killed(8), mutant(Outcome.SURVIVED)]}, [accepted()]) != []


def test_time_limit_kills_but_unreached_code_survives() -> None:
    assert problems({"risk": [mutant(Outcome.TIMED_OUT)]}, []) == []
    told = problems({"risk": [*killed(9), mutant(Outcome.UNREACHED)]}, [])
    assert told == ["An unlisted mutant survives in trading.risk.day.f: 'return a' became 'return b'."]


def test_listed_survivor_that_is_gone_is_told() -> None:
    told = problems({"risk": killed(10)}, [accepted()])
    assert told == ["A listed survivor is gone in trading.risk.day.f: 'return a' became 'return b'."]
    assert problems({"exits": killed(10)}, [accepted()]) == []


def test_one_entry_excuses_one_survivor_only() -> None:
    twice = {"risk": [*killed(20), *[mutant(Outcome.SURVIVED)] * 2]}
    assert problems(twice, [accepted()]) != []
    assert problems(twice, [accepted(times=2)]) == []
    assert problems(twice, [accepted(times=3)]) != []


def test_stage_without_any_mutant_is_told() -> None:
    assert problems({"risk": []}, []) == ["Stage risk has no mutants: expected at least one."]


def test_survivor_without_a_sentence_is_refused() -> None:
    with pytest.raises(ValueError, match="no sentence"):
        Accepted(module="m", function="f", line="a", mutant="b", reason="")


def test_unknown_stage_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'nowhere'"):
        Stage(ROOT, "nowhere")


def test_function_of_the_system_is_a_stage() -> None:
    control = Stage(ROOT, "control")
    assert (control.module, control.tests) == ("functions.control_trading", "tests/unit/operator")
    assert control.sources == ROOT / "functions/control_trading"
    assert "functions.control_trading.handler.handler" in control.decorated()


def test_survivor_of_a_function_is_excused_by_name() -> None:
    module = "functions.control_trading.pages"
    found, excuse = replace(mutant(Outcome.SURVIVED), module=module), replace(accepted(), module=module)
    assert problems({"control": [*killed(10), found]}, [excuse]) == []
    assert problems({"control": [*killed(10), found]}, []) != []
    assert problems({"control": killed(10)}, [excuse]) != []


def test_every_listed_survivor_is_judged_by_default() -> None:
    """One of a stage that nobody runs would never be found to be gone."""
    prefixes = tuple(f"{module_of(name)}." for name in STAGES)
    listed = read_accepted(ROOT / "tests/mutation/survivors.toml")
    assert [each for each in listed if not each.module.startswith(prefixes)] == []
    assert all(any(each.module.startswith(prefix) for each in listed) for prefix in prefixes)


def test_names_and_diffs_of_mutmut_are_read() -> None:
    assert place_of("trading.risk.sizing.x__at_stop__mutmut_3") == ("trading.risk.sizing", "_at_stop")
    assert place_of("trading.risk.case.xǁRiskCaseǁnotional__mutmut_12") == ("trading.risk.case", "RiskCase.notional")
    diff = "--- a.py\n+++ a.py\n@@ -1,3 +1,2 @@\n def f():\n-    g(\n-        -1,\n+    g(\n"
    assert changed_lines(diff) == ("g(\n-1,", "g(")


def test_property_tests_try_few_and_equal_examples() -> None:
    seen: list[int] = []

    @settings(max_examples=300)
    @given(st.integers())
    def check(value: int) -> None:
        seen.append(value)

    collected: list[Collected] = [SimpleNamespace(obj=check, nodeid="check")]
    pytest_collection_modifyitems(collected)
    check()
    first = list(seen)
    seen.clear()
    check()
    assert 0 < len(first) <= EXAMPLES
    assert seen == first


def test_short_tests_run_before_long_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mutmut-stats.json").write_text('{"duration_by_test": {"long": 2.5, "short": 0.1}}')
    items: list[Collected] = [SimpleNamespace(obj=print, nodeid=name) for name in ("long", "short", "unknown")]
    pytest_collection_modifyitems(items)
    assert [each.nodeid for each in items] == ["unknown", "short", "long"]


def test_every_listed_survivor_quotes_its_function() -> None:
    assert [
        each for each in read_accepted(ROOT / "tests/mutation/survivors.toml") if not quotes_its_function(each)
    ] == []
    assert not quotes_its_function(accepted())


def quotes_its_function(survivor: Accepted) -> bool:
    top, *inside = survivor.module.split(".")
    path = (ROOT / (PACKAGE if top == "trading" else top)).joinpath(*inside).with_suffix(".py")
    source = path.read_text(encoding="utf-8")
    name = survivor.function.rpartition(".")[2]
    functions = [
        each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.FunctionDef) and each.name == name
    ]
    bodies = [source.splitlines()[each.lineno - 1 : each.end_lineno] for each in functions]
    return any({*survivor.line.splitlines()} <= {row.strip() for row in body} for body in bodies)
