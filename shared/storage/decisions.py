"""Decision traces: one per coin per decision bar, and the records later stages add to it. Append-only, with TTL.

A stored trace says which format it is written in. Any other format is refused, never guessed at: `listing` names what
it refused beside what it read, `traces` raises. A trace that can be read is never replaced; one that cannot is kept
aside when another one takes its place (docs/decisions/0019).
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import MISSING, dataclass, fields
from datetime import datetime, timedelta

from pynamodb.exceptions import PutError

from shared.storage.codec import from_json, to_json
from shared.storage.tables import DecisionItem, bind, lost_condition, save_new
from trading.errors import CorruptRecord
from trading.model.decisions import Decision, Outcome
from trading.model.instruments import InstrumentId
from trading.model.times import Timeframe, require_utc, to_text

KEPT = timedelta(days=30)
WRITERS = 8
BAR, TRACE, STAGE, ASIDE = "BAR#", "TRACE#", "STAGE#", "ASIDE#"
TRACE_FORMAT = 2
"""Raise it whenever a field of `Decision` comes, goes or changes its meaning. Format 1 was text without a number."""

_FORMAT = re.compile(r'\{"format":([0-9]{1,9}),"trace":')


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrace:
    """A trace as it is stored: the keys are written in this order, so that the format is read before the rest."""

    format: int
    trace: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceListing:
    """`decisions` oldest first, of one bar by coin; `refused`: one sentence for each trace that could not be read."""

    decisions: tuple[Decision, ...]
    refused: tuple[str, ...]

    def whole(self) -> tuple[Decision, ...]:
        """The decisions when nothing was refused. Raises CorruptRecord otherwise."""
        if self.refused:
            raise CorruptRecord("; ".join(self.refused))
        return self.decisions


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedTrace:
    """A stored trace that is none of its bar and coin, exactly as it is stored. `misplaced`: it can be read, but is
    another bar's or coin's."""

    why: str
    data: bytes | None
    body: str | None = None
    misplaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BarTraces:
    """What is stored of one bar, by coin. `lasting`: how many of the traces would never expire."""

    readable: Mapping[InstrumentId, Decision]
    refused: Mapping[InstrumentId, RefusedTrace]
    lasting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """What a later stage made of a signal: its outcome and one sentence, with the limits or rules it evaluated.

    `rule`: the exit rule that acted, empty for other stages.
    """

    instrument: InstrumentId
    decision_bar: datetime
    outcome: Outcome
    sentence: str
    at: datetime
    details: tuple[tuple[str, str], ...] = ()
    rule: str = ""

    def __post_init__(self) -> None:
        require_utc(self.at, "stage time")

    @property
    def key(self) -> str:
        """What is written once: an outcome, and of one exit rule at most one an hour."""
        acted = f"#{self.rule}#{to_text(Timeframe.H1.floor(self.at))}" if self.rule else ""
        return f"{self.instrument}#{self.outcome}{acted}"


class DecisionStore:
    def __init__(self, table_name: str) -> None:
        self._item = bind(DecisionItem, table_name)

    def add(self, decisions: Sequence[Decision]) -> int:
        """Write traces that are not there yet; returns how many were new. A decision is never overwritten.

        One conditional write each, several at a time: a batch could not carry conditions, and a transaction would
        cost twice the write units and fail as a whole for one trace that is there already.
        """
        with ThreadPoolExecutor(max_workers=WRITERS) as writers:
            return sum(writers.map(self._add_alone, decisions))

    def _add_alone(self, decision: Decision) -> int:
        try:
            self._trace(decision).save(condition=DecisionItem.pk.does_not_exist())
        except PutError as error:
            if not lost_condition(error):
                raise
            return 0
        return 1

    def add_in_place_of(self, decisions: Sequence[tuple[Decision, RefusedTrace]]) -> int:
        """Write traces where refused ones stand, whose bytes are kept aside in the same bar for as long as any trace.
        Returns how many were written: one that was put right meanwhile stays."""
        with ThreadPoolExecutor(max_workers=WRITERS) as writers:
            return sum(writers.map(self._replace_alone, decisions))

    def _replace_alone(self, found: tuple[Decision, RefusedTrace]) -> int:
        decision, refused = found
        self._keep_aside(decision, refused)
        same = DecisionItem.data.does_not_exist() if refused.data is None else DecisionItem.data == refused.data
        try:
            self._trace(decision).save(condition=DecisionItem.pk.exists() & same)
        except PutError as error:
            if not lost_condition(error):
                raise
            return 0
        return 1

    def _keep_aside(self, decision: Decision, refused: RefusedTrace) -> None:
        """First, and under the digest of what it is: a run that was killed after this keeps nothing twice."""
        digest = zlib.crc32((refused.data or b"") + (refused.body or "").encode())
        item = self._item(_partition(decision.decision_bar), f"{ASIDE}{decision.instrument}#{digest:08x}")
        item.data, item.body, item.state = refused.data, refused.body, refused.why
        item.expires_at = decision.decision_bar + KEPT
        save_new(item)

    def _trace(self, decision: Decision) -> DecisionItem:
        item = self._item(_partition(decision.decision_bar), TRACE + decision.instrument)
        item.data, item.state = encode_trace(decision), decision.outcome
        item.expires_at = decision.decision_bar + KEPT
        return item

    def add_stage(self, record: StageRecord) -> None:
        """Add what a later stage decided; what has the same key is written once in its bar."""
        item = self._item(_partition(record.decision_bar), STAGE + record.key)
        item.body, item.state, item.at = to_json(record), record.outcome, to_text(record.at)
        item.expires_at = record.decision_bar + KEPT
        try:
            item.save(condition=DecisionItem.pk.does_not_exist())
        except PutError as error:
            if not lost_condition(error):
                raise

    def decided(self, decision_bar: datetime) -> dict[InstrumentId, Outcome]:
        """Which coins have a trace for this bar, and how it ended."""
        items = self._item.query(
            _partition(decision_bar),
            DecisionItem.sk.startswith(TRACE),
            attributes_to_get=["sk", "state"],
            consistent_read=True,
        )
        return {InstrumentId(item.sk.removeprefix(TRACE)): Outcome(item.state or "") for item in items}

    def outcomes(self, decision_bar: datetime) -> tuple[Counter[Outcome], Counter[Outcome]]:
        """How often each outcome stands at this bar: of its decisions, and of what later stages recorded."""
        items = list(
            self._item.query(_partition(decision_bar), attributes_to_get=["sk", "state"], consistent_read=True)
        )
        try:
            decided = Counter(Outcome(item.state or "") for item in items if item.sk.startswith(TRACE))
            return decided, Counter(Outcome(item.state or "") for item in items if item.sk.startswith(STAGE))
        except ValueError as error:
            raise CorruptRecord(f"a record of {to_text(decision_bar)} has no outcome: {error}") from None

    def inspect(self, decision_bar: datetime) -> BarTraces:
        """All traces of a bar by the coin they are stored for. Of another bar or coin is as bad as unreadable."""
        readable: dict[InstrumentId, Decision] = {}
        refused: dict[InstrumentId, RefusedTrace] = {}
        lasting = 0
        for item in self._item.query(_partition(decision_bar), DecisionItem.sk.startswith(TRACE), consistent_read=True):
            coin = InstrumentId(item.sk.removeprefix(TRACE))
            lasting += item.expires_at is None
            found = judged(coin, decision_bar, item.data, item.body)
            if isinstance(found, Decision):
                readable[coin] = found
            else:
                refused[coin] = found
        return BarTraces(readable=readable, refused=refused, lasting=lasting)

    def traces(self, decision_bar: datetime) -> tuple[Decision, ...]:
        """All traces of a bar. Raises CorruptRecord when one cannot be read."""
        return self.listing(decision_bar).whole()

    def listing(self, decision_bar: datetime) -> TraceListing:
        """All traces of a bar that can be read, and what was refused."""
        items = self._item.query(_partition(decision_bar), DecisionItem.sk.startswith(TRACE), consistent_read=True)
        return _listing(items)

    def all_of(self, decision_bar: datetime) -> tuple[TraceListing, tuple[StageRecord, ...]]:
        """`listing` and `stages` of a bar by one Query."""
        items = list(self._item.query(_partition(decision_bar), consistent_read=True))
        stages = tuple(from_json(StageRecord, item.body or "") for item in items if item.sk.startswith(STAGE))
        return _listing(item for item in items if item.sk.startswith(TRACE)), stages

    def stages(self, decision_bar: datetime) -> tuple[StageRecord, ...]:
        items = self._item.query(_partition(decision_bar), DecisionItem.sk.startswith(STAGE), consistent_read=True)
        return tuple(from_json(StageRecord, item.body or "") for item in items)

    def traces_of(self, instrument: InstrumentId, bars: Iterable[datetime]) -> tuple[Decision, ...]:
        """This coin's traces for the given bars, oldest first (missing ones are left out). Raises CorruptRecord."""
        return self.listing_of(instrument, bars).whole()

    def newest(self, instruments: Iterable[InstrumentId], bars: Sequence[datetime]) -> dict[InstrumentId, Decision]:
        """The newest trace of each coin among these bars, by one BatchGet; a coin without one, or whose newest one
        cannot be read, is left out."""
        keys = [(_partition(bar), TRACE + instrument) for instrument in instruments for bar in bars]
        items = {item.sk: item for item in sorted(self._item.batch_get(keys, consistent_read=True), key=_by_bar)}
        return {each.instrument: each for each in _listing(items.values()).decisions}

    def listing_of(self, instrument: InstrumentId, bars: Iterable[datetime]) -> TraceListing:
        """Like `traces_of`, with what was refused beside what was read."""
        keys = [(_partition(bar), TRACE + instrument) for bar in bars]
        return _listing(sorted(self._item.batch_get(keys, consistent_read=True), key=lambda item: item.pk))


