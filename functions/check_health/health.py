"""The health record. Its keys are those of `smc-trader status --json`; every fact is stored or read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pynamodb.exceptions import PutError

from shared.storage.control import ControlStore
from shared.storage.tables import lost_condition
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.control import KillLevel
from trading.model.orders import IntentState, Purpose
from trading.model.positions import Position, PositionState
from trading.model.times import to_text
from trading.model.venue import Quote


class Status(StrEnum):
    """`DEGRADED`: somebody should look today. `DOWN`: the system cannot see or reach what it must."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


SUBJECT_CHARACTERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong. `cause` names it in a word or two, without the figures that change every minute: the
    same causes are the same condition. Not `told`: shown only, as it may be gone in a minute or people know it."""

    status: Status
    cause: str
    reason: str
    told: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Ages in seconds, money as decimal text in USD, times as ISO text; None where a fact is not known.

    `unconfirmed` are those reasons that by themselves are shown, not told: they may be gone in a minute, or people know
    them; `causes` names the others, and `told_status` is the worst of those, None when there are none. `failing_since`
    is the first of the failing runs in a row, by function, or by what our own runs could not read or found wrong;
    `look` is what the newest look found and `told_at` the first of our alerts after which forward_alerts has not proven
    a run: the next health run reads all three from here. Ages of `queues` and of the worst coins are those of `at`;
    `looked_at` says when each part was last read.
    """

    at: datetime
    status: Status
    reasons: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    causes: tuple[str, ...]
    told_status: Status | None
    failing_since: dict[str, str]
    mode: str
    kill_level: KillLevel | None
    kill_reason: str | None
    kill_by: str | None
    kill_since: str | None
    positions: tuple[dict[str, Any], ...] | None
    unreadable_positions: int | None
    last_runs: dict[str, str]
    run_periods_seconds: dict[str, int]
    newest_candle_age_seconds: float | None
    newest_decision_age_seconds_max: float | None
    worst_candle: dict[str, Any] | None
    worst_decision: dict[str, Any] | None
    unknown_intents: int | None
    naked_positions: int | None
    queues: dict[str, Any] | None
    dead_letters: dict[str, int] | None
    dlq_messages: int | None
    equity: str | None
    day_loss_pct: str | None
    day_loss_limit_pct: Decimal | None
    store_reachable: bool
    venue_reachable: bool
    venue_seconds: float
    clock_skew_seconds: float | None
    secrets: dict[str, bool] | None
    looked_at: dict[str, str | None]
    look: dict[str, Any]
    told_at: str | None

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"at": to_text(self.at)}, sort_keys=True, default=str)

    def counts(self) -> dict[str, float]:
        """Metrics by name; what could not be read is not reported as none."""
        found = {
            "NakedPositions": self.naked_positions,
            "UnknownIntents": self.unknown_intents,
            "KillLevel": None if self.kill_level is None else int(self.kill_level),
            "DayLossOfLimitPct": self._loss_of_limit(),
        }
        return {name: value for name, value in found.items() if value is not None}

    def durations(self) -> dict[str, float]:
        """Metrics in seconds. A venue that did not answer has no latency: that is a reason, not a slow answer."""
        found = {
            "NewestCandleAgeSeconds": self.newest_candle_age_seconds,
            "VenueSeconds": self.venue_seconds if self.venue_reachable else None,
        }
        return {name: value for name, value in found.items() if value is not None}

    def alert(self) -> Alert | None:
        """All reasons, as soon as one of them is worth telling. What is told is the subject: a condition that stands
        for days must not mute, by its window, the one that comes up beside it."""
        if self.told_status is None:
            return None
        return Alert(
            kind=AlertKind.HEALTH,
            severity=Severity.CRITICAL if self.told_status is Status.DOWN else Severity.WARNING,
            subject=_subject(self.causes),
            title=f"System is {self.told_status}",
            text="\n".join(self.reasons),
            at=self.at,
        )

    def told(self) -> Health:
        """The same record, knowing that its alert went out: forward_alerts has to prove a run after it, and the dead
        letters that it named are news no more."""
        look = self.look
        if self.dead_letters is not None:
            look = look | {"queues": look["queues"] | {"new_dead": False}}
        return replace(self, told_at=self.told_at or to_text(self.at), look=look)

    def _loss_of_limit(self) -> float | None:
        """How much of the allowed daily loss is used, in percent."""
        if self.day_loss_pct is None or not self.day_loss_limit_pct:
            return None
        try:
            return round(float(100 * Decimal(self.day_loss_pct) / self.day_loss_limit_pct), 1)
        except ArithmeticError:
            return None

    def save(self, control: ControlStore) -> None:
        """The record is the proof of this run. A newer record of a run that overtook this one stays."""
        try:
            control.save_health(self.to_json(), self.at)
        except PutError as error:
            if not lost_condition(error):
                raise


def _subject(causes: tuple[str, ...]) -> str:
    """The causes in words; two long lists that begin alike stay different."""
    text = ", ".join(causes)
    if len(text) <= SUBJECT_CHARACTERS:
        return text
    return f"{text[:SUBJECT_CHARACTERS]}... {hashlib.sha256(text.encode()).hexdigest()[:8]}"


def is_naked(position: Position) -> bool:
    """It holds something and no stop order of ours may be working for it."""
    return position.state is PositionState.UNPROTECTED or (position.quantity > 0 and not position.resting(Purpose.STOP))


def unknown_intents(position: Position) -> int:
    return sum(intent.state is IntentState.UNKNOWN for intent in position.intents)


def shown_position(position: Position, quote: Quote | None) -> dict[str, Any]:
    """One line of the status screen. `r` is the open result in multiples of the planned risk, before exit costs."""
    entry = position.average_entry
    line: dict[str, Any] = {
        "id": position.id,
        "instrument": position.instrument,
        "side": position.side.value,
        "state": position.state.value,
        "quantity": str(position.quantity),
        "entry": str(round(entry, 8)) if entry is not None else None,
        "stop": str(position.stop),
        "protected": not is_naked(position),
        "mark": None,
        "stop_distance_pct": None,
        "r": None,
    }
    if quote is not None:
        line["mark"] = str(quote.mark)
        line["stop_distance_pct"] = _rounded((quote.mark - position.stop) * position.side.sign * 100 / quote.mark)
        if entry is not None and position.risk > 0:
            gained = (quote.mark - entry) * position.side.sign * position.quantity
            line["r"] = _rounded(gained / position.risk)
    return line


def _rounded(value: Decimal) -> str:
    return str(round(value, 2))
