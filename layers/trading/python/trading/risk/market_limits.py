"""Limits on the signal's market: is it open and calm, are its prices fresh and whole, is the idea worth its cost."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from trading.model.costs import MarketConditions, projected_funding
from trading.model.risk import LimitCheck, RefusalReason
from trading.model.signals import Regime, Signal
from trading.model.units import BasisPoints
from trading.risk.case import Market, RiskCase
from trading.risk.limits import BPS, PERCENT, at_least, at_most, seconds

AN_HOUR = 3600
MISSING = Decimal(10_000)
"""Basis points: what an unknown cost is taken for, so that nothing unknown passes a bound."""


def signal_life(case: RiskCase) -> LimitCheck:
    """Seconds since the signal's expiry; an expired idea is never sent."""
    late = seconds(case.now - case.signal.expires_at)
    return LimitCheck(reason=RefusalReason.SIGNAL_EXPIRED, value=late, bound=Decimal(0), passed=late < 0)


def ladder(signal: Signal, market: Market, *, passed: bool) -> LimitCheck:
    """The contract's tick against the nearest two of stop, entry and targets (USD): a coarse tick makes them one."""
    spot, ratio = signal.levels, market.quote.mark / market.spot
    steps = sorted((spot.stop, spot.entry, spot.target_1, spot.target_2))
    nearest = min(high - low for low, high in pairwise(steps)) * ratio
    return LimitCheck(reason=RefusalReason.LEVELS, value=market.instrument.tick, bound=nearest, passed=passed)


def levels(case: RiskCase) -> LimitCheck:
    """The contract's tick against the nearest two of stop, entry and targets (USD)."""
    return ladder(case.signal, case.market, passed=True)


def market_open(case: RiskCase) -> LimitCheck:
    """1 when the venue has suspended the contract or takes resting orders only."""
    return at_most(RefusalReason.MARKET_CLOSED, int(case.market.quote.suspended or case.market.quote.post_only), 0)


def market_disorder(case: RiskCase) -> LimitCheck | None:
    """Seconds left of a pause after a jump, a torn basis or a halt, here or everywhere."""
    if not case.rules.risk.disorder:
        return None
    pause = case.portfolio.watch.pause(case.market.instrument.contract, case.now)
    return at_most(RefusalReason.MARKET_DISORDER, seconds(pause.until - case.now) if pause else 0, 0)


def contract_age(case: RiskCase) -> LimitCheck:
    """Hours since the venue was asked about its contracts: grid, margin levels and fees come from there."""
    asked, bound = case.portfolio.contracts_at, case.rules.risk.contract_maximum_age_hours
    age = seconds(abs(case.now - asked)) / AN_HOUR if asked else Decimal(bound + 1)
    return at_most(RefusalReason.CONTRACT_AGE, age, bound)


def quote_age(case: RiskCase) -> LimitCheck:
    """Seconds between contract quote, spot price, order book and now: a conversion is only as good as their
    agreement."""
    bound = Decimal(case.rules.risk.quote_maximum_age_s)
    moments = [case.market.quote.at, case.market.spot_at, case.now]
    if case.market.order_book is not None:
        moments.append(case.market.order_book.at)
    return at_most(RefusalReason.QUOTE_AGE, seconds(max(moments) - min(moments)), bound)


def quote_complete(case: RiskCase) -> LimitCheck:
    """How many of bid, ask and funding the venue left out, and of the quotes of what we hold: without them neither
    the cost nor the risk is known. A bid above the ask says no more than none."""
    quote, portfolio = case.market.quote, case.portfolio
    missing = sum(each is None for each in (quote.bid, quote.ask, quote.hourly_funding))
    missing += quote.spread is not None and quote.spread < 0
    missing += sum(each.contract not in portfolio.quotes for each in portfolio.positions if each.quantity)
    return at_most(RefusalReason.QUOTE_COMPLETE, missing, 0)


def basis(case: RiskCase) -> LimitCheck | None:
    """|spot - mark| in percent of spot."""
    if not case.rules.risk.basis_guard:
        return None
    distance = abs(case.market.spot - case.market.quote.mark) / case.market.spot * PERCENT
    return at_most(RefusalReason.BASIS, distance, case.rules.risk.basis_maximum_pct)


def entry_collar(case: RiskCase) -> LimitCheck:
    """The entry's distance from the mark in percent: a far one is a fat finger or a stale level."""
    distance = abs(case.levels.entry - case.market.quote.mark) / case.market.quote.mark * PERCENT
    return at_most(RefusalReason.ENTRY_COLLAR, distance, case.rules.execution.price_collar_pct)


def stop_minimum(case: RiskCase) -> LimitCheck:
    """The stop's distance in bps of the entry: a nearer one is hit by the spread alone."""
    distance = case.levels.stop_distance / case.levels.entry * BPS
    return at_least(RefusalReason.STOP_MINIMUM, distance, case.rules.risk.stop_minimum_bps)


def stop_maximum(case: RiskCase) -> LimitCheck:
    """The stop's distance in percent of the entry."""
    distance = case.levels.stop_distance / case.levels.entry * PERCENT
    return at_most(RefusalReason.STOP_MAXIMUM, distance, case.rules.risk.stop_maximum_pct)


def spread(case: RiskCase) -> LimitCheck:
    """The spread in bps with the quote of now, as the gate of the decision."""
    found = case.market.quote.spread
    bound = Decimal(str(case.rules.gates.spread_maximum_bps))
    return at_most(RefusalReason.SPREAD, MISSING if found is None or found < 0 else found, bound)


def fees(case: RiskCase) -> LimitCheck:
    """The dearer of the two fees in bps; a fee the venue pays to takers, or one beyond reason, is an error."""
    maker, taker = case.market.instrument.maker_fee, case.market.instrument.taker_fee
    bound = case.rules.risk.fee_maximum_bps
    worst = max(abs(maker), abs(taker))
    return LimitCheck(
        reason=RefusalReason.FEES, value=Decimal(worst), bound=bound, passed=worst <= bound and taker >= 0
    )


def cost(case: RiskCase) -> LimitCheck | None:
    """The round trip's cost now, in bps: under a fixed bound (tight), a share of the first target (wide)."""
    gates = case.rules.gates
    if case.signal.regime is Regime.TIGHT_SMC:
        return at_most(RefusalReason.COST, case.sizing.cost, gates.cost_tight_maximum_bps) if gates.cost_tight else None
    if not gates.cost_wide:
        return None
    reward = abs(case.levels.target_1 - case.levels.entry) / case.levels.entry * BPS
    return at_most(RefusalReason.COST, case.sizing.cost, reward / Decimal(str(gates.cost_wide_target_multiple)))


def funding(case: RiskCase) -> LimitCheck | None:
    """What a wide position would pay for funding over its expected hold, in bps."""
    gates, quote = case.rules.gates, case.market.quote
    if not gates.funding_wide or case.signal.regime is not Regime.WIDE_STRUCTURE:
        return None
    paid = MISSING
    if quote.hourly_funding is not None:
        market = MarketConditions(spread=BasisPoints(0), hourly_funding=quote.hourly_funding)
        paid = projected_funding(market, case.signal.side, case.signal.regime, case.rules.cost)
    return at_most(RefusalReason.FUNDING, paid, Decimal(str(gates.funding_wide_maximum_bps)))
