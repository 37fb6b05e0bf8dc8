"""Builders of exit cases: COIN at 100, long with stop 98 and targets 102 and 105, or the mirror image, and calm."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.fakes.records import BAR, NOW, RULES, filled, quote, rules_with
from trading.exits.case import ExitCase
from trading.exits.registry import REGISTRY, ExitVerdict
from trading.model.candles import Candle, CandleSeries
from trading.model.decisions import Bias, Decision, Outcome
from trading.model.disorder import DisorderPause, MarketWatch, SeenMarks
from trading.model.instruments import InstrumentId, Side
from trading.model.positions import Position
from trading.model.times import Timeframe
from trading.model.units import Price
from trading.rules import Rules

HIT = NOW + timedelta(minutes=20)
"""When the first target was reached: 10:20:30."""

CONTRACT = "PF_COINUSD"


def case(position: Position | None = None, mark: Any = 101, hours: float = 1.0, **more: Any) -> ExitCase:
    """Everything can be read and nothing is due. `mark` None: the venue does not answer; `quoted`: fields of its quote;
    `age_s`: of the quote."""
    now = NOW + timedelta(hours=hours)
    position = filled() if position is None else position
    asked = {"index": None, "at": now - timedelta(seconds=more.pop("age_s", 0))} | more.pop("quoted", {})
    values: dict[str, Any] = {
        "quote": None if mark is None else quote(CONTRACT, mark, **asked),
        "last_close": 100.0,
        "bars": hourly(now),
        "trace": trace(now),
        "watch": watch(now),
        "rules": RULES,
    }
    return ExitCase(position=position, now=now, **(values | more))


def after_target(side: Side = Side.LONG, **changes: Any) -> Position:
    """Opened with the bar in which the first target was reached, so that all of this bar is its own."""
    return filled(side=side, **({"opened_at": BAR, "first_target_at": HIT} | changes))


def hourly(now: datetime, *newest: tuple[float, float], count: int = 30, late: int = 0) -> CandleSeries:
    """Closed 1h bars at 100 with a range of 1, that close in their middle, the newest of them with these highs and
    lows; `late`: how many of the newest are missing."""
    end = int(Timeframe.H1.floor(now).timestamp()) - late * 3600
    rows = [(100.5, 99.5)] * (count - len(newest)) + list(newest)
    first = end - len(rows) * 3600
    return CandleSeries(
        Timeframe.H1,
        [
            Candle(open_time=first + 3600 * number, open=low, high=high, low=low, close=(high + low) / 2, volume=1.0)
            for number, (high, low) in enumerate(rows)
        ],
    )


def trace(
    now: datetime, daily: Bias | None = Bias.NEUTRAL, structure: Bias | None = Bias.NEUTRAL, hours_ago: int = 0
) -> Decision:
    return Decision(
        instrument=InstrumentId("COIN"),
        decision_bar=Timeframe.H1.floor(now) - timedelta(hours=hours_ago),
        outcome=Outcome.NO_SETUP,
        sentence="No setup.",
        code_version="test",
        rules_fingerprint="test",
        inputs_fingerprint="test",
        daily_bias=daily,
        structure_trend=structure,
    )


def watch(now: datetime, *pauses: DisorderPause, age: float = 0, **more: Any) -> MarketWatch:
    """`age`: minutes since the last look; `marks`: what it saw."""
    marks = more.pop("marks", {CONTRACT: Price(100)})
    return MarketWatch(seen=(SeenMarks(at=now - timedelta(minutes=age), marks=marks),), pauses=pauses, **more)


def shaken(now: datetime, contract: str = CONTRACT, minutes: float = 1, **more: Any) -> DisorderPause:
    """A pause that lasts for `minutes` more."""
    values: dict[str, Any] = {"why": "it jumped", "shaken_at": now} | more
    return DisorderPause(contract=contract, until=now + timedelta(minutes=minutes), **values)


def rules_of(*names: str) -> Rules:
    """Only these exit rules are on."""
    on = ", ".join(f'"{name}": {str(name in names).lower()}' for name, _ in REGISTRY)
    return rules_with(f'{{"exits": {{{on}}}}}')


def fired(verdict: ExitVerdict) -> tuple[str | None, str]:
    """Which rule, and what it asks for: `Close`, a stop level, or nothing."""
    action = verdict.action
    level: Decimal | None = getattr(action, "to", None)
    return verdict.fired, "" if action is None else "Close" if level is None else str(level)
