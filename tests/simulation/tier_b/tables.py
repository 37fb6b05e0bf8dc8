"""The items of the simulated DynamoDB as `MemoryTables` shows them: decoded once for each version of an item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from shared.storage.codec import from_json, to_json
from shared.storage.decisions import BAR, STAGE, StageRecord
from shared.storage.ledger import SignalState, StoredSignal
from tests.fakes.cloud import DECISIONS, LEDGER
from tests.simulation.memory.tables import Archived, Stored, StoredRun
from tests.simulation.transports.aws import SimulatedServices
from tests.simulation.transports.dynamo import SimulatedDynamo, Snapshot
from tests.simulation.transports.dynamo_values import Item
from trading.errors import CorruptRecord
from trading.model.alerts import Alert
from trading.model.book import EntryBook
from trading.model.control import Control, RiskDay
from trading.model.instruments import InstrumentId
from trading.model.positions import Position, Trade
from trading.model.signals import Signal, SignalId
from trading.model.times import from_text, to_text

Kind = TypeVar("Kind")
POSITION, CURRENT = "POSITION", "CURRENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What an item of the archive holds."""

    position: Position
    trade: Trade | None


class _Seen(NamedTuple):
    """A stored item and what it decodes to: the same object until the item is another one."""

    item: Item
    value: Any


class Positions(dict[InstrumentId, Stored[Position]]):
    """The open records. Setting one writes its item back, as a person would who mends it."""

    def __init__(self, write: Callable[[InstrumentId, str], None]) -> None:
        super().__init__()
        self._write = write

    def __setitem__(self, instrument: InstrumentId, stored: Stored[Position]) -> None:
        self._write(instrument, stored.value if isinstance(stored.value, str) else to_json(stored.value))

    def show(self, instrument: InstrumentId, stored: Stored[Position]) -> None:
        super().__setitem__(instrument, stored)


