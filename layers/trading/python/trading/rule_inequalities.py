"""What must hold between rules, checked whenever rules are loaded: a limit that another one hides is no limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from trading.errors import InvalidRules
from trading.rule_sections import Rules

PERCENT = 100

PAIRS: tuple[tuple[str, str, str], ...] = (
    ("ingest.run_s", "<=", "ingest.run_s_per_ip"),
    ("ingest.shard_coins", "<=", "ingest.shard_above"),
    ("quality.frozen_bars", "<=", "quality.inspected_bars"),
    ("universe.tier_b_volume_usd", "<", "universe.tier_a_volume_usd"),
    ("universe.tier_a_spread_bps", "<=", "universe.tier_b_spread_bps"),
    ("universe.tier_b_spread_bps", "<=", "universe.maximum_spread_bps"),
    ("detector.minor_swing_bars", "<", "detector.major_swing_bars"),
    ("detector.zone_maximum_age_bars", "<", "detector.window_bars"),
    ("detector.window_bars", "<=", "data.bars_required"),
    ("data.bars_required", "<=", "data.bars_kept"),
    ("concepts.equilibrium_low", "<=", "concepts.equilibrium_high"),
    ("data.daily_bars_for_bias", "<=", "bias.ema_history_days"),
    ("bias.ema_history_days", "<=", "data.bars_kept"),
    ("gates.adx_history_bars", "<=", "data.bars_required"),
    ("gates.ote_low", "<", "gates.ote_high"),
    ("score.threshold_tight_aligned", "<=", "score.threshold_tight_neutral"),
    ("score.threshold_wide_aligned", "<=", "score.threshold_wide_neutral"),
    ("levels.stop_tight_minimum_atr", "<=", "levels.stop_tight_maximum_atr"),
    ("levels.stop_wide_minimum_atr", "<=", "levels.stop_wide_maximum_atr"),
    ("levels.atr_ratio_low", "<", "levels.atr_ratio_high"),
    ("levels.target_1_r", "<", "levels.target_2_r"),
    ("risk.risk_per_trade_pct", "<", "risk.daily_loss_pct"),
    ("risk.daily_loss_pct", "<", "risk.weekly_loss_pct"),
    ("risk.weekly_loss_pct", "<", "risk.drawdown_pct"),
    ("risk.maximum_positions_per_cluster", "<=", "risk.maximum_positions"),
    ("risk.maximum_positions_per_instrument", "<=", "risk.maximum_positions_per_cluster"),
    ("risk.notional_pct_tier_c", "<=", "risk.notional_pct_tier_b"),
    ("risk.notional_pct_tier_b", "<=", "risk.notional_pct_tier_a"),
    ("risk.notional_pct_tier_a", "<=", "risk.side_notional_pct"),
    ("risk.side_notional_pct", "<=", "risk.gross_notional_pct"),
    ("risk.notional_usd_tier_c", "<=", "risk.notional_usd_tier_b"),
    ("risk.notional_usd_tier_b", "<=", "risk.notional_usd_tier_a"),
    ("risk.notional_usd_tier_a", "<=", "execution.order_notional_maximum_usd"),
    ("risk.leverage_tier_c", "<=", "risk.leverage_tier_b"),
    ("risk.leverage_tier_b", "<=", "risk.leverage_tier_a"),
    ("risk.margin_single_pct", "<=", "risk.margin_available_pct"),
    ("risk.basis_maximum_pct", "<", "risk.disorder_basis_pct"),
    ("risk.entries_per_minute", "<=", "risk.entries_per_day"),
    ("risk.entries_per_coin_day", "<=", "risk.entries_per_day"),
    ("risk.maximum_positions", "<=", "risk.entries_per_day"),
    ("risk.quote_maximum_age_s", "<=", "risk.equity_maximum_age_s"),
    ("reconciliation.ghost_stop_pct", "<=", "risk.stop_maximum_pct"),
    ("levels.target_1_r", "<", "exits.progressive_1_r"),
    ("exits.progressive_1_r", "<", "exits.progressive_2_r"),
    ("exits.progressive_2_r", "<", "exits.progressive_3_r"),
    ("exits.progressive_1_atr", "<", "exits.trailing_atr"),
    ("exits.progressive_2_atr", "<", "exits.progressive_1_atr"),
    ("exits.progressive_3_atr", "<", "exits.progressive_2_atr"),
    ("exits.trailing_atr_bars", "<", "data.bars_kept"),
    ("execution.process_before_s", "<", "execution.answer_timeout_s"),
    ("execution.answer_timeout_s", "<=", "execution.absence_visibility_s"),
)
"""Each as (left, relation, right)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inequality:
    """A relation of more than two bare rules; `says` names both sides for the reader."""

    says: str
    left: Callable[[Rules], Decimal] | int
    relation: str
    right: Callable[[Rules], Decimal] | int


