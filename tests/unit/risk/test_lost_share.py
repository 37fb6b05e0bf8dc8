from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.records import NOW, RULES, risk_day
from trading.model.control import RiskDay
from trading.model.units import Money
from trading.risk.day import lost_share, mark_equity, near_limit
from trading.risk.guards import automatic_level


@pytest.mark.parametrize(
    ("peak", "equity", "lost"),
    [
        ("10000", "9500", "5"),
        ("1", "0.5", "50"),
        ("0.01", "0", "100"),
        ("0.01", "-0.01", "200"),
        ("100", "101", "-1"),
        ("0", "0", "0"),
        ("0", "-0.01", "100"),
        ("0", "0.01", "0"),
        ("-5", "-5", "0"),
        ("-5", "-5.01", "100"),
        ("-5", "-4.99", "0"),
        ("-5", "7", "0"),
    ],
)
def test_share_lost_is_exact_around_nothing(peak: str, equity: str, lost: str) -> None:
    assert lost_share(Decimal(peak), Decimal(equity)) == Decimal(lost)


def marked(*equities: str) -> RiskDay:
    day = None
    for equity in equities:
        day = mark_equity(day, Money(equity), NOW, RULES.risk)
    assert day is not None
    return day


@pytest.mark.parametrize("equities", [("0",), ("0", "0"), ("-5",), ("-5", "-4"), ("0", "10000", "9600")])
def test_account_that_never_lost_is_not_halted(equities: tuple[str, ...]) -> None:
    day = marked(*equities)
    assert not day.halted
    assert automatic_level(day, RULES.risk) is None


@pytest.mark.parametrize("equities", [("0", "-0.01"), ("-5", "-5.01"), ("0", "10000", "9500")])
def test_loss_after_nothing_halts_the_day(equities: tuple[str, ...]) -> None:
    assert marked(*equities).halted


def test_empty_account_is_not_near_its_limit() -> None:
    assert not near_limit(marked("0"), RULES.risk)
    assert near_limit(risk_day(peak_equity=Money(0), last_equity=Money("-0.01")), RULES.risk)
