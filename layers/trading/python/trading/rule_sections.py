"""The typed shape of `rules.toml`: one frozen class per section, no default anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.trade_rule_sections import ControlRules, ExecutionRules, ExitRules, ReconciliationRules, RiskRules

Steps = tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRules:
    bars_required: int
    daily_bars_for_bias: int
    bars_kept: int
    decision_bar_late_after_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestRules:
    limit_per_ip: bool
    calls_per_second: float
    attempts: int
    retry_pause_s: float
    run_s: float
    run_s_per_ip: float
    shard_above: int
    shard_coins: int
    give_up_after_s: int
    fallback: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRules:
    enabled: bool
    degraded_after_failures: int
    suspended_after_minutes: int
    probe_minutes: int
    release_after_passes: int
    inspected_bars: int
    gap_maximum_share: float
    jump_pct: float
    frozen_bars: int
    universe_health: bool
    universe_healthy_minimum_pct: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseRules:
    pinned: tuple[str, ...]
    allowed: tuple[str, ...]
    blocked: tuple[str, ...]
    excluded_bases: tuple[str, ...]
    minimum_volume_usd: Decimal
    maximum_spread_bps: Decimal
    tier_a_volume_usd: Decimal
    tier_a_spread_bps: Decimal
    tier_b_volume_usd: Decimal
    tier_b_spread_bps: Decimal
    shrink_guard_ratio: Decimal
    refresh_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorRules:
    minor_swing_bars: int
    major_swing_bars: int
    zone_maximum_age_bars: int
    atr_bars: int
    displacement_body_atr: float
    displacement_body_share: float
    displacement_run_bars: int
    displacement_lookback_bars: int
    change_of_character_fail_bars: int
    window_bars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptRules:
    pools: bool
    equal_levels: bool
    previous_day: bool
    previous_week: bool
    previous_sessions: bool
    breakers: bool
    inversions: bool
    inducements: bool
    dealing_ranges: bool
    ote: bool
    kill_zones: bool
    equal_levels_atr: float
    equal_levels_atr_bars: int
    equal_levels_lookback_bars: int
    sweep_depth_atr_bars: int
    equilibrium_low: float
    equilibrium_high: float
    ote_sweet: float
    asian_minutes: tuple[int, int]
    london_open_minutes: tuple[int, int]
    new_york_open_minutes: tuple[int, int]
    london_close_minutes: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasRules:
    enabled: bool
    ema_days: int
    ema_history_days: int
    neutral_band_bps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupRules:
    order_block: bool
    fair_value_gap: bool
    break_of_structure: bool
    trend: bool
    zone_edge_maximum_atr: float
    gap_minimum_atr: float
    zone_maximum_touches: int
    break_maximum_age_bars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    adx: bool
    adx_bars: int
    adx_history_bars: int
    adx_minimum: float
    fibonacci: bool
    ote_low: float
    ote_high: float
    fibonacci_levels: tuple[float, ...]
    fibonacci_near_bps: float
    spread: bool
    spread_maximum_bps: float
    freshness: bool
    cooldown: bool
    cooldown_after_signal_minutes: int
    structure_reuse: bool
    structure_reuse_minutes: int
    net_reward: bool
    net_reward_minimum_tight: Decimal
    net_reward_minimum_wide: Decimal
    cost_tight: bool
    cost_tight_maximum_bps: Decimal
    cost_wide: bool
    cost_wide_target_multiple: Decimal
    funding_wide: bool
    funding_wide_maximum_bps: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRules:
    order_block: int
    fair_value_gap: int
    break_of_structure: int
    break_of_structure_bars: int
    ote: int
    fibonacci_level: int
    timeframe_aligned: int
    timeframe_neutral: int
    adx_steps: Steps
    cost_steps_bps: Steps
    threshold_tight_aligned: int
    threshold_tight_neutral: int
    threshold_wide_aligned: int
    threshold_wide_neutral: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRules:
    stop_tight_minimum_atr: float
    stop_tight_maximum_atr: float
    stop_wide_minimum_atr: float
    stop_wide_maximum_atr: float
    atr_ratio_bars: int
    atr_ratio_low: float
    atr_ratio_high: float
    target_1_r: Decimal
    target_1_share: Decimal
    target_2_r: Decimal
    target_2_share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRules:
    slippage_bps: Decimal
    entry_rests: bool
    hold_hours_tight: Decimal
    hold_hours_wide: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All sections of `rules.toml`, plus the fingerprint of exactly these numbers (16 hex digits)."""

    data: DataRules
    ingest: IngestRules
    quality: QualityRules
    universe: UniverseRules
    detector: DetectorRules
    concepts: ConceptRules
    bias: BiasRules
    setup: SetupRules
    gates: GateRules
    score: ScoreRules
    levels: LevelRules
    cost: CostRules
    risk: RiskRules
    execution: ExecutionRules
    exits: ExitRules
    reconciliation: ReconciliationRules
    control: ControlRules
    fingerprint: str
