"""Nobody but the account's translation says what our equity is, and nobody reads balances to work it out."""

from __future__ import annotations

import ast

from tests.architecture.sources import Source, everything

TRANSLATION, BODIES = "shared/venue/account_translation.py", "shared/venue/bodies.py"
PAPER = "shared/venue/paper.py"
"""A venue of its own: its equity is that of its books."""

BALANCES = {"balance_value", "collateral_value", "portfolio_value", "margin_equity", "currencies", "balances"}
ON_THE_WIRE = {"balanceValue", "collateralValue", "portfolioValue", "marginEquity", "totalUnrealized"}


def production() -> list[Source]:
    return [each for each in everything("trading", "shared", "functions") if "/matching/" not in each.shown]


def test_only_the_translation_makes_an_account() -> None:
    makers = {
        source.shown
        for source in production()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Account"
    }
    assert makers == {TRANSLATION, PAPER}


def test_only_the_translation_reads_the_margin_equity() -> None:
    readers = {
        source.shown
        for source in production()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and node.attr in BALANCES
    }
    assert readers == {TRANSLATION}


def test_wire_names_of_balances_are_nowhere_else() -> None:
    found = {
        source.shown
        for source in production()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and node.value in ON_THE_WIRE
    }
    assert found == set()


def test_bodies_carry_no_single_balances() -> None:
    (bodies,) = [each for each in production() if each.shown == BODIES]
    fields = {
        node.target.id
        for node in ast.walk(bodies.tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assert fields & BALANCES == {"margin_equity", "portfolio_value"}
