"""From the last universe to the next: coins that must stay, listings and delistings, and the shrink guard."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from trading.model.instruments import Instrument, InstrumentId, Universe
from trading.rules import UniverseRules


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseChange:
    """Ids that came and went, in order."""

    added: tuple[InstrumentId, ...]
    removed: tuple[InstrumentId, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


def keep_held(proposed: Universe, previous: Universe | None, held: Collection[InstrumentId]) -> Universe:
    """A coin that would leave while a position in it is open stays as it was: its candles are needed until it ends."""
    present = {instrument.id for instrument in proposed.instruments}
    staying = [
        each for each in (previous.instruments if previous else ()) if each.id in held and each.id not in present
    ]
    if not staying:
        return proposed
    together: list[Instrument] = sorted([*proposed.instruments, *staying], key=lambda each: each.id)
    return replace(proposed, instruments=tuple(together))


def change_between(previous: Universe | None, proposed: Universe) -> UniverseChange:
    before = {each.id for each in previous.instruments} if previous else set()
    after = {each.id for each in proposed.instruments}
    return UniverseChange(added=tuple(sorted(after - before)), removed=tuple(sorted(before - after)))


def shrink_refusal(previous: Universe | None, proposed: Universe, rules: UniverseRules) -> str | None:
    """Why `proposed` must not replace `previous`, None when it may. A ratio of 0 turns the guard off.

    An empty universe is refused always: no venue that works lists nothing.
    """
    if not proposed.instruments:
        return "the new universe is empty"
    if previous is None:
        return None
    if len(proposed) < len(previous) * rules.shrink_guard_ratio:
        share = rules.shrink_guard_ratio
        return f"the new universe has {len(proposed)} markets after {len(previous)}, below the share {share}"
    return None
