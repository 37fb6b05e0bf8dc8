"""What each rule says it saw: the trace of an exit is read by a person who wants the values, not the name of a rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.records import NOW, filled, rules_with
from tests.unit.exits.exit_cases import after_target, case, hourly, rules_of, shaken, trace, watch
from trading.exits.case import ExitCase
from trading.exits.registry import REGISTRY, decide_exit
from trading.model.decisions import Bias
from trading.model.units import Price

AT_11 = NOW + timedelta(hours=1)
INDEX = {"index": Price(100)}
STEP, FAR = (105.0, 104.0), (106.0, 105.0)
NEVER_OPENED = filled(opened_at=None)
UNFILLED = after_target(fills=())


def runner(*newest: tuple[float, float], **more: Any) -> ExitCase:
    position = after_target(**({"stop": Price("100.4")} | more.pop("position", {})))
    values: dict[str, Any] = {"mark": 104, "bars": hourly(AT_11, *newest)} | more
    return case(position, **values)


SAID = [
    ("basis_after_fill", case(NEVER_OPENED), "without input: when it was opened"),
    ("basis_after_fill", case(), "filled more than 5 minutes ago"),
    ("basis_after_fill", case(hours=0), "without input: a fresh quote with its index"),
    ("basis_after_fill", case(mark="100.5", hours=0, quoted=INDEX), "mark 100.5 is 0.50 % from its index 100"),
    (
        "basis_after_fill",
        case(mark=98, hours=0, quoted=INDEX),
        "mark 98 is 2.00 % from its index 100 soon after the fill",
    ),
    ("premise", case(last_close=None), "without input: the close of the newest 15m bar"),
    ("premise", case(last_close=99.5), "closed at 99.5, invalidation 98.5"),
    ("premise", case(last_close=98.25), "closed at 98.25 beyond the invalidation 98.5"),
    ("abandon_ship", case(rules=rules_with('{"bias": {"enabled": false}}')), "the bias is switched off"),
    ("abandon_ship", case(trace=None), "without input: a decision of the last 2 hours"),
    (
        "abandon_ship",
        case(trace=trace(AT_11, None)),
        "without input: the bias: the decision at 2024-05-01T11:00:00.000Z was NO_SETUP",
    ),
    (
        "abandon_ship",
        case(trace=trace(NOW, Bias.DOWN, Bias.UP)),
        "daily bias down, 4h structure up at 2024-05-01T10:00:00.000Z, when it was planned",
    ),
    (
        "abandon_ship",
        case(trace=trace(AT_11, Bias.DOWN, Bias.UP)),
        "daily bias down, 4h structure up at 2024-05-01T11:00:00.000Z: turned against the long",
    ),
    ("funding", case(mark=None), "without input: a fresh quote with its funding"),
    (
        "funding",
        case(quoted={"hourly_funding": Decimal("0.00001")}),
        "funding of 24 hours at the rate of now 2.40 bps",
    ),
    (
        "funding",
        case(quoted={"hourly_funding": Decimal("0.0002")}),
        "funding of 24 hours at the rate of now 48.00 bps, above 30",
    ),
    ("time_exit", case(after_target()), "first target at 2024-05-01T10:20:30.000Z"),
    ("time_exit", case(NEVER_OPENED), "without input: when it was opened"),
    ("time_exit", case(), "opened at 2024-05-01T10:00:30.000Z, less than 20 bars of 15m ago"),
    ("time_exit", case(hours=5), "no first target within 20 bars of 15m"),
    ("maximum_hold", case(NEVER_OPENED), "without input: when it was opened"),
    ("maximum_hold", case(), "opened at 2024-05-01T10:00:30.000Z, less than 72 hours ago"),
    ("maximum_hold", case(hours=72), "held for 72 hours"),
    ("break_even", case(), "no first target yet"),
    ("break_even", case(UNFILLED), "without input: the price of its entry"),
    (
        "break_even",
        case(after_target(stop=Price("100.4"))),
        "break-even after the first target: 100.4 is not tighter than 100.4",
    ),
    ("break_even", case(after_target(), mark=None), "without input: a fresh quote"),
    ("break_even", case(after_target(), mark=100), "break-even after the first target: the mark 100 has passed 100.4"),
    ("break_even", case(after_target()), "break-even after the first target: stop to 100.4"),
    ("market_disorder", case(watch=None), "without input: a readable market watch of late"),
    ("market_disorder", case(), "PF_COINUSD is calm"),
    ("market_disorder", case(watch=watch(AT_11, marks={})), "without input: PF_COINUSD in the market watch"),
    (
        "market_disorder",
        case(watch=watch(AT_11, shaken(AT_11))),
        "break-even in disorder (it jumped): stop to 100.4",
    ),
    ("trailing", case(), "no first target yet"),
    ("trailing", runner(bars=None), "without input: 1h bars of the last 3 hours"),
    (
        "trailing",
        runner(bars=hourly(AT_11, STEP, count=14)),
        "without input: 15 closed 1h bars that moved, of 14",
    ),
    (
        "trailing",
        runner(STEP, position={"first_target_at": AT_11}),
        "no 1h bar has closed since the first target at 2024-05-01T11:00:30.000Z",
    ),
    (
        "trailing",
        runner(bars=hourly(AT_11, *[(100.0, 1.0)] * 16)),
        "1.5 x ATR 99 from the best price 100 is no price",
    ),
    (
        "trailing",
        runner(STEP, position={"stop": Price("103.00")}),
        "1.5 x ATR 1.28571 from the best price 105: 103 is not tighter than 103",
    ),
    ("trailing", runner(STEP, mark=None), "without input: a fresh quote"),
    (
        "trailing",
        runner(STEP, mark=103),
        "the mark 103 has passed the trailing stop: 1.5 x ATR 1.28571 from the best price 105",
    ),
    ("trailing", runner(STEP), "1.5 x ATR 1.28571 from the best price 105: stop to 103"),
    ("progressive_tightening", runner(STEP), "the best price since the first target is 2.5 R"),
    ("progressive_tightening", runner(FAR, position={"fills": ()}), "without input: the price of its entry"),
    (
        "progressive_tightening",
        runner(FAR),
        "at 3.0 R, the mark 104 has passed it: 1.3 x ATR 1.35714 from the best price 106",
    ),
    (
        "progressive_tightening",
        runner(FAR, mark=105),
        "1.3 x ATR 1.35714 from the best price 106: stop to 104.2",
    ),
]


@pytest.mark.parametrize(("rule", "given", "text"), SAID)
def test_rule_says_the_values_it_saw(rule: str, given: ExitCase, text: str) -> None:
    alone = replace(given, rules=replace(given.rules, exits=rules_of(rule).exits))
    assert decide_exit(alone).details == ((rule, text),)


@pytest.mark.parametrize("rule", [name for name, _ in REGISTRY])
def test_every_rule_says_what_is_missing(rule: str) -> None:
    texts = [text for name, _, text in SAID if name == rule]
    missing = [text for text in texts if text.startswith("without input: ")]
    assert 0 < len(missing) < len(texts)
