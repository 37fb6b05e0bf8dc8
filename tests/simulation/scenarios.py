"""Short scripted worlds, one for each core scenario: prices by hand, no dice, every function in every minute."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.fakes.records import signal
from tests.simulation.faults import Tape
from tests.simulation.market import SimulatedPrices
from tests.simulation.options import MINUTE_MS, Options
from tests.simulation.people import People
from tests.simulation.tiers import world_kind
from tests.simulation.workload import Workload
from tests.simulation.world import START, SimulatedWorld
from trading import matching
from trading.matching import PricePoint
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.control import KillLevel
from trading.model.signals import Levels, Setup, Signal
from trading.model.units import Price
from trading.rules import load_rules

Knots = tuple[tuple[float, str], ...]
"""(minute, price) in rising order; straight lines between, level after the last one. The first is the start price."""

SLOTS_S = {"reconcile_positions": 5, "execute_signals": 25, "manage_exits": 45}
"""Seconds of every minute at which the functions run."""

TOGETHER_S = {"reconcile_positions": 5, "execute_signals": 5, "manage_exits": 6}
"""As they run where the scheduler starts all of them at once."""

WHO = {"operator": "simulated", "reason": "scripted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """A signal offered at `minute`, with prices as of the script; it ends `life_minutes` after START."""

    minute: float = 1.0
    coin: int = 0
    levels: Levels
    life_minutes: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody does at `minute`."""

    minute: float
    do: Callable[[ScriptedWorkload], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`minutes` of faults, then the quiet end. `expects` names what a run without a fault must have counted."""

    name: str
    minutes: int
    prices: tuple[Knots, ...]
    index: tuple[Knots, ...] = ()
    ideas: tuple[Idea, ...] = ()
    acts: tuple[Act, ...] = ()
    stop_when_flat: bool = True
    rules: Mapping[str, Mapping[str, Any]] | None = None
    expects: tuple[str, ...] = ()
    slots_s: Mapping[str, int] = field(default_factory=lambda: SLOTS_S)
    tier: str = "A"

    def world(self, tape: Tape) -> SimulatedWorld:
        options = Options(
            seed=0,
            profile="calm",
            coins=len(self.prices),
            signals=0,
            volatility_bps=0.0,
            stop_when_flat=self.stop_when_flat,
        )
        overrides: dict[str, dict[str, Any]] = {"risk": {"maximum_positions": 3}}
        for section, values in (self.rules or {}).items():
            overrides.setdefault(section, {}).update(values)
        world = world_kind(self.tier)(
            options=options, tape=tape, rules=load_rules(json.dumps(overrides)), day_ms=self.minutes * MINUTE_MS
        )
        for number, (marks, instrument) in enumerate(zip(self.prices, world.instruments, strict=True)):
            follow_script(world.prices, instrument.contract, marks, self.index[number] if self.index else marks)
        return world


def follow_script(prices: SimulatedPrices, contract: str, marks: Knots, index: Knots) -> None:
    """Put a scripted path, one point a minute, in the place of the drawn one."""
    drawn = prices._points[contract]
    if drawn[0].mark != Decimal(marks[0][1]):
        raise ValueError(f"the script of {contract} begins at {marks[0][1]}; expected {drawn[0].mark}")
    prices._points[contract] = [
        PricePoint(each.time, _at(index, number), _at(marks, number)) for number, each in enumerate(drawn)
    ]


def _at(knots: Knots, minute: float) -> Decimal:
    before = knots[0]
    for knot in knots:
        if knot[0] > minute:
            share = Decimal(str((minute - before[0]) / (knot[0] - before[0])))
            return Decimal(before[1]) + (Decimal(knot[1]) - Decimal(before[1])) * share
        before = knot
    return Decimal(before[1])


class ScriptedWorkload(Workload):
    """The script in the place of the dice."""

    def __init__(self, world: SimulatedWorld, scenario: Scenario) -> None:
        super().__init__(world)
        self.scenario = scenario
        self.people = People(world)

    def prepare(self, until_ms: int) -> None:
        self._closes(until_ms)
        for minute in range(until_ms // MINUTE_MS):
            for function, second in self.scenario.slots_s.items():
                self.world.kernel.at(minute * MINUTE_MS + second * 1000, self._scheduled(function, minute))
        for number, idea in enumerate(self.scenario.ideas):
            self.world.kernel.at(int(idea.minute * MINUTE_MS), self._offered(number, idea))
        for act in self.scenario.acts:
            self.world.kernel.at(int(act.minute * MINUTE_MS), self._acted(act))

    def _scheduled(self, function: str, minute: int) -> Callable[[], None]:
        def fire() -> None:
            self.slots += 1
            if minute * MINUTE_MS >= self.world.day_ms and self._idle(function, minute):
                # As in the drawn days: in the quiet end most slots have nothing to look at any more.
                self.thinned += 1
                return
            self._start(function, f"{function} {minute}")

        return fire

    def _acted(self, act: Act) -> Callable[[], None]:
        def do() -> None:
            self.world.venue.catch_up(self.world.kernel.now())
            act.do(self)
            self.world.observe("owner")

        return do

    def _offered(self, number: int, idea: Idea) -> Callable[[], None]:
        def offer() -> None:
            offered = _signal(self.world, number, idea)
            self.signals.append(offered)
            if self.world.ledger_truth.add_signal(offered):
                self.world.kernel.after(1000, lambda: self._start("execute_signals", f"signal {number}"))

        return offer

    # what people do

    def owner_cancels_stop(self, coin: int = 0) -> None:
        self.people.cancel_stop(self.world.instruments[coin].contract)

    def owner_buys(self, coin: int, usd: int) -> None:
        self._owner_trades(coin, usd, matching.Side.BUY)
        self.people.acts.append("owner buys")

    def owner_sells(self, coin: int, usd: int) -> None:
        self._owner_trades(coin, usd, matching.Side.SELL)
        self.people.acts.append("owner sells")

    def _owner_trades(self, coin: int, usd: int, side: matching.Side) -> None:
        instrument = self.world.instruments[coin]
        engine = self.world.venue.engine
        self.world.truth.owner_traded.add(instrument.contract)
        quantity = instrument.quantity_down(Decimal(usd) / engine.point(instrument.contract).mark)
        engine.send(
            matching.OrderRequest(
                symbol=instrument.contract,
                side=side,
                order_type=matching.OrderType.MARKET,
                size=quantity,
            )
        )

    def pauses(self) -> None:
        self.people.acts.append("pause")
        self.world.invoke("control_trading", "pause 0", {"action": "pause", **WHO})

    def raises_k2(self) -> None:
        """As the deploy procedure does it: the record itself is written, with its version, and people are told."""
        self.people.acts.append("K2")
        store, now = self.world.control_truth, self.world.kernel.now()
        raised = replace(store.control(now), level=KillLevel.CANCEL_ENTRIES, reason="scripted", changed_at=now)
        stored = store.set_control(replace(raised, changed_by="simulated"))
        told = Alert(
            kind=AlertKind.KILL_LEVEL,
            severity=Severity.WARNING,
            subject=f"control {stored.version}",
            title="Kill level K0 -> K2",
            text="scripted",
            at=now,
        )
        self.world.alerts.tell(told)

    def flattens(self) -> None:
        self.people.acts.append("flatten")
        self.people.flatten(0, WHO)


def _signal(world: SimulatedWorld, number: int, idea: Idea) -> Signal:
    return signal(
        world.instruments[idea.coin].id,
        list(Setup)[number % len(Setup)],
        decision_bar=START,
        expires_at=START + timedelta(minutes=idea.life_minutes),
        structure_id=f"s{number}",
        levels=idea.levels,
        atr=idea.levels.stop_distance,
        score=60 + number,
    )


def ladder(side: Any, prices: str) -> Levels:
    """`entry stop invalidation target_1 target_2`, in this order."""
    names = ("entry", "stop", "invalidation", "target_1", "target_2")
    return Levels(side=side, **{name: Price(price) for name, price in zip(names, prices.split(), strict=True)})