ARITHMETIC: tuple[Inequality, ...] = (
    Inequality(
        says="levels.target_1_share + levels.target_2_share against the whole position",
        left=lambda rules: rules.levels.target_1_share + rules.levels.target_2_share,
        relation="<=",
        right=1,
    ),
    Inequality(
        says="risk.maximum_positions x risk.risk_per_trade_pct against risk.daily_loss_pct",
        left=lambda rules: rules.risk.maximum_positions * rules.risk.risk_per_trade_pct,
        relation="<=",
        right=lambda rules: rules.risk.daily_loss_pct,
    ),
    Inequality(
        says="risk.stop_minimum_bps against risk.stop_maximum_pct in basis points",
        left=lambda rules: rules.risk.stop_minimum_bps,
        relation="<",
        right=lambda rules: rules.risk.stop_maximum_pct * PERCENT,
    ),
    Inequality(
        says="1 against risk.depth_multiple",
        left=1,
        relation="<=",
        right=lambda rules: rules.risk.depth_multiple,
    ),
    Inequality(
        says="half of gates.spread_maximum_bps against risk.depth_within_bps",
        left=lambda rules: Decimal(str(rules.gates.spread_maximum_bps)) / 2,
        relation="<",
        right=lambda rules: rules.risk.depth_within_bps,
    ),
    Inequality(
        says="1 against risk.equity_jump_ratio",
        left=1,
        relation="<",
        right=lambda rules: rules.risk.equity_jump_ratio,
    ),
    Inequality(
        says="equity left after risk.drawdown_pct, times risk.equity_jump_ratio, against the whole",
        left=PERCENT,
        relation="<",
        right=lambda rules: (PERCENT - rules.risk.drawdown_pct) * rules.risk.equity_jump_ratio,
    ),
    Inequality(
        says="risk.daily_loss_warning_share against the limit itself",
        left=lambda rules: rules.risk.daily_loss_warning_share,
        relation="<",
        right=1,
    ),
    Inequality(
        says="risk.liquidation_distance_share against the whole distance",
        left=lambda rules: rules.risk.liquidation_distance_share,
        relation="<",
        right=1,
    ),
    Inequality(
        says="risk.margin_available_pct against all of it",
        left=lambda rules: rules.risk.margin_available_pct,
        relation="<",
        right=PERCENT,
    ),
)


def check_inequalities(rules: Rules) -> None:
    """Raises InvalidRules with one sentence that names both sides and their values."""
    for left, relation, right in PAIRS:
        low, high = _look_up(rules, left), _look_up(rules, right)
        if not _holds(low, relation, high):
            raise InvalidRules(f"{left} is {low}; expected {relation} {right}, which is {high}")
    for each in ARITHMETIC:
        low, high = _side(each.left, rules), _side(each.right, rules)
        if not _holds(low, each.relation, high):
            raise InvalidRules(f"{each.says}: {low} is not {each.relation} {high}")


def _side(side: Callable[[Rules], Decimal] | int, rules: Rules) -> Decimal:
    return Decimal(side if isinstance(side, int) else side(rules))


def _holds(low: Decimal, relation: str, high: Decimal) -> bool:
    return low < high or (relation == "<=" and low == high)


def _look_up(rules: Rules, path: str) -> Decimal:
    section, key = path.split(".")
    return Decimal(str(getattr(getattr(rules, section), key)))
