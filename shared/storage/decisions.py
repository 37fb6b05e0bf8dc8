"""Decision traces: one per coin per decision bar, and the records later stages add to it. Append-only, with TTL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.exceptions import PutError

from shared.storage.codec import from_json, to_json
from shared.storage.tables import DecisionItem, bind, lost_condition
from trading.model.decisions import Decision, Outcome
from trading.model.instruments import InstrumentId
from trading.model.times import require_utc, to_text

KEPT = timedelta(days=30)
WRITERS = 8
TRACE, STAGE = "TRACE#", "STAGE#"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """What a later stage made of a signal: its outcome and one sentence, with the limits it evaluated."""

    instrument: InstrumentId
    decision_bar: datetime
    outcome: Outcome
    sentence: str
    at: datetime
    details: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        require_utc(self.at, "stage time")


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

    def _trace(self, decision: Decision) -> DecisionItem:
        item = self._item(_partition(decision.decision_bar), TRACE + decision.instrument)
        item.body, item.state = to_json(decision), decision.outcome
        item.expires_at = decision.decision_bar + KEPT
        return item

    def add_stage(self, record: StageRecord) -> None:
        """Add what a later stage decided; the same stage of the same bar is written once."""
        item = self._item(_partition(record.decision_bar), f"{STAGE}{record.instrument}#{record.outcome}")
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

    def traces(self, decision_bar: datetime) -> tuple[Decision, ...]:
        items = self._item.query(_partition(decision_bar), DecisionItem.sk.startswith(TRACE), consistent_read=True)
        return tuple(from_json(Decision, item.body or "") for item in items)

    def stages(self, decision_bar: datetime) -> tuple[StageRecord, ...]:
        items = self._item.query(_partition(decision_bar), DecisionItem.sk.startswith(STAGE), consistent_read=True)
        return tuple(from_json(StageRecord, item.body or "") for item in items)

    def traces_of(self, instrument: InstrumentId, bars: Iterable[datetime]) -> tuple[Decision, ...]:
        """This coin's traces for the given bars, oldest first (missing ones are left out)."""
        keys = [(_partition(bar), TRACE + instrument) for bar in bars]
        found = [from_json(Decision, item.body or "") for item in self._item.batch_get(keys, consistent_read=True)]
        return tuple(sorted(found, key=lambda each: each.decision_bar))


def _partition(decision_bar: datetime) -> str:
    return f"BAR#{to_text(decision_bar)}"
