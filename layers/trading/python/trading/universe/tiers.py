"""Liquidity tiers from a contract's bulk ticker."""

from __future__ import annotations

from dataclasses import dataclass

from trading.model.instruments import Tier
from trading.model.venue import Quote
from trading.rules import UniverseRules


@dataclass(frozen=True, slots=True, kw_only=True)
class NotLiquid:
    """Why a market has no tier, as a person would say it."""

    reason: str


def tier_of(quote: Quote | None, rules: UniverseRules) -> Tier | NotLiquid:
    """Tier by 24 h volume (USD) and spread (bps); a market must pass both limits of its tier."""
    if quote is None:
        return NotLiquid(reason="no valid ticker")
    spread = quote.spread
    if spread is None:
        return NotLiquid(reason="no bid or no ask")
    if quote.volume_usd < rules.minimum_volume_usd:
        return NotLiquid(reason=f"24 h volume {quote.volume_usd:.0f} USD is below {rules.minimum_volume_usd}")
    if spread > rules.maximum_spread_bps:
        return NotLiquid(reason=f"spread {spread:.1f} bps is above {rules.maximum_spread_bps}")
    if quote.volume_usd >= rules.tier_a_volume_usd and spread <= rules.tier_a_spread_bps:
        return Tier.A
    if quote.volume_usd >= rules.tier_b_volume_usd and spread <= rules.tier_b_spread_bps:
        return Tier.B
    return Tier.C
