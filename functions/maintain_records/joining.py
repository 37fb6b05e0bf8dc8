"""Which coins came into the universe, and when: nobody owed a decision for the bars before that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.storage.market_data import StoredUniverse
from trading.errors import InvalidInput
from trading.model.instruments import InstrumentId
from trading.model.times import from_text, to_text

MEMBERS = "members"


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The coins of the universe as this run saw it, remembered for the next one. `joined`: of those that came lately,
    when they were in it at the latest; it is kept while a bar before that may still be looked at."""

    coins: frozenset[InstrumentId] = frozenset()
    joined: Mapping[InstrumentId, datetime] = field(default_factory=dict)

    def owe(self, coin: InstrumentId, bar: datetime) -> bool:
        """Whether scoring had to decide this coin at that bar."""
        return coin not in self.joined or self.joined[coin] < bar

    def shown(self) -> dict[str, Any]:
        return {"coins": sorted(self.coins), "joined": {coin: to_text(at) for coin, at in self.joined.items()}}


def members(proof: Mapping[str, Any], stored: StoredUniverse | None, bars: Sequence[datetime]) -> Members:
    """Who is a member now, by what the last run's `proof` remembers; `bars` are looked at now.

    Without a memory nobody is new: a trace that is missing is then told rather than written in silence. A universe
    that is gone is no universe that everyone left.
    """
    known = _remembered(proof)
    if stored is None:
        return known or Members()
    coins = frozenset(each.id for each in stored.universe.instruments)
    if known is None:
        return Members(coins=coins)
    # Discovery saved the universe last at `stored.at`, with them in it: they may have come in an earlier cycle.
    came = {coin: known.joined.get(coin) if coin in known.coins else stored.at for coin in sorted(coins)}
    oldest = min(bars, default=None)
    return Members(
        coins=coins,
        joined={coin: at for coin, at in came.items() if at is not None and (oldest is None or at >= oldest)},
    )


def _remembered(proof: Mapping[str, Any]) -> Members | None:
    """A memory that does not decode is none."""
    shown = proof.get(MEMBERS)
    if not isinstance(shown, dict):
        return None
    try:
        return Members(
            coins=frozenset(InstrumentId(str(each)) for each in shown["coins"]),
            joined={InstrumentId(str(coin)): from_text(at) for coin, at in shown["joined"].items()},
        )
    except (LookupError, TypeError, ValueError, AttributeError, InvalidInput):
        return None