def encode_trace(decision: Decision) -> bytes:
    """A trace as compressed text with the number of its format in front. What a decision did not come to is left out;
    so small, most traces cost one write unit."""
    said = {each.name: getattr(decision, each.name) for each in fields(Decision)}
    unsaid = {each.name for each in fields(Decision) if each.default is not MISSING and said[each.name] == each.default}
    trace = {name: value for name, value in said.items() if name not in unsaid}
    return zlib.compress(to_json({"format": TRACE_FORMAT, "trace": trace}).encode(), level=9)


def decode_trace(data: bytes) -> Decision:
    """The trace of `encode_trace`'s bytes. Raises CorruptRecord when it has another format or does not decode."""
    try:
        text = zlib.decompress(data).decode()
    except (zlib.error, UnicodeDecodeError):
        raise CorruptRecord(f"it is no trace this code knows, expected format {TRACE_FORMAT}") from None
    found = _FORMAT.match(text)
    if found is None or int(found[1]) != TRACE_FORMAT:
        written = f"format {found[1]}" if found else "no format"
        raise CorruptRecord(f"it has {written}, expected format {TRACE_FORMAT}")
    return from_json(StoredTrace, text).trace


def judged(coin: InstrumentId, bar: datetime, data: bytes | None, body: str | None) -> Decision | RefusedTrace:
    """What is stored for this coin at this bar: its trace, or why it is none."""
    try:
        trace = decode_trace(data or b"")
    except CorruptRecord as error:
        return RefusedTrace(why=str(error), data=data, body=body)
    if (trace.instrument, trace.decision_bar) == (coin, bar):
        return trace
    why = f"it is the trace of {trace.instrument} at {to_text(trace.decision_bar)}"
    return RefusedTrace(why=why, data=data, body=body, misplaced=True)


def _listing(items: Iterable[DecisionItem]) -> TraceListing:
    decisions: list[Decision] = []
    refused: list[str] = []
    for item in items:
        try:
            decisions.append(decode_trace(item.data or b""))
        except CorruptRecord as error:
            coin, bar = item.sk.removeprefix(TRACE), item.pk.removeprefix(BAR)
            refused.append(f"the trace of {coin} at {bar} cannot be read: {error}")
    return TraceListing(decisions=tuple(decisions), refused=tuple(refused))


def _by_bar(item: DecisionItem) -> str:
    return item.pk


def _partition(decision_bar: datetime) -> str:
    return BAR + to_text(decision_bar)
