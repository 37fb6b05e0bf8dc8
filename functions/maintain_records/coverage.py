"""Every coin of the universe has its trace at every bar looked at: faults are found, put right, and counted again.

A trace that can be read is never replaced, by whatever version it was made: it says what was decided then
(docs/decisions/0019).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from functions.maintain_records.afresh import Afresh
from functions.maintain_records.joining import Members
from shared.storage.decisions import BarTraces, DecisionStore, RefusedTrace
from shared.storage.market_data import Coverage
from trading.errors import TradingError
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.decisions import Decision, Outcome
from trading.model.instruments import Instrument, InstrumentId, Universe
from trading.model.times import Timeframe, to_text
from trading.rules import Rules

DECISION = Timeframe.H1
STALE_AFTER = timedelta(hours=6)
LOOKED_BACK = timedelta(hours=24)
"""For a coin's last real decision. One that is older tells nothing more: the coin counts as missing."""
SHOWN = 20


class Fault(StrEnum):
    """MISSING: there is no trace. STALE: another bar's trace stands there, or there is none and the coin's last real
    decision is older than STALE_AFTER. UNREADABLE: damaged, or of another format. JOINED: there is no trace, and there
    could be none, as the coin was not in the universe yet."""

    MISSING = "missing"
    STALE = "stale"
    UNREADABLE = "unreadable"
    JOINED = "joined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A coin without its trace at a bar."""

    instrument: Instrument
    bar: datetime
    fault: Fault
    refused: RefusedTrace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverer:
    """`afresh(bar)`: what is needed to decide coins at that bar; asked for once, and only when a coin is decided.
    `stored`: which 1h bars there are."""

    decisions: DecisionStore
    universe: Universe
    members: Members
    afresh: Callable[[datetime], Afresh]
    stored: Coverage | None
    rules: Rules
    code_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageReport:
    """Of `bars` x `universe` traces `found` were there and `after` are there now, read again. `written` counts what
    this run wrote of what was owed, `afresh` how much of it is a real decision, `joined` what it wrote for coins that
    were not in the universe at that bar. `other_version`: traces of the newest bar that another
    version of code or rules made; they stay. `lasting`: traces found that would never expire."""

    universe: int
    bars: tuple[datetime, ...]
    found: int
    after: int
    holes: tuple[Hole, ...]
    written: int
    afresh: int
    joined: int
    other_version: int
    lasting: int

    @property
    def expected(self) -> int:
        return self.universe * len(self.bars)

    @property
    def lost(self) -> tuple[Hole, ...]:
        """Those whose trace was owed."""
        return tuple(hole for hole in self.holes if hole.fault is not Fault.JOINED)

    @property
    def before_pct(self) -> float:
        owed = self.found + len(self.lost)
        return 100 * self.found / owed if owed else 100.0

    @property
    def after_pct(self) -> float:
        return 100 * self.after / self.expected if self.expected else 100.0

    @property
    def failures(self) -> tuple[str, ...]:
        left = self.expected - self.after
        return (f"{left} of {self.expected} traces are still missing after maintenance",) if left else ()

    def proof(self) -> dict[str, Any]:
        faults = Counter(hole.fault for hole in self.holes)
        return {
            "universe": self.universe,
            "bars_checked": len(self.bars),
            "traces_expected": self.expected,
            "traces_found": self.found,
            "missing_written": faults[Fault.MISSING],
            "stale_refreshed": faults[Fault.STALE],
            "unreadable_replaced": faults[Fault.UNREADABLE],
            "joined": self.joined,
            "traces_written": self.written + self.joined,
            "decided_afresh": self.afresh,
            "of_other_version": self.other_version,
            "without_expiry": self.lasting,
            "coverage_before_pct": round(self.before_pct, 2),
            "coverage_pct": round(self.after_pct, 2),
        }

    def alert(self, now: datetime) -> Alert | None:
        """Nothing is put right quietly, and what could not be put right is said all the more."""
        if not self.written and not self.failures:
            return None
        holes = self.lost or self.holes
        faults = Counter(hole.fault for hole in holes)
        found = ", ".join(f"{faults[each]} {each}" for each in Fault if faults[each])
        coins = sorted({hole.instrument.id for hole in holes})
        left = f" {self.failures[0].capitalize()}." if self.failures else ""
        return Alert(
            kind=AlertKind.COVERAGE,
            severity=Severity.WARNING,
            subject=f"decision traces to {to_text(max(self.bars))}",
            title=f"{len(holes)} decisions were missing",
            text=f"Of {self.expected} expected decisions {len(holes)} had no trace of their own ({found}); "
            f"maintenance wrote {self.written}, {self.afresh} of them decided afresh.{left}",
            at=now,
            fields=(
                ("coins", ", ".join(coins[:SHOWN])),
                ("coverage", f"{self.before_pct:.1f} % -> {self.after_pct:.1f} %"),
            ),
        )


