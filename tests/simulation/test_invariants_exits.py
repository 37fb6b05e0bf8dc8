"""An exit rule that is on and is not asked is caught, and a calm day asks all of them."""

from __future__ import annotations

from typing import Any

import pytest

import functions.manage_exits.exit as exit_module
from tests.simulation.invariants.exits import EveryExitRuleIsAsked
from tests.simulation.invariants.trial import short_day
from trading.exits import registry


def test_calm_day_asks_every_exit_rule() -> None:
    judge = short_day(EveryExitRuleIsAsked)
    assert not judge.found
    assert judge.examined()["EXITS"] > 10


def test_rule_that_is_never_called_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = tuple(each for each in registry.REGISTRY if each[0] != "funding")
    monkeypatch.setattr(registry, "REGISTRY", fewer)
    found = short_day(EveryExitRuleIsAsked).found
    assert found["EXITS"].text.startswith("exit rule funding was not asked")


def test_run_that_asks_nothing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: Any) -> None:
        """As if nothing were open."""

    monkeypatch.setattr(exit_module, "_manage", silent)
    assert short_day(EveryExitRuleIsAsked).found["EXITS"].text.endswith("no exit rule was asked")
