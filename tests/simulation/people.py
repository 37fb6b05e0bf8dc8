"""What people do to a simulated account: its owner, its operator, the exchange's staff, whoever deploys or edits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from tests.simulation.fault_model import Window
from tests.simulation.kernel import Process
from tests.simulation.options import MINUTE_MS
from tests.simulation.world import SimulatedWorld
from trading import matching
from trading.matching import MarketStatus
from trading.model.orders import Purpose
from trading.model.positions import Position

HOUR_MS = 60 * MINUTE_MS
HALTS = (MarketStatus.POST_ONLY, MarketStatus.SUSPENDED, MarketStatus.SUSPENDED)
ACTS = ("pause", "cancel", "flatten", "flatten", "close", "close", "lock")
"""K1, K2, K3, one coin, K4. `close` is a flatten of one coin: it leaves the level as it is."""

CLOSING = ("flatten", "close", "lock")
TRIES = 30
TWO_VERSIONS_MS = 5 * MINUTE_MS
"""How long the old version still answers after a deploy."""


@dataclass
class People:
    """`acts`: what was done, in order, for the summary."""

    world: SimulatedWorld
    acts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(f"{self.world.options.seed}:people")

    def prepare(self) -> None:
        """Put what people do onto the kernel's heap."""
        options, random, kernel = self.world.options, self._random, self.world.kernel
        for number in range(options.owner_trades):
            kernel.at(random.randrange(self.world.day_ms), self._owner(number, random.random(), random.random()))
        for number in range(options.operator_acts):
            at = random.randrange(self.world.day_ms - HOUR_MS)
            drawn = random.choice(["pause", "flatten", "pause"]), random.randint(2, 40)
            at, action = self._of_a_person(number, at) if options.profile == "human" else (at, drawn[0])
            self._operator(number, at, action, drawn[1])
        for number in range(options.halts):
            self._halt(number, random.randrange(self.world.day_ms), random.choice(HALTS))
        for number in range(options.corrupt_records):
            kernel.at(random.randrange(self.world.day_ms - HOUR_MS), self._damage(number))
        for number in range(options.deploys):
            kernel.at(random.randrange(self.world.day_ms), self._deploy(number))

    def _of_a_person(self, number: int, at_ms: int) -> tuple[int, str]:
        """In the human profile: every kind of act, and four in ten of them while something is out of reach."""
        random = Random(f"{self.world.options.seed}:operator {number}")
        outages = [each for each in self.world.faults.windows if each.start_ms < self.world.day_ms - HOUR_MS]
        if outages and random.random() < 0.4:
            chosen = random.choice(outages)
            at_ms = random.randrange(chosen.start_ms, min(chosen.end_ms, self.world.day_ms - HOUR_MS))
        return at_ms, random.choice(ACTS)

    def _owner(self, number: int, coin_roll: float, kind_roll: float) -> Callable[[], None]:
        """The owner trades by hand: opens, closes a part, cancels a stop of ours, or leaves an order of his own."""

        def act() -> None:
            world = self.world
            if not world.tape.admit(f"owner {number}", "owner", world.kernel.now_ms):
                return
            world.venue.catch_up(world.kernel.now())
            held = sorted(world.venue.engine.books.positions)
            if kind_roll < 0.3 and held:
                self.cancel_stop(held[int(coin_roll * len(held))])
            elif kind_roll < 0.6 and held:
                self._owner_closes_half(held[int(coin_roll * len(held))])
            else:
                contract = world.instruments[int(coin_roll * len(world.instruments))].contract
                # Longs more often than not, whatever the system thinks of the coin.
                side = matching.Side.SELL if int(coin_roll * 1000) % 3 == 0 else matching.Side.BUY
                if kind_roll < 0.7 and (planned := self._planned()):
                    self._owner_opens(planned[int(coin_roll * len(planned))], side)
                elif kind_roll < 0.8:
                    self._owner_opens(contract, side)
                else:
                    self._owner_leaves_an_order(contract)
            world.observe("owner")

        return act

    def _planned(self) -> list[str]:
        """Contracts in which an entry of ours is still to go out: people like what the system likes."""
        stored = (each.value for each in self.world.tables.positions.values())
        planned = [each for each in stored if isinstance(each, Position) and each.entry_open]
        return sorted(
            each.contract for each in planned if (entry := each.intent(Purpose.ENTRY)) and entry.sent_at is None
        )

    def cancel_stop(self, contract: str) -> None:
        engine = self.world.venue.engine
        stops = [each for each in engine.books.orders_of(contract) if each.order_type is matching.OrderType.STOP]
        if stops:
            engine.cancel(order_id=stops[0].order_id)
            self.world.truth.owner_cancelled.add(stops[0].order_id)
            self.acts.append("owner cancels a stop")

    def _owner_leaves_an_order(self, contract: str) -> None:
        """A bid of his own two percent below, which nobody but he may touch."""
        engine, instrument = self.world.venue.engine, self.world.venue.instruments[contract]
        mark = engine.point(contract).mark
        self.world.truth.owner_traded.add(contract)
        engine.send(
            matching.OrderRequest(
                symbol=contract,
                side=matching.Side.BUY,
                order_type=matching.OrderType.POST,
                size=max(instrument.quantity_down(Decimal(300) / mark), instrument.step),
                limit_price=instrument.price_down(mark * Decimal("0.98")),
            )
        )
        self.acts.append("owner leaves an order")

    def _owner_closes_half(self, contract: str) -> None:
        size = self.world.venue.engine.books.size_of(contract)
        half = self.world.venue.instruments[contract].quantity_down(abs(size) / 2)
        self._owner_trades(contract, half, matching.Side.SELL if size > 0 else matching.Side.BUY)
        self.acts.append("owner closes a part")

    def _owner_opens(self, contract: str, side: matching.Side) -> None:
        mark = self.world.venue.engine.point(contract).mark
        self._owner_trades(contract, self.world.venue.instruments[contract].quantity_down(Decimal(300) / mark), side)
        self.acts.append(f"owner {side}s")

    def _owner_trades(self, contract: str, quantity: Decimal, side: matching.Side) -> None:
        self.world.truth.owner_traded.add(contract)
        size = max(quantity, self.world.venue.instruments[contract].step)
        self.world.venue.engine.send(
            matching.OrderRequest(symbol=contract, side=side, order_type=matching.OrderType.MARKET, size=size)
        )

    def _operator(self, number: int, at_ms: int, action: str, minutes: int) -> None:
        world = self.world
        who = {"operator": "simulated", "reason": f"act {number}"}

        def act() -> None:
            if not world.tape.admit(f"operator {number}", "operator", world.kernel.now_ms):
                return
            self.acts.append(action)
            if action in CLOSING:
                self._close(number, action, who)
            else:
                level = {"level": 2} if action == "cancel" else {}
                world.invoke("control_trading", f"{action} {number}", {"action": "pause", **level, **who})
            if action != "close":
                world.kernel.after(minutes * MINUTE_MS, lambda: self._resume(number, 0, who))

        world.kernel.at(at_ms, act)

    def flatten(self, number: int, who: dict[str, str]) -> None:
        self._close(number, "flatten", who)

    def _close(self, number: int, action: str, who: dict[str, str]) -> None:
        """Of everything, of everything with a lock, or of one coin. Asked for again until a confirmation succeeds: what
        was shown may have changed meanwhile, or nobody may have answered."""
        event: dict[str, Any] = {"action": "lock" if action == "lock" else "flatten", **who}
        if action != "lock":
            event["scope"] = self._one_coin(number) if action == "close" else "ALL"
        self._two_steps(f"{action} {number}", event, 0)

    def _two_steps(self, name: str, event: dict[str, Any], attempt: int) -> None:
        world = self.world
        again = f" {attempt}" if attempt else ""
        asked = world.invoke("control_trading", f"{name}{again} asked", event)

        def confirm() -> None:
            if token := _answer_of(asked).get("token"):
                name_2, event_2 = f"{name}{again} confirmed", {**event, "token": token}
                confirmed.append(world.invoke("control_trading", name_2, event_2))

        def look() -> None:
            if attempt < TRIES and not any(_answer_of(each).get("ok") for each in confirmed):
                self._two_steps(name, event, attempt + 1)

        confirmed: list[Process] = []
        world.kernel.after(25_000, confirm)
        world.kernel.after(MINUTE_MS + 25_000, look)

    def _one_coin(self, number: int) -> str:
        """Most often one that is held or about to be."""
        recorded = sorted(str(name) for name in self.world.tables.positions)
        coins = recorded or [str(each.id) for each in self.world.instruments]
        return coins[number % len(coins)]

    def _resume(self, number: int, attempt: int, who: dict[str, str]) -> None:
        """A person tries again until it works: after a flatten only a flat account may go on, and a lock takes two."""
        world, name = self.world, f"resume {number}.{attempt}"
        process = world.invoke("control_trading", name, {"action": "resume", **who})

        def confirm() -> None:
            if token := _answer_of(process).get("token"):
                event = {"action": "resume", **who, "token": token}
                confirmed.append(world.invoke("control_trading", f"{name} confirmed", event))

        def look() -> None:
            done = any(_answer_of(each).get("kill_level") == 0 for each in [process, *confirmed])
            if not done and attempt < TRIES:
                self._resume(number, attempt + 1, who)

        confirmed: list[Process] = []
        world.kernel.after(30_000, confirm)
        world.kernel.after(2 * MINUTE_MS, look)

    def _halt(self, number: int, at_ms: int, status: MarketStatus) -> None:
        """Where something is held, if anything is: a halt of another market hinders nobody."""
        world, random = self.world, self._random
        lasts = random.randint(60_000, 1_200_000)

        def begin() -> None:
            open_to_it = sorted(world.venue.engine.books.positions) or [each.contract for each in world.instruments]
            contract = open_to_it[number % len(open_to_it)]
            if world.tape.admit(f"halt {number}", f"market {status}", at_ms):
                halt = Window(key=f"halt {number}", kind="halt", start_ms=at_ms, end_ms=at_ms + lasts)
                world.truth.halts.setdefault(contract, []).append(halt)
                world.venue.catch_up(world.kernel.now())
                world.venue.halt(contract, status)
                world.kernel.after(lasts, lambda: end(contract))

        def end(contract: str) -> None:
            world.venue.catch_up(world.kernel.now())
            # Of two halts of one market the later end opens it.
            if not any(each.holds(world.kernel.now_ms) for each in world.truth.halts[contract]):
                world.venue.halt(contract, MarketStatus.ONLINE)

        world.kernel.at(at_ms, begin)

    def _damage(self, number: int) -> Callable[[], None]:
        """A record is written by something broken; twenty minutes later a person has put it back."""

        def act() -> None:
            tables = self.world.tables
            names = sorted(tables.positions)
            if not names or not self.world.tape.admit(f"damage {number}", "damaged record", self.world.kernel.now_ms):
                return
            name = names[number % len(names)]
            before = tables.positions[name]
            tables.corrupt_position(name, "{")
            self.acts.append("damages a record")

            def mend() -> None:
                held = tables.positions.get(name)
                if held is not None and held.value == "{":
                    tables.positions[name] = before

            self.world.kernel.after(20 * MINUTE_MS, mend)

        return act

    def _deploy(self, number: int) -> Callable[[], None]:
        def act() -> None:
            if self.world.tape.admit(f"deploy {number}", "deploy", self.world.kernel.now_ms):
                self.world.deploy(TWO_VERSIONS_MS)
                self.acts.append("deploys")

        return act


def _answer_of(process: Process) -> dict[str, Any]:
    """Nothing, of one that failed or is not over."""
    return process.answer if process.over and isinstance(process.answer, dict) else {}
