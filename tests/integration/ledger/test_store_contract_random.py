"""The same random operations on DynamoDB and on the twin in memory give the same answers and the same refusals."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from pynamodb.exceptions import PynamoDBException

from shared.alerts import LEASE
from shared.storage.control import claimed_mark
from shared.storage.decisions import StageRecord
from shared.storage.ledger import SignalState
from tests.fakes.records import BAR, NOW, control, filled, planned, risk_day, signal, trade
from tests.simulation.memory.either import Stores, memory_stores, stores_of
from tests.simulation.memory.tables import MemoryTables
from tests.unit.control.records import decision
from trading.errors import TradingError
from trading.model.book import EntryBook
from trading.model.control import Guard, KillLevel, RiskDay
from trading.model.decisions import Outcome
from trading.model.disorder import MarketWatch, SeenMarks
from trading.model.instruments import InstrumentId
from trading.model.positions import Position
from trading.model.signals import Signal
from trading.model.units import Money, Price

COINS = ("A", "B", "C", "D")
OFTEN = {"do_open": 5, "do_add_signal": 3, "do_set_control": 2, "do_save_day": 2, "do_close": 3, "do_small_records": 2}
"""How much likelier than the others these operations are drawn."""

MONTHS = ["2024-04", "2024-05"]
Operation = Callable[[Stores], object]
SEEDS, OPERATIONS, COMPARED_EVERY = range(6), 250, 25


@dataclass(frozen=True)
class Refusal:
    kind: type[Exception]
    text: str | None


def answer(stores: Stores, operation: Operation) -> object:
    """What it gave or how it refused. PynamoDB's own errors carry texts of the service: their code is compared."""
    try:
        return operation(stores)
    except TradingError as error:
        return Refusal(type(error), str(error))
    except PynamoDBException as error:
        return Refusal(type(error), error.cause_response_code)


