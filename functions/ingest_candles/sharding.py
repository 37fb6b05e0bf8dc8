"""Parts of a large universe that are fetched at the same time by several functions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trading.errors import InvalidInput
from trading.model.instruments import Instrument, InstrumentId, Universe
from trading.model.times import to_text
from trading.rules import UniverseRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """`number` from 1 on: the same coins have the same number as long as the universe stays, so that their bars lie
    in one slab per close. `close` is said for people who read the queue; a shard works on the newest close."""

    number: int
    close: datetime
    coins: tuple[InstrumentId, ...]

    def message(self) -> dict[str, Any]:
        return {"shard": self.number, "close": to_text(self.close), "instruments": list(self.coins)}


def shard_message(body: dict[str, Any]) -> tuple[int, frozenset[InstrumentId]]:
    """Number and coins of a message. Raises InvalidInput for any other message."""
    number, coins = body.get("shard"), body.get("instruments")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 98:
        raise InvalidInput(f"shard message has the number {number!r}; expected 1 to 98")
    if not isinstance(coins, list) or not coins or not all(isinstance(each, str) for each in coins):
        raise InvalidInput(f"shard message names the instruments {coins!r}; expected a list of ids")
    return number, frozenset(map(InstrumentId, coins))


def by_priority(coins: Iterable[Instrument], rules: UniverseRules) -> tuple[Instrument, ...]:
    """Majors first, then by liquidity tier: where calls are scarce, the coins that are traded most come first."""
    return tuple(sorted(coins, key=lambda coin: (coin.id not in rules.pinned, coin.tier.value, coin.id)))


def shard_numbers(universe: Universe, coins_per_shard: int) -> dict[InstrumentId, int]:
    return {coin.id: 1 + position // coins_per_shard for position, coin in enumerate(universe.instruments)}


def shards_of(
    universe: Universe, wanted: Collection[InstrumentId], coins_per_shard: int, close: datetime
) -> tuple[Shard, ...]:
    """Shards with the wanted coins only; one without any is left out."""
    numbers = shard_numbers(universe, coins_per_shard)
    members: dict[int, list[InstrumentId]] = {}
    for coin in universe.instruments:
        if coin.id in wanted:
            members.setdefault(numbers[coin.id], []).append(coin.id)
    return tuple(Shard(number=number, close=close, coins=tuple(coins)) for number, coins in sorted(members.items()))
