"""The state of the three tables in plain dicts of values that never change, so that a copy of it costs next to nothing.

Dicts inside dicts are replaced on every write, never changed: that is what makes a shallow copy a whole one.
Times inside a record are kept as they are given, where DynamoDB's text keeps milliseconds: give whole milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from shared.storage.decisions import StageRecord
from shared.storage.ledger import StoredSignal
from trading.model.alerts import Alert
from trading.model.book import EntryBook
from trading.model.candles import CandleSeries
from trading.model.control import Control, RiskDay
from trading.model.decisions import Decision, Outcome
from trading.model.disorder import MarketWatch, SeenMarks
from trading.model.flat_stop import FlatStop
from trading.model.instruments import InstrumentId, Universe
from trading.model.positions import Position, Trade
from trading.model.signals import SignalId
from trading.model.times import require_utc

Kind = TypeVar("Kind")


class Stored(NamedTuple, Generic[Kind]):
    """One item: its value, or the damaged text in its place. `state` is what conditions of other writes look at."""

    value: Kind | str
    version: int | None = None
    state: str | None = None


class Archived(NamedTuple):
    position: Position
    trade: Trade | None


class StoredRun(NamedTuple):
    """`proof` when it is flat and so its own copy, else `body`, the JSON text."""

    at: datetime
    body: str | None
    proof: Mapping[str, Any] | None


class StoredDecision(NamedTuple):
    """`trace` is bytes when it is damaged or of another format; the outcome stands beside it."""

    outcome: Outcome
    trace: Decision | bytes


class StoredMarkets(NamedTuple):
    """`universe` is bytes when it is damaged."""

    universe: Universe | bytes
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All tables at one moment; opaque."""

    contents: tuple[Any, ...]


@dataclass(slots=True)
class MemoryTables:
    """One account's tables. `told` are the alerts that were published: no table, so a restore leaves them alone.

    While `topic_down`, publishing fails as it does when SNS cannot be reached.
    """

    positions: dict[InstrumentId, Stored[Position]] = field(default_factory=dict)
    signals: dict[datetime, Mapping[SignalId, StoredSignal]] = field(default_factory=dict)
    archive: dict[str, Mapping[tuple[datetime, str], Archived]] = field(default_factory=dict)
    book: Stored[EntryBook] | None = None
    flat_stop: FlatStop | None = None
    control: Stored[Control] | None = None
    control_audit: dict[tuple[datetime, int, str], Control] = field(default_factory=dict)
    risk_day: Stored[RiskDay] | None = None
    unreadable_days: dict[datetime, RiskDay | str | None] = field(default_factory=dict)
    runs: dict[str, StoredRun] = field(default_factory=dict)
    observed: dict[str, datetime] = field(default_factory=dict)
    tokens: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    windows: dict[str, datetime] = field(default_factory=dict)
    traces: dict[datetime, Mapping[InstrumentId, StoredDecision]] = field(default_factory=dict)
    stages: dict[datetime, Mapping[str, StageRecord]] = field(default_factory=dict)
    watch: Stored[MarketWatch] | None = None
    watch_seen: tuple[SeenMarks, ...] | None = None
    universe: StoredMarkets | None = None
    closes: dict[datetime, Mapping[InstrumentId, float]] = field(default_factory=dict)
    hours: dict[InstrumentId, CandleSeries] = field(default_factory=dict)
    told: list[Alert] = field(default_factory=list)
    topic_down: bool = False

    def snapshot(self) -> Snapshot:
        """Every table at this moment."""
        held = (getattr(self, name) for name in RESTORED)
        return Snapshot(tuple(each.copy() if isinstance(each, dict) else each for each in held))

    def restore(self, snapshot: Snapshot) -> None:
        """Back to that moment (point-in-time restore); the snapshot can be used again."""
        for name, each in zip(RESTORED, snapshot.contents, strict=True):
            setattr(self, name, each.copy() if isinstance(each, dict) else each)

    # what a broken writer, or another version of the code, leaves behind: other attributes of the item stay

    def corrupt_position(self, instrument: InstrumentId, text: str) -> None:
        found = self.positions.get(instrument)
        self.positions[instrument] = found._replace(value=text) if found else Stored(text)

    def corrupt_book(self, text: str) -> None:
        self.book = self.book._replace(value=text) if self.book else Stored(text)

    def corrupt_control(self, text: str) -> None:
        self.control = self.control._replace(value=text) if self.control else Stored(text)

    def corrupt_risk_day(self, text: str) -> None:
        self.risk_day = self.risk_day._replace(value=text) if self.risk_day else Stored(text)

    def corrupt_watch(self, text: str) -> None:
        """Damages the pauses; the marks stay."""
        self.watch = self.watch._replace(value=text) if self.watch else Stored(text)

    def corrupt_trace(self, decision_bar: datetime, instrument: InstrumentId, data: bytes) -> None:
        """Of a trace that is there."""
        bar = millisecond(decision_bar)
        found = self.traces[bar]
        self.traces[bar] = {**found, instrument: found[instrument]._replace(trace=data)}

    def corrupt_universe(self, data: bytes) -> None:
        """Of a universe that is there."""
        assert self.universe is not None
        self.universe = self.universe._replace(universe=data)


RESTORED = tuple(each.name for each in fields(MemoryTables) if each.name not in ("told", "topic_down"))


def millisecond(moment: datetime) -> datetime:
    """What `to_text` keeps of a time: keys and conditions compare no finer. Raises InvalidInput unless it is UTC."""
    require_utc(moment, "time")
    beyond = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - beyond) if beyond else moment


def version_of(item: Stored[Any] | None) -> int | None:
    """The version a condition sees; None where the item or its version is missing."""
    return item.version if item is not None else None