@dataclass
class Draws:
    """Draws operations; what earlier ones returned is kept, so that stale values are used again."""

    chance: random.Random
    positions: list[Position] = field(default_factory=lambda: [planned(name, version=1) for name in COINS])
    days: list[RiskDay] = field(default_factory=lambda: [risk_day()])
    books: list[EntryBook] = field(default_factory=lambda: [EntryBook()])
    watches: list[MarketWatch] = field(default_factory=lambda: [MarketWatch()])
    signals: list[Signal] = field(default_factory=lambda: [signal()])

    def keep(self, found: object) -> None:
        for kind, kept in ((Position, self.positions), (RiskDay, self.days), (EntryBook, self.books)):
            if isinstance(found, kind):
                cast(list[object], kept).append(found)
        if isinstance(found, MarketWatch):
            self.watches.append(found)

    def operation(self) -> tuple[str, Operation]:
        names = [name for name in dir(self) if name.startswith("do_")]
        (name,) = self.chance.choices(names, [OFTEN.get(each, 1) for each in names])
        made: Operation = getattr(self, name)()
        return name, made

    def recent(self, values: list[Any]) -> Any:
        """Mostly the newest, sometimes a stale one."""
        return values[-1] if self.chance.random() < 0.6 else self.chance.choice(values[-5:])

    def moment(self) -> datetime:
        return NOW + timedelta(seconds=self.chance.randrange(-3600, 3600), milliseconds=self.chance.randrange(1000))

    def do_add_signal(self) -> Operation:
        made = self._signal()
        self.signals.append(made)
        return lambda stores: stores.ledger.add_signal(made)

    def do_settle_signal(self) -> Operation:
        made, state = self._signal(), self.chance.choice([SignalState.REFUSED, SignalState.EXPIRED])
        return lambda stores: stores.ledger.settle_signal(made, state)

    def do_open(self) -> Operation:
        made, stale, fresh = self.recent(self.signals), self.recent(self.books), self.chance.random() < 0.8
        position = planned(made.instrument, planned_at=self.moment())
        return lambda stores: stores.ledger.open_position(position, made, stores.ledger.book(NOW) if fresh else stale)

    def do_read_book(self) -> Operation:
        return lambda stores: stores.ledger.book(NOW)

    def do_read_position(self) -> Operation:
        name = InstrumentId(self.chance.choice(COINS))
        return lambda stores: stores.ledger.position(name)

    def do_adopt(self) -> Operation:
        position = filled(self.chance.choice(COINS), planned_at=self.moment())
        return lambda stores: stores.ledger.adopt_position(position)

    def do_save(self) -> Operation:
        position = replace(self.recent(self.positions), close_reason=str(self.chance.random()))
        return lambda stores: stores.ledger.save_position(position)

    def do_send(self) -> Operation:
        position = self.recent(self.positions)
        return lambda stores: stores.ledger.save_entry_send(position)

    def do_close(self) -> Operation:
        position, day = self.recent(self.positions), self.recent([None, *self.days])
        ended = self.chance.choice([None, trade(net=self.chance.randrange(-50, 50))])
        return lambda stores: stores.ledger.close_position(position, ended, day)

    def do_set_control(self) -> Operation:
        level = self.chance.choice([*[KillLevel.NORMAL] * 6, KillLevel.NO_ENTRIES, KillLevel.LOCK])
        offset, at = self.chance.choice([0, 0, 0, 0, -1, 1]), self.moment()
        return lambda stores: stores.control.set_control(
            replace(control(level), changed_at=at, version=max(0, stores.control.control(NOW).version + offset))
        )

    def do_save_day(self) -> Operation:
        halted = self.chance.choice([*[None] * 7, NOW.date()])
        reached = self.chance.choice([*[()] * 7, (Guard.DRAWDOWN,)])
        changed = replace(self.recent(self.days), halted_on=halted, reached=reached, last_equity=Money(9_000))
        return lambda stores: stores.control.save_risk_day(replace(changed, unreadable=""))

    def do_read_day(self) -> Operation:
        return lambda stores: stores.control.risk_day()

    def do_note_answer(self) -> Operation:
        accepted = self.chance.random() < 0.3
        return lambda stores: stores.control.note_entry_answer(accepted, 3)

    def do_forget_day(self) -> Operation:
        day, at, often = self.recent(self.days), self.moment(), self.chance.random() < 0.2
        return lambda stores: stores.control.forget_unreadable_day(day, at) if often else None

    def do_damage(self) -> Operation:
        name, text = InstrumentId(self.chance.choice(COINS)), self.chance.choice(["", "{", "[]"])
        damages: list[Operation] = [
            lambda stores: stores.damage.position(name, text),
            lambda stores: stores.damage.book(text),
            lambda stores: stores.damage.control(text),
            lambda stores: stores.damage.risk_day(text),
            lambda stores: stores.damage.watch(text),
        ]
        kind, often = self.chance.randrange(len(damages)), self.chance.random() < 0.3
        return damages[kind] if often else lambda _stores: None

    def do_small_records(self) -> Operation:
        key, at, window = self.chance.choice("xyz"), self.moment(), timedelta(minutes=self.chance.randrange(30))
        choices: list[Operation] = [
            lambda stores: stores.control.first_observed(key, at),
            lambda stores: stores.control.forget_observation(key),
            lambda stores: stores.control.add_token(key, "all", at),
            lambda stores: stores.control.spend_token(key),
            lambda stores: stores.control.tell_once(key, at, window),
            lambda stores: stores.control.tell_once(key, at, window, LEASE),
            lambda stores: stores.control.tell_once_settle(key, claimed_mark(at, window, LEASE), at),
            lambda stores: stores.control.tell_once_settle(key, claimed_mark(at, window, LEASE), at - window),
            lambda stores: stores.control.record_run(key, at, {"at": at, "count": 3}),
            lambda stores: stores.control.save_health('{"ok": true}', at),
        ]
        return self.chance.choice(choices)

    def do_save_watch(self) -> Operation:
        seen = (SeenMarks(at=self.moment(), marks={"X": Price(self.chance.randrange(1, 99))}),)
        watch = replace(self.recent(self.watches), seen=seen)
        return lambda stores: stores.watch.save(watch)

    def do_read_watch(self) -> Operation:
        return lambda stores: stores.watch.read()

    def do_decide(self) -> Operation:
        traces = [decision(self.chance.choice(COINS), self._bar(), sentence=str(self.chance.random()))]
        outcome = self.chance.choice([Outcome.SENT, Outcome.FAILED])
        stage = StageRecord(
            instrument=traces[0].instrument, decision_bar=self._bar(), outcome=outcome, sentence="s", at=self.moment()
        )

        def decide(stores: Stores) -> int:
            stores.decisions.add_stage(stage)
            return stores.decisions.add(traces)

        return decide

    def _signal(self) -> Signal:
        return signal(
            self.chance.choice(COINS),
            decision_bar=self._bar(),
            expires_at=NOW + timedelta(hours=2),
            structure_id=self.chance.choice(("one", "two")),
        )

    def _bar(self) -> datetime:
        return BAR - timedelta(hours=self.chance.randrange(3))


