"""Makes a stored decision again, out of what its trace carries and the candles of the store, and compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from infra.cli.decided import DecidedPlace
from trading.model.candles import CandleSeries
from trading.model.decisions import Decision, DecisionInputs
from trading.model.instruments import Instrument
from trading.model.snapshots import Snapshot
from trading.model.times import Timeframe
from trading.rules import Rules
from trading.strategy.decide import decide, mark_candles
from trading.strategy.snapshots import too_late

COMPARED = tuple(each.name for each in fields(Decision) if each.name not in ("inputs", "inputs_fingerprint"))
IDENTICAL = "replayed identically"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came of making `decision` again. `obstacle`: why that was not possible, empty when it was.

    `causes`: what the decision was made from that is no longer the same; `changes`: what the decision made again says
    otherwise, as (name, then, now).
    """

    decision: Decision
    again: Decision | None = None
    obstacle: str = ""
    causes: tuple[str, ...] = ()
    changes: tuple[tuple[str, str, str], ...] = ()

    @property
    def identical(self) -> bool:
        return self.again is not None and not self.causes and not self.changes

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        if self.obstacle:
            return f"cannot be replayed: {self.obstacle}"
        if self.identical:
            return IDENTICAL
        because = "; ".join(self.causes) or "the code reads the same inputs differently"
        if not self.changes:
            return f"replayed to the same decision, although {because}"
        names = ", ".join(name for name, _, _ in self.changes)
        return f"replayed to another decision (changed: {names}): {because}"


def replay(decision: Decision, place: DecidedPlace) -> Replay:
    """Reads the store. Raises CorruptRecord when the universe does not decode."""
    inputs = decision.inputs
    if inputs is None:
        return Replay(decision=decision, obstacle="nothing was looked at, the trace was written by maintenance")
    stored = place.market.universe()
    instrument = stored.universe.get(decision.instrument) if stored else None
    if instrument is None:
        return Replay(decision=decision, obstacle=f"{decision.instrument} is no longer in the stored universe")
    loaded = place.market.load([decision.instrument], Timeframe, decision.decision_bar)
    if loaded.refused:
        return Replay(decision=decision, obstacle="; ".join(loaded.refused.values()))
    series = {timeframe: loaded.series[decision.instrument, timeframe] for timeframe in Timeframe}
    return replay_on(decision, inputs, instrument, series, place.rules)


def replay_on(
    decision: Decision,
    inputs: DecisionInputs,
    instrument: Instrument,
    series: Mapping[Timeframe, CandleSeries],
    rules: Rules,
) -> Replay:
    """Decide again on these candles, which end with the decision's bar, under these rules."""
    if dropped := dropped_bars(inputs, series, rules):
        return Replay(decision=decision, obstacle=dropped)
    again = decide(_snapshot(decision, inputs, instrument, series), rules)
    if inputs.late:
        again = too_late(again)
    return Replay(
        decision=decision,
        again=again,
        causes=tuple(_causes(decision, again, series)),
        changes=tuple(_changes(decision, again)),
    )


def dropped_bars(inputs: DecisionInputs, series: Mapping[Timeframe, CandleSeries], rules: Rules) -> str:
    """Which timeframe the store no longer holds far enough back; empty when it does."""
    for timeframe, (bars, _) in zip(Timeframe, inputs.candles, strict=True):
        left, kept = len(series[timeframe]), rules.data.bars_kept
        if left < bars:
            return (
                f"the store no longer holds its candles ({left} of {bars} bars of {timeframe} are left; "
                f"it keeps the newest {kept}, {kept * timeframe.seconds / 86_400:g} days)"
            )
    return ""


def _snapshot(
    decision: Decision, inputs: DecisionInputs, instrument: Instrument, series: Mapping[Timeframe, CandleSeries]
) -> Snapshot:
    """The snapshot of then: contract figures and quote of the trace, candles of the store."""
    return Snapshot(
        instrument=replace(instrument, tick=inputs.tick, maker_fee=inputs.maker_fee, taker_fee=inputs.taker_fee),
        decision_bar=decision.decision_bar,
        m15=series[Timeframe.M15],
        h1=series[Timeframe.H1],
        h4=series[Timeframe.H4],
        d1=series[Timeframe.D1],
        market=inputs.market,
        last_signal_at=inputs.last_signal_at,
        used_structures=inputs.used_structures,
        quality=inputs.quality,
        quality_reason=inputs.quality_reason,
        healthy_share=inputs.healthy_share,
        code_version=decision.code_version,
    )


def _causes(decision: Decision, again: Decision, series: Mapping[Timeframe, CandleSeries]) -> Iterator[str]:
    if decision.rules_fingerprint != again.rules_fingerprint:
        yield f"the rules were {decision.rules_fingerprint} and are now {again.rules_fingerprint}"
    assert decision.inputs is not None
    for timeframe, (bars, digest) in zip(Timeframe, decision.inputs.candles, strict=True):
        if mark_candles(series[timeframe].last(bars))[1] != digest:
            yield f"the {timeframe} candles up to its bar have changed since (filled in or replaced)"


def _changes(decision: Decision, again: Decision) -> Iterator[tuple[str, str, str]]:
    """What differs, by name, as deep as it goes."""
    for name in COMPARED:
        if name != "rules_fingerprint":
            yield from _unlike(name, getattr(decision, name), getattr(again, name))


def _unlike(name: str, then: Any, now: Any) -> Iterator[tuple[str, str, str]]:
    if then == now:
        return
    if is_dataclass(then) and type(then) is type(now):
        for each in fields(then):
            yield from _unlike(f"{name}.{each.name}", getattr(then, each.name), getattr(now, each.name))
    elif (before := _named(then)) and before.keys() == (after := _named(now)).keys():
        for key, part in before.items():
            yield from _unlike(f"{name}.{key}", part, after[key])
    else:
        yield name, _told(then), _told(now)


def _named(parts: Any) -> dict[str, Any]:
    """Gates, score parts and indicators by their names; empty for what has none."""
    if not isinstance(parts, tuple):
        return {}
    if all(hasattr(part, "name") for part in parts):
        return {part.name: part for part in parts}
    if all(isinstance(part, tuple) and len(part) == 2 for part in parts):
        return dict(parts)
    return {}


def _told(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(getattr(part, "name", str(part)) for part in value) or "none"
    return str(value) if not is_dataclass(value) else "given"
