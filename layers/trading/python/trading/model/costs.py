"""The one definition of what a round trip costs; score, gates, sizing and break-even all use it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.errors import InvalidInput
from trading.model.instruments import Instrument, Side
from trading.model.signals import Regime
from trading.model.units import BasisPoints
from trading.rules import CostRules


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketConditions:
    """What trading this contract costs now. `spread` in bps of the mid; `hourly_funding` a signed share of the
    notional paid by longs each hour (0.00001 = 0.1 bps)."""

    spread: BasisPoints
    hourly_funding: Decimal

    def __post_init__(self) -> None:
        """Raises InvalidInput: a crossed book or funding that is no number would make a trade look cheaper."""
        if self.spread < 0:
            raise InvalidInput(f"spread is {self.spread} bps; expected 0 or more")
        if not self.hourly_funding.is_finite():
            raise InvalidInput(f"hourly funding is {self.hourly_funding}; expected a finite number")


def projected_funding(market: MarketConditions, side: Side, regime: Regime, rules: CostRules) -> BasisPoints:
    """Funding this side pays over the expected hold, in bps (negative when it receives)."""
    hours = rules.hold_hours_tight if regime is Regime.TIGHT_SMC else rules.hold_hours_wide
    return BasisPoints(market.hourly_funding * 10_000 * hours * side.sign)


def round_trip_cost(
    instrument: Instrument, market: MarketConditions, side: Side, regime: Regime, rules: CostRules
) -> BasisPoints:
    """Entry fee + taker exit fee + half spread on each taker side + slippage + funding over the expected hold, in bps.

    Funding that would be received is not counted as a gain.
    """
    half_spread = market.spread / 2
    entry = instrument.maker_fee if rules.entry_rests else instrument.taker_fee + half_spread + rules.slippage_bps
    leave = instrument.taker_fee + half_spread + rules.slippage_bps
    funding = max(projected_funding(market, side, regime, rules), Decimal(0))
    return BasisPoints(entry + leave + funding)
