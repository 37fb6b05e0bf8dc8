"""Recorded candles of BTC on the local stack: the sandbox's price follows them while the real handlers run, and what
ingestion and scoring would have made of them lies in the stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from infra.local.market.bars import Bar
from infra.local.market.candle_files import describe, read_bars
from tests.fakes.shared_folder import SHARED
from tests.integration.limits.local_stack import LocalStack
from tests.unit.control.records import decision
from trading.matching import candle_waypoints
from trading.model.candles import Candle, CandleSeries
from trading.model.decisions import Bias, Decision
from trading.model.instruments import InstrumentId, Side
from trading.model.positions import Position
from trading.model.times import Timeframe
from trading.rules import load_rules
from trading.strategy.bias import daily_average, daily_bias, structure_trend

RECORDED = SHARED / "data" / "spot" / "binance"
QUARTERS, FOUR_HOURS, DAYS = (
    "BTC_USDT-15m-20240101-20240906.csv.gz",
    "BTC_USDT-4h-20211023-20241231.csv.gz",
    "BTC_USDT-1d-20201024-20241231.csv.gz",
)
COIN = InstrumentId("BTC")
RULES = load_rules()
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
HOURS_BEFORE = 24
SETTLING = timedelta(seconds=8)
"""After the end of a bar, when ingestion has stored it and the functions run."""

Act = Callable[[LocalStack], None]


def missing() -> list[str]:
    """Recorded files that are not here."""
    return [name for name in (QUARTERS, FOUR_HOURS, DAYS) if not (RECORDED / name).is_file()]


@cache
def recorded(name: str) -> tuple[Bar, ...]:
    file = describe(RECORDED / name)
    assert file is not None, name
    return tuple(read_bars(file))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """`start`: the full hour (UTC) whose recording plays from the start of the stack on. Entered in its first minute
    with a stop so many percent away; then `quarters` of an hour pass, with a run of every function `every` so many.
    `acts` happen after so many quarters, 0 right after the entry. `biased`: decisions have the recorded bias, which is
    neutral otherwise. `says` is what it shows, for a person."""

    says: str
    start: str
    stop: str
    quarters: int
    side: Side = Side.LONG
    every: int = 1
    biased: bool = False
    acts: Mapping[int, Act] = field(default_factory=dict)


@dataclass(slots=True)
class Played:
    """What the runs of `manage_exits` have said, summed."""

    entered: Position
    evaluated: Counter[str] = field(default_factory=Counter)
    without_input: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)


def play(stack: LocalStack, window: Window) -> Played:
    """Until the position is gone or the window is over."""
    replay = _Replay(stack, window)
    played = Played(entered=replay.enter())
    if act := window.acts.get(0):
        act(stack)
        replay.run(played)
    for number in range(1, window.quarters + 1):
        replay.pass_quarter(number)
        if act := window.acts.get(number):
            act(stack)
        if number % window.every == 0:
            replay.store(number)
            replay.run(played)
        if stack.cloud.ledger.position(COIN) is None:
            break
    return played


class _Replay:
    def __init__(self, stack: LocalStack, window: Window) -> None:
        self._stack, self._window = stack, window
        self._opened = Timeframe.H1.floor(stack.now())
        self._began = datetime.fromisoformat(window.start).replace(tzinfo=UTC)
        bars = recorded(QUARTERS)
        self._first = (int(self._began.timestamp()) - bars[0].time) // 900
        assert bars[self._first].time == self._began.timestamp(), window.start
        self._scale = float(stack.price(COIN)) / bars[self._first].open
        hours = [self._hour(-number) for number in range(HOURS_BEFORE, 0, -1)]
        stack.cloud.market.add_history({(COIN, Timeframe.H1): CandleSeries(Timeframe.H1, hours)}, stack.now())

    def enter(self) -> Position:
        stack, side = self._stack, self._window.side
        stack.propose(COIN, side, away="0.1", stop=self._window.stop)
        assert stack.execute()["outcomes"] == {"SENT": 1}
        stack.move(COIN, str(Decimal("-0.15") * side.sign), seconds=20)
        stack.reconcile()
        position = stack.cloud.ledger.position(COIN)
        assert position is not None
        assert position.quantity, "the entry was not filled"
        return position

    def run(self, played: Played) -> None:
        self._stack.reconcile()
        self._stack.execute()
        response: dict[str, Any] = self._stack._invoke("manage_exits", {})
        for name in ("evaluated", "without_input", "fired"):
            getattr(played, name).update(response[name])
        self._stack.reconcile()

    def pass_quarter(self, number: int) -> None:
        """The price goes through the bar."""
        stack = self._stack
        for time, price in self._waypoints(number - 1):
            if time > stack.now():
                at = Decimal(str(round(price, 2)))
                stack.market.move(COIN, stack.now(), time, (at, at))
                stack.venue.advance(time)
        stack.venue.advance(self._opened + number * QUARTER + SETTLING)
        # Every look at a price goes through all points: those that are behind are not looked at again.
        del stack.market._points[COIN][:-4]

    def store(self, number: int) -> None:
        """What this quarter leaves: its bar and, after a full hour, the hour's bar and its decision."""
        stack, closed_at = self._stack, self._opened + number * QUARTER
        bars = {(COIN, Timeframe.M15): CandleSeries(Timeframe.M15, [self._quarter(number - 1)])}
        if number % 4 == 0:
            bars[COIN, Timeframe.H1] = CandleSeries(Timeframe.H1, [self._hour(number // 4 - 1)])
            stack.cloud.decisions.add([self._decision(closed_at)])
        stack.cloud.market.add(bars, stack.now())

    def _waypoints(self, number: int) -> list[tuple[datetime, float]]:
        bar = self._quarter(number)
        points = candle_waypoints((bar.open, bar.high, bar.low, bar.close))
        begins = self._opened + number * QUARTER
        return [(begins + step * timedelta(minutes=5), price) for step, price in enumerate(points)]

    def _quarter(self, number: int) -> Candle:
        """In the time and the prices of the stack; negative numbers lie before its start."""
        bar, scale = recorded(QUARTERS)[self._first + number], self._scale
        return Candle(
            open_time=int((self._opened + number * QUARTER).timestamp()),
            open=bar.open * scale,
            high=bar.high * scale,
            low=bar.low * scale,
            close=bar.close * scale,
            volume=bar.volume,
        )

    def _hour(self, number: int) -> Candle:
        bars = [self._quarter(number * 4 + each) for each in range(4)]
        return Candle(
            open_time=bars[0].open_time,
            open=bars[0].open,
            high=max(each.high for each in bars),
            low=min(each.low for each in bars),
            close=bars[-1].close,
            volume=sum(each.volume for each in bars),
        )

    def _decision(self, at: datetime) -> Decision:
        then = self._began + (at - self._opened)
        daily, structure = _bias(then) if self._window.biased else (Bias.NEUTRAL, Bias.NEUTRAL)
        return replace(decision(COIN, at), daily_bias=daily, structure_trend=structure)


def _bias(at: datetime) -> tuple[Bias, Bias]:
    """Daily bias and 4h structure of the recorded candles closed by then, as scoring finds them."""
    days, hours = (
        _series(name, timeframe, at) for name, timeframe in ((DAYS, Timeframe.D1), (FOUR_HOURS, Timeframe.H4))
    )
    average = daily_average(days.closes, RULES.bias, RULES.data)
    return daily_bias(days.closes[-1], average, RULES.bias), structure_trend(hours, RULES.detector)


def _series(name: str, timeframe: Timeframe, at: datetime) -> CandleSeries:
    closed = [each for each in recorded(name) if each.time + timeframe.seconds <= at.timestamp()]
    return CandleSeries(timeframe, [_candle(each) for each in closed])


def _candle(bar: Bar) -> Candle:
    return Candle(open_time=bar.time, open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=bar.volume)
