"""One decision per coin per closed decision bar: what was seen, what was concluded, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trading.model.costs import MarketConditions
from trading.model.instruments import InstrumentId, Side
from trading.model.quality import QualityState
from trading.model.signals import Levels, Regime, Setup, Signal
from trading.model.times import require_utc
from trading.model.units import BasisPoints

CandleMark = tuple[int, str]
"""The bars of one timeframe that a decision could look at: how many, and 8 hex digits over their columns."""


class Outcome(StrEnum):
    """How a decision ended. The first block comes from scoring, the second from later stages."""

    NO_DATA = "NO_DATA"
    INSUFFICIENT_HISTORY = "INSUFFICIENT_HISTORY"
    STALE_DATA = "STALE_DATA"
    DEGRADED = "DEGRADED"
    SUSPENDED = "SUSPENDED"
    COOLDOWN = "COOLDOWN"
    NO_SETUP = "NO_SETUP"
    GATE_FAILED = "GATE_FAILED"
    BELOW_THRESHOLD = "BELOW_THRESHOLD"
    DUPLICATE_STRUCTURE = "DUPLICATE_STRUCTURE"
    SIGNAL = "SIGNAL"

    RISK_REFUSED = "RISK_REFUSED"
    NOT_ALLOCATED = "NOT_ALLOCATED"
    PLANNED = "PLANNED"
    SENT = "SENT"
    FAILED = "FAILED"
    STOP_MOVED = "STOP_MOVED"
    EXIT = "EXIT"


class Bias(StrEnum):
    UP = "up"
    DOWN = "down"
    NEUTRAL = "neutral"


class Alignment(StrEnum):
    """How a side stands to the higher timeframes."""

    ALIGNED = "aligned"
    NEUTRAL = "neutral"
    OPPOSED = "opposed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """One gate: the value it looked at against its limit; both are None where the gate is not a number."""

    name: str
    passed: bool
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorePart:
    name: str
    points: int
    maximum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInputs:
    """Everything a decision was made from; with the candles of the store it can be made again.

    `candles` in the order of `Timeframe`; `tick` in USD and fees in basis points are the contract's; `market` None
    means no quote; `last_signal_at`, `used_structures` and quality as in the snapshot. `late`: decided too late to be
    traded; a signal was taken back.
    """

    candles: tuple[CandleMark, ...]
    tick: Decimal
    maker_fee: BasisPoints
    taker_fee: BasisPoints
    market: MarketConditions | None
    last_signal_at: datetime | None
    used_structures: tuple[tuple[str, datetime], ...]
    quality: QualityState
    quality_reason: str
    healthy_share: float
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The trace of one coin at one decision bar. Finished in every path; `sentence` says it to a person.

    `indicators` are the numbers used (name -> value); `structure` the ids of the detector events used;
    `failed_gate` is set for GATE_FAILED; `signal` for SIGNAL. `inputs` is None where nothing was looked at: a trace
    that maintenance wrote because scoring had not.
    """

    instrument: InstrumentId
    decision_bar: datetime
    outcome: Outcome
    sentence: str
    code_version: str
    rules_fingerprint: str
    inputs_fingerprint: str
    daily_bias: Bias | None = None
    structure_trend: Bias | None = None
    side: Side | None = None
    alignment: Alignment | None = None
    regime: Regime | None = None
    setup: Setup | None = None
    indicators: tuple[tuple[str, float], ...] = ()
    structure: tuple[str, ...] = ()
    gates: tuple[GateResult, ...] = ()
    failed_gate: str | None = None
    score_parts: tuple[ScorePart, ...] = ()
    score: int | None = None
    threshold: int | None = None
    levels: Levels | None = None
    signal: Signal | None = None
    inputs: DecisionInputs | None = None

    def __post_init__(self) -> None:
        require_utc(self.decision_bar, "decision bar")
        assert (self.signal is not None) == (self.outcome is Outcome.SIGNAL), f"{self.outcome} against {self.signal}"
        assert (self.failed_gate is not None) == (self.outcome is Outcome.GATE_FAILED), "a failed gate has a name"
