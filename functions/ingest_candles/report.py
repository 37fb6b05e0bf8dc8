"""What an ingest run did, as its proof says it and as people are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.instruments import InstrumentId
from trading.model.quality import CoinQuality, QualityState
from trading.model.times import to_text

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """Proof of a run. `watermark`: newest close whose bars are all in (or were given up), for `universe_version`.

    `waiting`: by coin, why it lacks the close; `awaited` are those of them that hold it up. `substituted` coins got
    bars of the index. `asked`: coins whose turn came. `shards`: how many were sent out.
    """

    watermark: datetime | None = None
    universe_version: int = 0
    coins: int = 0
    bars: int = 0
    new_coins: int = 0
    folded: int = 0
    asked: int = 0
    shards: int = 0
    waiting: Mapping[InstrumentId, str] = field(default_factory=dict)
    awaited: tuple[InstrumentId, ...] = ()
    substituted: tuple[InstrumentId, ...] = ()

    def proof(self) -> dict[str, Any]:
        return {
            "watermark": to_text(self.watermark) if self.watermark else None,
            "universe_version": self.universe_version,
            "coins": self.coins,
            "bars": self.bars,
            "new_coins": self.new_coins,
            "folded": self.folded,
            "shards": self.shards,
            "waiting": dict(sorted(self.waiting.items())),
            "awaited": len(self.awaited),
            "substituted": list(self.substituted),
        }


def late_alert(report: IngestReport, close: datetime, now: datetime) -> Alert:
    coins = report.awaited
    return Alert(
        kind=AlertKind.STALE_DATA,
        severity=Severity.WARNING,
        subject=f"bars of {to_text(close)}",
        title=f"{len(coins)} of {report.coins} coins have no new bar",
        text=f"The bars that closed at {to_text(close)} are missing for {', '.join(coins[:SHOWN])}.",
        at=now,
        fields=tuple((coin, report.waiting[coin]) for coin in coins[:SHOWN]),
    )


def quality_alert(changed: Mapping[InstrumentId, CoinQuality], close: datetime, now: datetime) -> Alert | None:
    """Which coins lost or got back the trust in their candles; None when none did."""
    if not changed:
        return None
    worse = sorted(coin for coin, quality in changed.items() if quality.state is not QualityState.HEALTHY)
    counts = [
        f"{sum(each.state is state for each in changed.values())} {state.value.lower()}" for state in QualityState
    ]
    return Alert(
        kind=AlertKind.STALE_DATA,
        severity=Severity.WARNING if worse else Severity.INFO,
        subject=f"data quality at {to_text(close)}",
        title=f"Candles of {len(changed)} coins changed their quality",
        text=f"Now: {', '.join(counts)}. Coins that are not healthy get no entries.",
        at=now,
        fields=tuple(
            (coin, f"{changed[coin].state.value}: {changed[coin].reason or 'sound again'}")
            for coin in [*worse, *sorted(changed.keys() - set(worse))][:SHOWN]
        ),
    )
