"""Builders of looks at a market of five coins and one major, all at 100."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.fakes.records import NOW, RULES, quote
from trading.model.disorder import MarketSight, MarketWatch
from trading.model.units import Price
from trading.model.venue import ContractStress, Quote
from trading.risk.disorder import watch_quotes
from trading.rules import RiskRules

RISK = RULES.risk
HALF_AN_HOUR = timedelta(minutes=30)
MAJOR = "MAJOR"
COINS = ("A", "B", "C", "D", "E")


def sight(
    at: datetime = NOW, marks: Mapping[str, Any] | None = None, stress: tuple[ContractStress, ...] = (), **odd: Quote
) -> MarketSight:
    """All coins at 100 but those in `marks`; `odd` are whole quotes by contract."""
    prices = dict.fromkeys((*COINS, MAJOR), 100) | dict(marks or {})
    quotes = {contract: quote(contract, mark) for contract, mark in prices.items()} | odd
    return MarketSight(quotes=quotes, stress={each.contract: each for each in stress}, majors=frozenset({MAJOR}), at=at)


def looked(*sights: MarketSight, rules: RiskRules = RISK) -> MarketWatch:
    """The watch after these looks one after the other."""
    watch: MarketWatch | None = None
    for each in sights:
        watch = watch_quotes(watch, each, rules)
    assert watch is not None
    return watch


def paused(watch: MarketWatch) -> list[str]:
    return [each.contract for each in watch.pauses]


def each_of(names: str, make: Callable[[str], Quote]) -> dict[str, Any]:
    return {name: make(name) for name in names}


def torn(contract: str, mark: Any, index: Any = 100) -> Quote:
    return quote(contract, mark, index=Price(index))
