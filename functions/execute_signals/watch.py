"""One look at the whole market a run: what is in disorder is remembered, told once, and holds entries up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.storage.market_data import StoredUniverse
from shared.trading_desk import TradingDesk
from trading.errors import StoreConflict
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.disorder import EVERYWHERE, DisorderPause, MarketSight, MarketWatch
from trading.model.venue import ContractStress, Quote
from trading.risk.disorder import started, watch_quotes

LOOKS = 2
"""Of two runs that look at once one loses its write, and with it what only it has seen: it looks again on top."""
NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketLook:
    """All quotes and all stress reports as read, by contract, and the pauses that follow from them. `universe` is the
    one of this run, None before the first discovery."""

    quotes: Mapping[str, Quote]
    stress: Mapping[str, ContractStress]
    watch: MarketWatch
    universe: StoredUniverse | None


def watch_market(desk: TradingDesk, now: datetime) -> MarketLook:
    """Read the market once and keep the watch. VenueUnavailable when it cannot be read: nothing is changed then."""
    look = MarketLook(
        quotes=desk.venue.quotes(), stress=desk.venue.stress(), watch=MarketWatch(), universe=desk.market.universe()
    )
    return replace(look, watch=_keep(desk, _sight(desk, look, now))) if desk.rules.risk.disorder else look


def _sight(desk: TradingDesk, look: MarketLook, now: datetime) -> MarketSight:
    """Only markets of the universe: one contract per coin, so that the contracts of one coin are not many coins."""
    instruments = look.universe.universe.instruments if look.universe else ()
    pinned = desk.rules.universe.pinned
    return MarketSight(
        quotes={each.contract: look.quotes[each.contract] for each in instruments if each.contract in look.quotes},
        stress=look.stress,
        majors=frozenset(each.contract for each in instruments if each.id in pinned),
        at=now,
    )


def _keep(desk: TradingDesk, sight: MarketSight) -> MarketWatch:
    """Tell before saving: a run killed in between tells again and is muted, instead of never."""
    watch = MarketWatch()
    for _ in range(LOOKS):
        before = desk.watch.read()
        watch = watch_quotes(before, sight, desk.rules.risk)
        _tell(desk, started(before, watch, sight.at), sight)
        try:
            return desk.watch.save(watch)
        except StoreConflict:
            continue
    return watch


def _tell(desk: TradingDesk, pauses: tuple[DisorderPause, ...], sight: MarketSight) -> None:
    """One alert a look, however many pauses start in it; one for all contracts speaks for the others."""
    if not pauses:
        return
    names = [each.contract for each in pauses]
    everywhere = EVERYWHERE in names
    shown = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    where = "anywhere" if everywhere else f"in {shown}"
    first = next(each for each in pauses if not everywhere or each.contract == EVERYWHERE)
    desk.alerts.tell(
        Alert(
            kind=AlertKind.MARKET_DISORDER,
            severity=Severity.WARNING,
            subject="everywhere" if everywhere else shown,
            title=f"Market disorder: no entries {where}",
            text=f"No entries {where} before {first.until:%H:%M} UTC: {first.why}. Renewed while it lasts.",
            at=sight.at,
            fields=tuple((each.contract, each.why) for each in pauses if each.contract != EVERYWHERE),
        )
    )