def contents(stores: Stores) -> list[object]:
    """Everything that can be read, in the order it is read."""
    bars = [BAR - timedelta(hours=hours) for hours in range(3)]
    return [
        stores.ledger.readable_positions(),
        stores.ledger.signals_decided_since(bars[-1], NOW),
        stores.ledger.closed_positions(MONTHS),
        stores.ledger.trades(MONTHS),
        stores.ledger.book(NOW) if not stores.ledger.readable_positions()[1] else None,
        stores.control.control(NOW),
        stores.control.risk_day(),
        list(stores.control.last_runs().items()),
        list(stores.control.observations().items()),
        stores.control.health(),
        # The one text that is not the same: what zlib says about bytes that are not there.
        _without_reason(stores.watch.read()),
        [stores.decisions.all_of(bar) for bar in bars],
    ]


def _without_reason(watch: MarketWatch | None) -> MarketWatch | None:
    return watch and replace(watch, unreadable="unreadable" if watch.unreadable else "")


def agree(left: Stores, right: Stores, seed: int) -> Counter[tuple[str, bool]]:
    """Raises AssertionError at the first difference. Counts operations by name and whether they were refused."""
    draws, seen = Draws(random.Random(seed)), Counter[tuple[str, bool]]()
    for number in range(OPERATIONS):
        name, operation = draws.operation()
        found, twin = answer(left, operation), answer(right, operation)
        if name == "do_read_watch":
            found, twin = (_without_reason(each) for each in (found, twin))  # type: ignore[arg-type]
        assert twin == found, f"seed {seed}, operation {number} ({name})"
        draws.keep(found)
        seen[name, isinstance(found, Refusal)] += 1
        if number % COMPARED_EVERY == 0:
            assert contents(right) == contents(left), f"seed {seed}, after operation {number} ({name})"
    assert contents(right) == contents(left), f"seed {seed}, at the end"
    return seen


@pytest.mark.parametrize("seed", SEEDS)
def test_random_operations_end_alike_in_both(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    with stores_of("dynamo", monkeypatch) as real:
        seen = agree(real, memory_stores(MemoryTables()), seed)
    assert sum(seen.values()) == OPERATIONS


def test_random_operations_pass_and_are_refused() -> None:
    """The sequences are worth comparing only if every conditional write is both accepted and refused in them."""
    total: Counter[tuple[str, bool]] = Counter()
    for seed in SEEDS:
        total += agree(memory_stores(MemoryTables()), memory_stores(MemoryTables()), seed)
    conditional = (
        "do_open",
        "do_save",
        "do_send",
        "do_close",
        "do_adopt",
        "do_set_control",
        "do_save_day",
        "do_save_watch",
    )
    assert _rare(total, conditional) == []


def _rare(total: Counter[tuple[str, bool]], names: Iterable[str]) -> list[tuple[str, bool, int]]:
    return [
        (name, refused, total[name, refused]) for name in names for refused in (True, False) if total[name, refused] < 3
    ]
