"""Which rules each limit goes by: heard while it judges its scenes, and read where the records it uses are made."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from functools import cache
from types import ModuleType
from typing import Any

from tests.fakes.records import RULES
from tests.unit.risk.cases import Scene
from tests.unit.risk.limit_cases import CASES
from trading.model.instruments import Tier
from trading.model.risk import RefusalReason as R
from trading.model.signals import Setup
from trading.model.units import Money
from trading.risk import day, disorder, gate, guards
from trading.risk.case import RiskCase
from trading.risk.limits import Limit
from trading.risk.sizing import trade_cost
from trading.rules import Rules
from trading.strategy import signals

CAPS: dict[R, tuple[str, ...]] = {
    R.MINIMUM_SIZE: ("risk.risk_per_trade_pct",),
    R.TIER_NOTIONAL: ("risk.notional_pct_tier_a", "risk.notional_pct_tier_b", "risk.notional_pct_tier_c"),
    R.TIER_NOTIONAL_USD: ("risk.notional_usd_tier_a", "risk.notional_usd_tier_b", "risk.notional_usd_tier_c"),
    R.LEVERAGE: ("risk.leverage_tier_a", "risk.leverage_tier_b", "risk.leverage_tier_c"),
    R.VENUE_MAXIMUM: (),
    R.VOLUME_SHARE: ("risk.volume_share_pct",),
    R.DEPTH: ("risk.depth_within_bps", "risk.depth_multiple"),
    R.SINGLE_MARGIN: ("risk.margin_single_pct",),
    R.AVAILABLE_MARGIN: ("risk.margin_available_pct",),
}
"""Sizing reckons all caps at once, so that hearing it would not tell whose rule is whose."""

BY_RECORDS: dict[R, tuple[Callable[..., Any] | ModuleType, ...]] = {
    R.KILL_LEVEL: (guards,),
    R.SIGNAL_EXPIRED: (signals,),
    R.MARKET_DISORDER: (disorder,),
    R.LOSS_STREAK: (day.count_trade, day._one_more),
}
"""Code that makes the record a limit looks at: its rules decide too."""

NO_LIMIT = {"risk.daily_loss_warning_share": "warns once this share of the day's limit is lost"}
"""Rules of the risk section that refuse nothing."""


class HeardRules:
    """The rules, remembering which keys were asked for as `section.key`."""

    def __init__(self, rules: Any, heard: set[str], section: str = "") -> None:
        self._rules, self._heard, self._section = rules, heard, section

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._rules, name)
        if is_dataclass(value):
            return HeardRules(value, self._heard, name)
        self._heard.add(f"{self._section}.{name}")
        return value


@cache
def limit_of(reason: R) -> Limit:
    """The limit that gives this reason."""
    return next(
        limit
        for limit in gate.LIMITS
        if any((check := limit(scene.case())) is not None and check.reason is reason for scene in scenes(reason))
    )


def scenes(reason: R) -> Iterator[Scene]:
    """The limit's two scenes, as they are, as those of a wide setup, with dear funding, with lower tiers, and on a day
    that is far below a peak of its week or of before."""
    case = CASES[reason]
    # Without a ladder on the tick there is nothing that a limit could judge.
    for scene in (case.inside,) if reason is R.LEVELS else (case.inside, case.beyond):
        yield scene
        yield scene.but(signal=replace(scene.signal, setup=Setup.TREND))
        yield scene.but(quote=replace(scene.quote, hourly_funding=Decimal("0.0001")))
        yield scene.but(
            signal=replace(scene.signal, setup=Setup.TREND),
            quote=replace(scene.quote, hourly_funding=Decimal("0.0001")),
        )
        for tier in (Tier.B, Tier.C):
            yield scene.but(instrument=replace(scene.instrument, tier=tier))
        peak = Money(scene.day.last_equity * 2)
        yield scene.but(day=replace(scene.day, week_peak_equity=peak, highest_equity=scene.day.last_equity))
        yield scene.but(day=replace(scene.day, week_peak_equity=scene.day.last_equity, highest_equity=peak))


def heard_keys(reason: R) -> set[str]:
    """Rules that the limit itself reads in its scenes."""
    heard: set[str] = set()
    for scene in scenes(reason):
        limit_of(reason)(replace(scene.case(), rules=heard_rules(scene.rules, heard)))
        if reason is R.COST:
            trade_cost(scene.signal, scene.instrument, scene.quote, heard_rules(scene.rules, heard))
    return heard


def heard_rules(rules: Rules, heard: set[str]) -> Rules:
    found: Any = HeardRules(rules, heard)
    return found  # type: ignore[no-any-return]


def record_keys(reason: R) -> set[str]:
    """Rules read by the code that makes the records which the limit looks at."""
    return {key for source in BY_RECORDS.get(reason, ()) for key in _read_in(source)}


def _read_in(source: Callable[..., Any] | ModuleType) -> Iterator[str]:
    known = {each.name for each in fields(type(RULES.risk))}
    for node in ast.walk(ast.parse(inspect.getsource(source))):
        if not isinstance(node, ast.Attribute):
            continue
        holder = ast.unparse(node.value).split(".")[-1]
        if holder == "execution":
            yield f"execution.{node.attr}"
        elif holder in ("rules", "risk") and node.attr in known:
            yield f"risk.{node.attr}"


@cache
def keys_of(reason: R) -> tuple[str, ...]:
    """Every rule of the limit as `section.key`, in the order of the rules file."""
    found = heard_keys(reason) | record_keys(reason) | set(CAPS.get(reason, ()))
    order = [f"{part.name}.{key.name}" for part in fields(RULES) if part.name != "fingerprint" for key in _keys(part)]
    return tuple(each for each in order if each in found)


def _keys(section: Any) -> tuple[Any, ...]:
    return fields(getattr(RULES, section.name))


def value_of(rules: Rules, key: str) -> Any:
    section, _, name = key.partition(".")
    return getattr(getattr(rules, section), name)


def with_value(rules: Rules, key: str, value: Any) -> Rules:
    section, _, name = key.partition(".")
    return replace(rules, **{section: replace(getattr(rules, section), **{name: value})})


def judged(scene: Scene, reason: R) -> object:
    """What the limit says about this scene, sized anew by the scene's rules."""
    case: RiskCase = scene.case()
    return limit_of(reason)(case)
