"""Reads what the venue lists, joins it into the universe, and replaces the stored one unless that looks wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.alerts import Alerts
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore, StoredUniverse
from trading.errors import VenueUnavailable
from trading.model.alerts import Alert, AlertKind, Severity
from trading.model.instruments import Universe
from trading.model.times import to_text
from trading.ports import ContractListings, SpotMarket
from trading.rules import Rules
from trading.universe.changing import UniverseChange, change_between, keep_held, shrink_refusal
from trading.universe.joining import Markets, join

REFRESHES_UNTIL_OLD = 3
SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What discovery works with."""

    spot: SpotMarket
    futures: ContractListings
    store: MarketDataStore
    ledger: Ledger
    alerts: Alerts
    rules: Rules


def discover(world: Discovery, now: datetime) -> dict[str, Any]:
    """One cycle; returns its proof. A venue that does not answer, and a universe that shrank, keep the old one."""
    previous = world.store.replaceable_universe()
    try:
        markets = _listed_now(world)
    except VenueUnavailable as error:
        return _kept(world, previous, f"venue gave no answer: {error}", now)
    proposed = join(markets, world.rules.universe)
    refusal = shrink_refusal(previous.universe if previous else None, proposed, world.rules.universe)
    if refusal:
        world.alerts.tell(_shrink_alert(refusal, now))
        return _kept(world, previous, refusal, now)
    held = {position.instrument for position in world.ledger.open_positions()}
    universe = keep_held(proposed, previous.universe if previous else None, held)
    change = change_between(previous.universe if previous else None, universe)
    stored = world.store.save_universe(universe, now, previous)
    if change:
        world.alerts.tell(_change_alert(change, stored, now))
    return _proof(stored, change)


def _listed_now(world: Discovery) -> Markets:
    pairs, listing, quotes = world.spot.pairs(), world.futures.listing(), world.futures.quotes()
    return Markets(pairs=pairs, contracts=listing.contracts, quotes=quotes, refused=listing.refused)


def _proof(stored: StoredUniverse, change: UniverseChange) -> dict[str, Any]:
    return {
        "universe_version": stored.version,
        "markets": len(stored.universe),
        "left_out": len(stored.universe.left_out),
        "added": list(change.added),
        "removed": list(change.removed),
        "kept": None,
    }


def _kept(world: Discovery, previous: StoredUniverse | None, reason: str, now: datetime) -> dict[str, Any]:
    age = now - previous.at if previous else None
    if age is None or age > timedelta(hours=world.rules.universe.refresh_hours) * REFRESHES_UNTIL_OLD:
        world.alerts.tell(_old_alert(previous, reason, now))
    universe = previous.universe if previous else Universe(instruments=())
    return {
        "universe_version": previous.version if previous else 0,
        "markets": len(universe),
        "left_out": len(universe.left_out),
        "added": [],
        "removed": [],
        "kept": reason,
    }


def _shrink_alert(refusal: str, now: datetime) -> Alert:
    return Alert(
        kind=AlertKind.UNIVERSE_SHRINK,
        severity=Severity.WARNING,
        subject="universe",
        title="Universe refused",
        text=f"Discovery keeps the old universe: {refusal}.",
        at=now,
    )


def _old_alert(previous: StoredUniverse | None, reason: str, now: datetime) -> Alert:
    last = f"was confirmed at {to_text(previous.at)}" if previous else "was never discovered"
    return Alert(
        kind=AlertKind.STALE_DATA,
        severity=Severity.WARNING,
        subject="universe",
        title="Universe is old",
        text=f"The universe {last}: {reason}.",
        at=now,
    )


def _change_alert(change: UniverseChange, stored: StoredUniverse, now: datetime) -> Alert:
    return Alert(
        kind=AlertKind.UNIVERSE_CHANGED,
        severity=Severity.INFO,
        subject=f"universe {stored.version}",
        title="Universe changed",
        text=f"{len(stored.universe)} markets: {len(change.added)} added, {len(change.removed)} removed.",
        at=now,
        fields=tuple(
            (label, _listed(ids)) for label, ids in (("added", change.added), ("removed", change.removed)) if ids
        ),
    )


def _listed(ids: tuple[str, ...]) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return ", ".join(ids[:SHOWN]) + more
