"""A signal that passes every limit, and ways to push one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tests.fakes.records import NOW, RULES, account, coin, control, quote, risk_day, signal
from trading.model.instruments import Instrument
from trading.model.positions import Position
from trading.model.risk import LimitCheck, RefusalReason, RiskApproved, RiskRefused
from trading.model.signals import Signal
from trading.model.units import Price
from trading.model.venue import Account, Quote, VenuePosition
from trading.risk.case import Market, Portfolio
from trading.risk.gate import decide_risk
from trading.rules import Rules


@dataclass(frozen=True)
class Scene:
    """What the gate looks at; `replace` one field to push one limit."""

    signal: Signal = field(default_factory=signal)
    instrument: Instrument = field(default_factory=coin)
    account: Account = field(default_factory=account)
    quote: Quote = field(default_factory=quote)
    spot: Any = 100
    spot_at: datetime = NOW
    positions: tuple[Position, ...] = ()
    venue_positions: tuple[VenuePosition, ...] = ()
    other_quotes: tuple[Quote, ...] = ()
    control: Any = field(default_factory=control)
    day: Any = field(default_factory=risk_day)
    rules: Rules = RULES
    now: datetime = NOW

    def but(self, **changes: Any) -> Scene:
        return replace(self, **changes)

    def decide(self) -> RiskApproved | RiskRefused:
        market = Market(instrument=self.instrument, quote=self.quote, spot=Price(self.spot), spot_at=self.spot_at)
        portfolio = Portfolio(
            account=self.account,
            positions=self.positions,
            venue_positions=self.venue_positions,
            quotes={each.contract: each for each in (self.quote, *self.other_quotes)},
            control=self.control,
            risk_day=self.day,
        )
        return decide_risk(self.signal, portfolio, market, self.rules, self.now)

    def check(self, reason: RefusalReason) -> LimitCheck | None:
        return next((each for each in self.decide().limits if each.reason is reason), None)

    def refused_by(self) -> set[RefusalReason]:
        return {each.reason for each in self.decide().limits if not each.passed}


SCENE = Scene()