def cover(coverer: Coverer, bars: Sequence[datetime]) -> CoverageReport:
    """Look at these bars, oldest first, and leave every coin of the universe with a trace at each."""
    looked_at = {bar: coverer.decisions.inspect(bar) for bar in bars}
    holes = _holes(coverer, looked_at)
    traces = _traces(coverer, holes, max(bars, default=None))
    new, of_joiners = _new(traces, holes, joined=False), _new(traces, holes, joined=True)
    instead = [(trace, hole.refused) for trace, hole in zip(traces, holes, strict=True) if hole.refused is not None]
    # A trace that scoring wrote meanwhile stays, and was not missing after all.
    written = (coverer.decisions.add(new) if new else 0) + (
        coverer.decisions.add_in_place_of(instead) if instead else 0
    )
    joined = coverer.decisions.add(of_joiners) if of_joiners else 0
    touched = {hole.bar for hole in holes}
    return CoverageReport(
        universe=len(coverer.universe),
        bars=tuple(bars),
        found=sum(_count(coverer, found) for found in looked_at.values()),
        after=sum(
            _count(coverer, coverer.decisions.inspect(bar) if bar in touched else found)
            for bar, found in looked_at.items()
        ),
        holes=tuple(holes),
        written=written,
        afresh=sum(trace.inputs is not None for trace in (*new, *(trace for trace, _ in instead))),
        joined=joined,
        other_version=_other_version(coverer, looked_at),
        lasting=sum(found.lasting for found in looked_at.values()),
    )


def _new(traces: Sequence[Decision], holes: Sequence[Hole], *, joined: bool) -> list[Decision]:
    """For where nothing stands: those that were owed, or those of coins that joined the universe later."""
    pairs = zip(traces, holes, strict=True)
    return [trace for trace, hole in pairs if hole.refused is None and (hole.fault is Fault.JOINED) is joined]


def _count(coverer: Coverer, found: BarTraces) -> int:
    return sum(each.id in found.readable for each in coverer.universe.instruments)


def _other_version(coverer: Coverer, looked_at: Mapping[datetime, BarTraces]) -> int:
    newest = looked_at[max(looked_at)].readable.values() if looked_at else ()
    ours = (coverer.code_version, coverer.rules.fingerprint)
    return sum((each.code_version, each.rules_fingerprint) != ours for each in newest)


def _holes(coverer: Coverer, looked_at: Mapping[datetime, BarTraces]) -> list[Hole]:
    holes = []
    for bar, found in looked_at.items():
        for instrument in coverer.universe.instruments:
            if instrument.id in found.readable:
                continue
            refused = found.refused.get(instrument.id)
            fault = _fault(refused, coverer.members.owe(instrument.id, bar))
            holes.append(Hole(instrument=instrument, bar=bar, fault=fault, refused=refused))
    newest = max(looked_at, default=None)
    absent = {hole.instrument.id for hole in holes if hole.bar == newest and hole.fault is Fault.MISSING}
    stale = _stale(coverer, absent, newest, looked_at) if newest else set()
    return [
        replace(hole, fault=Fault.STALE) if hole.bar == newest and hole.instrument.id in stale else hole
        for hole in holes
    ]


def _fault(refused: RefusedTrace | None, owed: bool) -> Fault:
    if refused is None:
        return Fault.MISSING if owed else Fault.JOINED
    return Fault.STALE if refused.misplaced else Fault.UNREADABLE


def _stale(
    coverer: Coverer, absent: set[InstrumentId], newest: datetime, looked_at: Mapping[datetime, BarTraces]
) -> set[InstrumentId]:
    """Those of `absent` whose last real decision is older than STALE_AFTER. A trace that says nothing but that there
    was no decision does not make a coin fresh."""
    stale: set[InstrumentId] = set()
    wanted, age = set(absent), DECISION.length
    while wanted and age <= LOOKED_BACK:
        bar = newest - age
        found = looked_at[bar] if bar in looked_at else coverer.decisions.inspect(bar)
        decided = {coin for coin in wanted if coin in found.readable and found.readable[coin].inputs is not None}
        stale |= decided if age > STALE_AFTER else set()
        wanted -= decided
        age += DECISION.length
    return stale


def _traces(coverer: Coverer, holes: Sequence[Hole], newest: datetime | None) -> list[Decision]:
    """What is written into each hole: a real decision at the newest bar, at older ones only that there was none."""
    afresh = coverer.afresh(newest) if newest and any(hole.bar == newest for hole in holes) else None
    traces = []
    for hole in holes:
        if afresh is None or hole.bar != newest:
            traces.append(_undecided(coverer, hole, _why(coverer, hole)))
            continue
        try:
            traces.append(afresh.decide(hole.instrument))
        except TradingError as error:
            traces.append(_undecided(coverer, hole, f"{type(error).__name__}: {error}"))
    return traces


def _why(coverer: Coverer, hole: Hole) -> str:
    if hole.refused is not None:
        return f"what was stored of it is kept aside, {hole.refused.why}"
    if hole.fault is Fault.JOINED:
        return "it was not in the universe yet"
    return "its candles came too late or scoring did not run" if _stored(coverer, hole) else "no candle is stored"


def _stored(coverer: Coverer, hole: Hole) -> bool:
    opened = int((hole.bar - DECISION.length).timestamp())
    return coverer.stored is not None and coverer.stored.has((hole.instrument.id, DECISION), opened)


def _undecided(coverer: Coverer, hole: Hole, why: str) -> Decision:
    known = hole.refused is not None or _stored(coverer, hole)
    return Decision(
        instrument=hole.instrument.id,
        decision_bar=hole.bar,
        outcome=Outcome.STALE_DATA if known else Outcome.NO_DATA,
        sentence=f"{hole.instrument.id} has no decision of {to_text(hole.bar)}: {why}; written by maintenance.",
        code_version=coverer.code_version,
        rules_fingerprint=coverer.rules.fingerprint,
        inputs_fingerprint="none",
    )
