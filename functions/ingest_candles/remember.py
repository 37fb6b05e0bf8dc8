"""What is known of each coin's candles, noted where it differs from what stands there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from shared.storage.quality import QualityStore
from trading.errors import StoreConflict
from trading.model.instruments import InstrumentId
from trading.model.quality import CoinQuality, QualityState

Qualities = Mapping[InstrumentId, CoinQuality]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """`mine`: the coins of this shard as they are now; `known`: all coins as they were when the run began."""

    shard: int
    known: Qualities
    mine: Qualities
    universe: Collection[InstrumentId]
    at: datetime


def remember(store: QualityStore, note: Note) -> dict[InstrumentId, CoinQuality]:
    """Save the shard when something changed; returns the coins that came to another state."""
    known, mine = note.known, note.mine
    if any(_essence(quality) != _essence(known.get(coin)) for coin, quality in mine.items()):
        held = {coin: each for coin, each in store.load_shard(note.shard).items() if coin in note.universe}
        # A healthy coin is noted only to contradict an older note, which may stand in another shard's item.
        noted = {coin: each for coin, each in mine.items() if coin in known or _essence(each) != _essence(None)}
        # StoreConflict: a run at the same time saw the same coins, and the next close judges them again.
        with suppress(StoreConflict):
            store.save(note.shard, {**held, **noted}, note.at)
    return {
        coin: quality
        for coin, quality in mine.items()
        if quality.state is not (known[coin].state if coin in known else QualityState.HEALTHY)
    }


def _essence(quality: CoinQuality | None) -> tuple[object, ...]:
    """What is worth a write: an ordinary close of a healthy coin writes nothing."""
    if quality is None:
        return (QualityState.HEALTHY, 0, 0, 0, None)
    return (quality.state, quality.failures, quality.passes, quality.absent_until, quality.probe_at)
