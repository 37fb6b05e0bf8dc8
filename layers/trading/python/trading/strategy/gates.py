"""The gates in their order: each looks at one thing and says its value and its limit.

The first group is asked before the score, the second needs levels and is asked after it. A gate switched off in the
rules gives no result; a market without a quote fails the spread gate whatever the rules say, because nothing that
costs an unknown amount may be traded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from trading.model.costs import projected_funding, round_trip_cost
from trading.model.decisions import Alignment, GateResult
from trading.model.signals import Levels, Regime
from trading.model.snapshots import Snapshot
from trading.model.units import BasisPoints
from trading.rules import Rules
from trading.strategy.fibonacci import FibonacciPlace
from trading.strategy.levels import net_reward, target_cost_multiple
from trading.strategy.reading import Reading
from trading.strategy.setups import Candidate

BIAS: Final = "bias"
COOLDOWN: Final = "cooldown"
STRUCTURE_REUSE: Final = "structure_reuse"

_STANDING = {Alignment.ALIGNED: 1.0, Alignment.NEUTRAL: 0.0, Alignment.OPPOSED: -1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One candidate with everything its gates and its score look at. `cost` and `levels` are None without a quote."""

    snapshot: Snapshot
    reading: Reading
    candidate: Candidate
    structure_id: str
    alignment: Alignment
    place: FibonacciPlace | None
    cost: BasisPoints | None
    levels: Levels | None


Gate = Callable[[Case, Rules], GateResult | None]


def universe_health_gate(case: Case, rules: Rules) -> GateResult | None:
    """Enough of the universe (percent) has sound candles: when a whole feed fails, the coins that look sound are the
    ones whose fault was not noticed yet."""
    if not (rules.quality.enabled and rules.quality.universe_health):
        return None
    value, limit = 100 * case.snapshot.healthy_share, rules.quality.universe_healthy_minimum_pct
    return GateResult(name="universe_health", passed=value >= limit, value=value, limit=limit)


def bias_gate(case: Case, rules: Rules) -> GateResult | None:
    """The higher timeframes do not stand against the side (-1 opposed, 0 neutral, 1 aligned)."""
    if not rules.bias.enabled:
        return None
    value = _STANDING[case.alignment]
    return GateResult(name=BIAS, passed=value >= 0, value=value, limit=0.0)


def adx_gate(case: Case, rules: Rules) -> GateResult | None:
    """The decision timeframe moves in some direction."""
    if not rules.gates.adx:
        return None
    value, limit = case.reading.adx, rules.gates.adx_minimum
    return GateResult(name="adx", passed=value >= limit, value=value, limit=limit)


def fibonacci_gate(case: Case, rules: Rules) -> GateResult | None:
    """A tight entry stands in the OTE zone (distance 0) or near a level (distance in basis points)."""
    if not rules.gates.fibonacci or case.candidate.setup.regime is not Regime.TIGHT_SMC:
        return None
    limit = rules.gates.fibonacci_near_bps
    if case.place is None:
        return GateResult(name="fibonacci", passed=False, limit=limit)
    distance = 0.0 if case.place.in_ote else case.place.level_bps
    return GateResult(name="fibonacci", passed=distance <= limit, value=distance, limit=limit)


def spread_gate(case: Case, rules: Rules) -> GateResult | None:
    """The contract has a quote, and its spread (basis points) is bearable."""
    limit = rules.gates.spread_maximum_bps
    if case.snapshot.market is None:
        return GateResult(name="spread", passed=False, limit=limit)
    if not rules.gates.spread:
        return None
    value = float(case.snapshot.market.spread)
    return GateResult(name="spread", passed=value <= limit, value=value, limit=limit)


def cooldown_gate(case: Case, rules: Rules) -> GateResult | None:
    """Enough minutes have passed since the coin's last signal."""
    if not rules.gates.cooldown:
        return None
    return _rest_gate(COOLDOWN, case, case.snapshot.last_signal_at, rules.gates.cooldown_after_signal_minutes)