class TablesInDynamo:
    """Looks as often as it is asked; `hours` are the decision bars that signals and stages may have."""

    def __init__(self, dynamo: SimulatedDynamo, services: SimulatedServices, hours: tuple[datetime, ...]) -> None:
        self._dynamo = dynamo
        self._services = services
        self._hours = hours
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._groups: dict[str, tuple[list[tuple[str, Item]], dict[Any, Any]]] = {}
        self._positions = Positions(self._write_body)
        self._told: list[Alert] = []

    # one item each

    @property
    def control(self) -> Stored[Control] | None:
        return self._stored(Control, "CONTROL")

    @property
    def risk_day(self) -> Stored[RiskDay] | None:
        return self._stored(RiskDay, "RISK_DAY")

    @property
    def book(self) -> Stored[EntryBook] | None:
        return self._stored(EntryBook, "BOOK")

    # many items

    @property
    def positions(self) -> Positions:
        found = self._partition(LEDGER, POSITION)
        shown = self._positions
        for name, item in found:
            stored = self._decoded(POSITION, name, item, lambda each: _record(Position, each))
            if shown.get(InstrumentId(name)) is not stored:
                shown.show(InstrumentId(name), stored)
        if len(shown) > len(found):
            kept = {name for name, _ in found}
            for gone in [each for each in shown if each not in kept]:
                del shown[gone]
        return shown

    @property
    def signals(self) -> dict[datetime, Mapping[SignalId, StoredSignal]]:
        groups = ((hour, self._group(LEDGER, f"SIGNAL#{to_text(hour)}", _signal)) for hour in self._hours)
        return {hour: group for hour, group in groups if group}

    @property
    def stages(self) -> dict[datetime, Mapping[str, StageRecord]]:
        groups = ((hour, self._group(DECISIONS, BAR + to_text(hour), _stage)) for hour in self._hours)
        return {hour: {name: each for name, each in group.items() if each is not None} for hour, group in groups}

    @property
    def archive(self) -> dict[str, Mapping[str, Archived]]:
        months = sorted({to_text(each)[:7] for each in self._hours})
        names = [f"{kind}#{month}" for kind in ("TRADE", "UNFILLED") for month in months]
        return {name: self._group(LEDGER, name, _archived) for name in names}

    @property
    def runs(self) -> Mapping[str, StoredRun]:
        return self._group(LEDGER, "RUN", _run)

    @property
    def control_audit(self) -> Mapping[str, Control]:
        return self._group(LEDGER, "CONTROL_AUDIT", lambda item: from_json(Control, _body(item)))

    @property
    def told(self) -> list[Alert]:
        """The alerts that were published, in order."""
        for message in self._services.published[len(self._told) :]:
            self._told.append(from_json(Alert, message.body))
        return self._told

    # what people and disasters do

    def corrupt_position(self, instrument: InstrumentId, text: str) -> None:
        """Damage a record that is there."""
        self._write_body(instrument, text)

    def snapshot(self) -> Snapshot:
        return self._dynamo.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Back to that moment; what is shown afterwards are other objects."""
        self._dynamo.restore(snapshot)
        self._seen.clear()
        self._groups.clear()
        self._positions = Positions(self._write_body)

    # inside

    def _write_body(self, instrument: InstrumentId, text: str) -> None:
        found = self._dynamo.item(LEDGER, POSITION, instrument)
        assert found is not None, f"there is no record of {instrument} to write into"
        self._dynamo.put_item(TableName=LEDGER, Item={**found, "body": {"S": text}})

    def _stored(self, kind: type[Kind], partition: str) -> Stored[Kind] | None:
        item = self._dynamo.item(LEDGER, partition, CURRENT)
        if item is None:
            return None
        found: Stored[Kind] = self._decoded(partition, CURRENT, item, lambda each: _record(kind, each))
        return found

    def _decoded(self, partition: str, name: str, item: Item, decode: Callable[[Item], Any]) -> Any:
        seen = self._seen.get((partition, name))
        if seen is None or seen.item is not item:
            seen = self._seen[partition, name] = _Seen(item, decode(item))
        return seen.value

    def _group(self, table: str, partition: str, decode: Callable[[Item], Any]) -> dict[Any, Any]:
        """A partition as one mapping, the same object until one of its items changes."""
        found = self._partition(table, partition)
        known = self._groups.get(partition)
        if known is not None and len(known[0]) == len(found) and all(map(_same, known[0], found)):
            return known[1]
        group = {name: self._decoded(partition, name, item, decode) for name, item in found}
        self._groups[partition] = found, group
        return group

    def _partition(self, table: str, name: str) -> list[tuple[str, Item]]:
        return self._dynamo._table(table).partition(name)


def _same(one: tuple[str, Item], other: tuple[str, Item]) -> bool:
    return one[1] is other[1]


def _body(item: Item) -> str:
    return str(item.get("body", {}).get("S", ""))


def _record(kind: type[Kind], item: Item) -> Stored[Kind]:
    text, version = _body(item), item.get("version")
    try:
        value: Kind | str = from_json(kind, text)
    except CorruptRecord:
        value = text
    return Stored(value, int(version["N"]) if version else None, item.get("state", {}).get("S"))


def _signal(item: Item) -> StoredSignal:
    return StoredSignal(signal=from_json(Signal, _body(item)), state=SignalState(item["state"]["S"]))


def _stage(item: Item) -> StageRecord | None:
    """Traces stand in the same partition."""
    return from_json(StageRecord, _body(item)) if item["sk"]["S"].startswith(STAGE) else None


def _archived(item: Item) -> Archived:
    found = from_json(Ended, _body(item))
    return Archived(found.position, found.trade)


def _run(item: Item) -> StoredRun:
    return StoredRun(from_text(item["at"]["S"]), _body(item), None)


def hours_between(start: datetime, end: datetime) -> Iterator[datetime]:
    """Every full hour of a span that begins with one."""
    while start <= end:
        yield start
        start += timedelta(hours=1)
