"""The concepts that are told and drawn beside what decisions read, as the rules have them."""

from __future__ import annotations

from trading.rules import Rules
from trading.smc.concepts import ConceptParameters


def concept_parameters(rules: Rules) -> ConceptParameters:
    """The optimal trade entry is the zone that the gate uses."""
    concepts = rules.concepts
    return ConceptParameters(
        pools=concepts.pools,
        equal_levels=concepts.equal_levels,
        previous_day=concepts.previous_day,
        previous_week=concepts.previous_week,
        previous_sessions=concepts.previous_sessions,
        breakers=concepts.breakers,
        inversions=concepts.inversions,
        inducements=concepts.inducements,
        dealing_ranges=concepts.dealing_ranges,
        ote=concepts.ote,
        kill_zones=concepts.kill_zones,
        equal_levels_atr=concepts.equal_levels_atr,
        equal_levels_atr_bars=concepts.equal_levels_atr_bars,
        equal_levels_lookback_bars=concepts.equal_levels_lookback_bars,
        sweep_depth_atr_bars=concepts.sweep_depth_atr_bars,
        equilibrium_low=concepts.equilibrium_low,
        equilibrium_high=concepts.equilibrium_high,
        ote_near=rules.gates.ote_low,
        ote_sweet=concepts.ote_sweet,
        ote_far=rules.gates.ote_high,
        asian_minutes=concepts.asian_minutes,
        london_open_minutes=concepts.london_open_minutes,
        new_york_open_minutes=concepts.new_york_open_minutes,
        london_close_minutes=concepts.london_close_minutes,
    )