def structure_reuse_gate(case: Case, rules: Rules) -> GateResult | None:
    """The structure has not been traded on in the last minutes."""
    if not rules.gates.structure_reuse:
        return None
    used = [moment for name, moment in case.snapshot.used_structures if name == case.structure_id]
    return _rest_gate(STRUCTURE_REUSE, case, max(used, default=None), rules.gates.structure_reuse_minutes)


def levels_gate(case: Case, _: Rules) -> GateResult | None:
    """Stop, entry and targets are positive prices in order on the contract's ticks."""
    return GateResult(name="levels", passed=case.levels is not None)


def cost_tight_gate(case: Case, rules: Rules) -> GateResult | None:
    """A tight round trip costs at most so many basis points."""
    if not rules.gates.cost_tight or case.candidate.setup.regime is not Regime.TIGHT_SMC or case.cost is None:
        return None
    limit = rules.gates.cost_tight_maximum_bps
    return GateResult(name="cost_tight", passed=case.cost <= limit, value=float(case.cost), limit=float(limit))


def cost_wide_gate(case: Case, rules: Rules) -> GateResult | None:
    """The first target of a wide idea is worth several times its round trip."""
    wide = case.candidate.setup.regime is Regime.WIDE_STRUCTURE
    if not rules.gates.cost_wide or not wide or case.cost is None or case.levels is None:
        return None
    value, limit = target_cost_multiple(case.levels, case.cost), rules.gates.cost_wide_target_multiple
    if value is None:
        return GateResult(name="cost_wide", passed=True, limit=float(limit))
    return GateResult(name="cost_wide", passed=value >= limit, value=float(value), limit=float(limit))


def funding_wide_gate(case: Case, rules: Rules) -> GateResult | None:
    """Holding a wide idea does not cost too much funding (basis points)."""
    market, regime = case.snapshot.market, case.candidate.setup.regime
    if not rules.gates.funding_wide or regime is not Regime.WIDE_STRUCTURE or market is None:
        return None
    value = projected_funding(market, case.candidate.side, regime, rules.cost)
    limit = rules.gates.funding_wide_maximum_bps
    return GateResult(name="funding_wide", passed=value <= limit, value=float(value), limit=float(limit))


def net_reward_gate(case: Case, rules: Rules) -> GateResult | None:
    """What the second target pays after cost, against what the stop takes with cost."""
    if not rules.gates.net_reward or case.cost is None or case.levels is None:
        return None
    tight = case.candidate.setup.regime is Regime.TIGHT_SMC
    limit = rules.gates.net_reward_minimum_tight if tight else rules.gates.net_reward_minimum_wide
    value = net_reward(case.levels, case.cost)
    return GateResult(name="net_reward", passed=value >= limit, value=float(value), limit=float(limit))


BEFORE_SCORE: Final[tuple[Gate, ...]] = (
    universe_health_gate,
    bias_gate,
    adx_gate,
    fibonacci_gate,
    spread_gate,
    cooldown_gate,
    structure_reuse_gate,
)
AFTER_SCORE: Final[tuple[Gate, ...]] = (
    levels_gate,
    cost_tight_gate,
    cost_wide_gate,
    funding_wide_gate,
    net_reward_gate,
)


def ask_gates(gates: tuple[Gate, ...], case: Case, rules: Rules) -> tuple[GateResult, ...]:
    """The results of these gates, in order, without those that do not apply."""
    results = (gate(case, rules) for gate in gates)
    return tuple(result for result in results if result is not None)


def case_cost(snapshot: Snapshot, candidate: Candidate, rules: Rules) -> BasisPoints | None:
    """The round trip of this candidate in basis points, None without a quote."""
    if snapshot.market is None:
        return None
    regime = candidate.setup.regime
    return round_trip_cost(snapshot.instrument, snapshot.market, candidate.side, regime, rules.cost)


def _rest_gate(name: str, case: Case, since: datetime | None, minutes: int) -> GateResult:
    if since is None:
        return GateResult(name=name, passed=True, limit=float(minutes))
    rested = (case.snapshot.decision_bar - since).total_seconds() / 60
    return GateResult(name=name, passed=rested >= minutes, value=rested, limit=float(minutes))
