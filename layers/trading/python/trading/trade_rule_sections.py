"""Schema of the rules that act on money: risk, orders, exits, reconciliation and control."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRules:
    risk_per_trade_pct: Decimal
    maximum_positions: int
    maximum_positions_per_cluster: int
    maximum_positions_per_instrument: int
    notional_pct_tier_a: Decimal
    notional_pct_tier_b: Decimal
    notional_pct_tier_c: Decimal
    notional_usd_tier_a: Decimal
    notional_usd_tier_b: Decimal
    notional_usd_tier_c: Decimal
    leverage_tier_a: Decimal
    leverage_tier_b: Decimal
    leverage_tier_c: Decimal
    gross_notional_pct: Decimal
    side_notional_pct: Decimal
    margin_single_pct: Decimal
    margin_available_pct: Decimal
    volume_share_pct: Decimal
    depth: bool
    depth_within_bps: Decimal
    depth_multiple: Decimal
    stop_minimum_bps: Decimal
    stop_maximum_pct: Decimal
    fee_maximum_bps: Decimal
    open_risk: bool
    daily_loss_limit: bool
    daily_loss_pct: Decimal
    daily_loss_warning_share: Decimal
    weekly_loss_limit: bool
    weekly_loss_pct: Decimal
    drawdown_limit: bool
    drawdown_pct: Decimal
    equity_jump: bool
    equity_jump_ratio: Decimal
    loss_streak_pause: bool
    loss_streak_tight: int
    loss_streak_tight_minutes: int
    loss_streak_wide: int
    loss_streak_wide_minutes: int
    loss_streak_counts_from_bps: Decimal
    basis_guard: bool
    basis_maximum_pct: Decimal
    disorder: bool
    disorder_move_pct: Decimal
    disorder_window_s: int
    disorder_basis_pct: Decimal
    disorder_market_wide: int
    disorder_pause_minutes: int
    entries_per_minute: int
    entries_per_day: int
    entries_per_coin_day: int
    repeat_minutes: int
    rejections_in_a_row: int
    liquidation_buffer: bool
    liquidation_extra_stop_share: Decimal
    liquidation_distance_share: Decimal
    quote_maximum_age_s: int
    equity_maximum_age_s: int
    clock_skew_maximum_s: Decimal
    contract_maximum_age_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRules:
    entry_life_bars: int
    plan_maximum_age_s: int
    process_before_s: int
    answer_timeout_s: int
    absence_visibility_s: int
    absence_proofs: int
    absence_proof_spacing_s: int
    price_collar_pct: Decimal
    order_notional_maximum_usd: Decimal
    call_cost_per_10_s: int
    break_even_extra_ticks: int
    unprotected_maximum_s: int
    flat_stop_recheck_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitRules:
    break_even: bool
    time_exit: bool
    time_exit_bars: int
    premise: bool
    maximum_hold: bool
    maximum_hold_hours: int
    basis_after_fill: bool
    basis_after_fill_minutes: int
    abandon_ship: bool
    abandon_ship_hours: int
    funding: bool
    funding_hours: int
    funding_maximum_bps: Decimal
    market_disorder: bool
    trailing: bool
    trailing_atr: Decimal
    trailing_atr_bars: int
    trailing_maximum_age_hours: int
    progressive_tightening: bool
    progressive_1_r: Decimal
    progressive_1_atr: Decimal
    progressive_2_r: Decimal
    progressive_2_atr: Decimal
    progressive_3_r: Decimal
    progressive_3_atr: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationRules:
    repair_missing_stop: bool
    ghost_stop_pct: Decimal
    confirm_after_s: int
    stop_beyond_mark_exit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRules:
    token_life_s: int
