"""The sandbox's state: matching engine, market, keys, switches, faults, rate limits and virtual time."""

import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.local.market import Listing, PriceSource
from infra.local.sandbox.faults import Fault, FaultPlan
from infra.local.sandbox.limits import RateLimits
from infra.local.sandbox.market_terms import market_terms
from infra.local.sandbox.signing import KeyRing
from infra.local.sandbox.spot_traffic import SpotTraffic
from infra.local.sandbox.stress import stress_document, stress_from
from trading.errors import InvalidInput
from trading.matching import (
    Books,
    MarketStatus,
    MatchingEngine,
    Stress,
    Switches,
    books_from_json,
    opening_books,
    to_json,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WireSwitches:
    """How answers look where recordings of Kraken disagree, and behaviour that is off by default.

    `..._lag_s`: the endpoint shows the books as they were so many seconds of venue time ago. The real lags are not
    public; reports speak of 0-3 s for open orders, 0-5 s for positions, 1-120 s for the history.
    """

    lower_case_symbols: bool = False
    stop_type_in_open_orders: str = "stop"
    execution_key: str = "execution"
    order_events: str = "present"
    echo_client_id: bool = True
    quantity_in_status: str = "total"
    missing_bars: str = "flat"
    rate_limits: bool = False
    open_orders_lag_s: int = 0
    positions_lag_s: int = 0
    status_lag_s: int = 0
    fills_lag_s: int = 0
    history_lag_s: int = 0

    def __post_init__(self) -> None:
        for name in ("open_orders_lag_s", "positions_lag_s", "status_lag_s", "fills_lag_s", "history_lag_s"):
            if getattr(self, name) < 0:
                raise InvalidInput(f"switch {name} is {getattr(self, name)}, expected 0 or more seconds")
        allowed = {
            "stop_type_in_open_orders": ("stop", "stp"),
            "execution_key": ("execution", "Execution"),
            "order_events": ("present", "empty", "missing"),
            "quantity_in_status": ("total", "remaining"),
            "missing_bars": ("flat", "skip"),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise InvalidInput(f"switch {name} is {getattr(self, name)!r}, expected one of {', '.join(values)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSettings:
    """How to open the venue. `start` is virtual time (aware UTC), `balance` USD."""

    start: datetime
    balance: Decimal = Decimal(10_000)
    seed: int = 0
    real_time: bool = False
    state_file: Path | None = None


@dataclass(slots=True)
class SandboxVenue:
    """Everything the API handlers share. Callers hold the server's lock."""

    source: PriceSource
    engine: MatchingEngine
    keys: KeyRing
    settings: VenueSettings
    wire: WireSwitches = field(default_factory=WireSwitches)
    faults: FaultPlan = field(default_factory=FaultPlan)
    limits: RateLimits = field(default_factory=RateLimits)
    leverage: dict[str, Decimal] = field(default_factory=dict)
    terms: dict[str, dict[str, Any]] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    started: float = 0.0
    origin: datetime | None = None
    spot: SpotTraffic = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock()
        self.origin = self.engine.now
        self.spot = SpotTraffic(self.source.listings(), self.settings.seed)

    @property
    def now(self) -> datetime:
        """Virtual time."""
        return self.engine.now

    @property
    def by_contract(self) -> dict[str, Listing]:
        """Listings by contract symbol."""
        return {listing.contract: listing for listing in self.source.listings() if listing.contract}

    def follow_wall_clock(self) -> None:
        """With `--real-time`: let virtual time catch up with the wall clock, up to the market's end."""
        if self.settings.real_time and self.origin is not None:
            elapsed = timedelta(milliseconds=int((self.clock() - self.started) * 1000))
            self.engine.advance(max(min(self.origin + elapsed, self.source.last), self.now))

    def advance(self, until: datetime) -> None:
        """Move virtual time forward. InvalidInput backwards or beyond the market's last price."""
        if until > self.source.last:
            raise InvalidInput(f"cannot advance to {until.isoformat()}: prices end at {self.source.last.isoformat()}")
        self.engine.advance(until)

    def switch(self, changes: dict[str, Any]) -> None:
        """Change switches of the matching core or of the wire by name. InvalidInput for an unknown name."""
        core_names = {item.name for item in fields(Switches)}
        wire_names = {item.name for item in fields(WireSwitches)}
        current = {**asdict(self.engine.switches), **asdict(self.wire)}
        for name, value in changes.items():
            if name not in current:
                raise InvalidInput(f"unknown switch {name!r}, expected one of {', '.join(sorted(current))}")
            if type(value) is not type(current[name]):
                raise InvalidInput(f"switch {name} is {value!r}, expected a {type(current[name]).__name__}")
        self.wire = replace(self.wire, **{name: changes[name] for name in changes if name in wire_names})
        self.engine.switches = replace(
            self.engine.switches, **{name: changes[name] for name in changes if name in core_names}
        )

    def set_terms(self, symbol: str, document: Any) -> None:
        """Change tick, step or margin tiers of a contract (see `market_terms`). InvalidInput for anything else."""
        self.engine.set_terms(symbol, **market_terms(document))
        self.terms[symbol] = {**self.terms.get(symbol, {}), **document}

    def stress_documents(self) -> dict[str, dict[str, Any]]:
        """Contracts under stress by symbol; calm ones are left out."""
        markets = self.engine.markets.items()
        return {symbol: stress_document(market.stress) for symbol, market in markets if market.stress != Stress()}

    # persistence

    def save(self) -> None:
        """Write the state file (if there is one) so that a crash leaves either the old or the new state."""
        target = self.settings.state_file
        if target is None:
            return
        document = {
            "market": self._identity(),
            "books": to_json(self.engine.books),
            "switches": {**asdict(self.engine.switches), **asdict(self.wire)},
            "faults": [asdict(fault) for fault in self.faults.faults],
            "spot": self.spot.conditions.document(),
            "leverage": {symbol: str(value) for symbol, value in self.leverage.items()},
            "statuses": {symbol: market.status.value for symbol, market in self.engine.markets.items()},
            "stress": self.stress_documents(),
            "terms": self.terms,
        }
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
        with os.fdopen(handle, "w") as stream:
            json.dump(document, stream, separators=(",", ":"))
        os.replace(name, target)

    def restore(self, document: dict[str, Any]) -> None:
        """Take over a saved state. InvalidInput when it belongs to another market or does not read."""
        if document.get("market") != self._identity():
            raise InvalidInput(
                f"state file is of market {document.get('market')}, expected {self._identity()}: choose another file"
            )
        self.engine = open_engine(self.source, books_from_json(document["books"]))
        self.switch(document["switches"])
        self.faults = FaultPlan([Fault(**fault) for fault in document["faults"]])
        self.spot.change(document.get("spot", {}))
        self.leverage = {symbol: Decimal(value) for symbol, value in document["leverage"].items()}
        for symbol, status in document["statuses"].items():
            self.engine.set_status(symbol, MarketStatus(status))
        for symbol, stress in document.get("stress", {}).items():
            self.engine.set_stress(symbol, stress_from(stress))
        for symbol, terms in document.get("terms", {}).items():
            self.set_terms(symbol, terms)
        self.origin = self.engine.now

    def _identity(self) -> dict[str, Any]:
        return {
            "kind": self.source.kind,
            "seed": self.settings.seed,
            "first": self.source.first.isoformat(),
            "last": self.source.last.isoformat(),
            "listings": [listing.base for listing in self.source.listings()],
        }


def open_engine(source: PriceSource, books: Books) -> MatchingEngine:
    """Engine over every contract of the source, liquidity sized at the price of the books' time."""
    markets = {
        listing.contract: listing.market(source.quote(listing.contract, source.first).mark)
        for listing in source.listings()
        if listing.contract
    }
    return MatchingEngine(books, markets, source)


def open_venue(source: PriceSource, keys: KeyRing, settings: VenueSettings) -> SandboxVenue:
    """Venue at `settings.start`, or as its state file left it."""
    if not source.first <= settings.start <= source.last:
        raise InvalidInput(
            f"start {settings.start.isoformat()} lies outside the market, expected "
            f"{source.first.isoformat()}..{source.last.isoformat()}"
        )
    books = opening_books(settings.start, settings.balance, settings.seed)
    venue = SandboxVenue(source, open_engine(source, books), keys, settings)
    if settings.state_file is not None and settings.state_file.exists():
        try:
            document = json.loads(settings.state_file.read_text())
        except ValueError as error:
            raise InvalidInput(
                f"state file {settings.state_file} is not JSON ({error}), expected a saved state"
            ) from error
        venue.restore(document)
    return venue
