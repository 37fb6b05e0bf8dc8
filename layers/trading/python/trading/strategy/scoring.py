"""The score, 0 to 100, part by part, and the threshold it has to reach."""

from __future__ import annotations

from decimal import Decimal

from trading.model.decisions import Alignment, ScorePart
from trading.model.signals import Regime
from trading.model.units import BasisPoints
from trading.rules import Rules, ScoreRules, Steps
from trading.smc.events import EventKey
from trading.strategy.fibonacci import FibonacciPlace
from trading.strategy.gates import Case
from trading.strategy.reading import Reading
from trading.strategy.setups import Candidate


def score_case(case: Case, rules: Rules) -> tuple[ScorePart, ...]:
    """Every part of the score with its points and the most it can give."""
    given = rules.score
    agreeing = major_break(case.reading, case.candidate, rules)
    return (
        zone_part("order_block", case.candidate.blocks, given.order_block),
        zone_part("fair_value_gap", case.candidate.gaps, given.fair_value_gap),
        zone_part("break_of_structure", int(agreeing is not None), given.break_of_structure),
        fibonacci_part(case.place, rules),
        timeframe_part(case.alignment, given),
        adx_part(case.reading.adx, given),
        cost_part(case.cost, given),
    )


def zone_part(name: str, count: int, points: int) -> ScorePart:
    """All points when at least one structure of this kind agrees."""
    return ScorePart(name=name, points=points if count else 0, maximum=points)


def fibonacci_part(place: FibonacciPlace | None, rules: Rules) -> ScorePart:
    """Full points in the OTE zone, some at a level, none elsewhere."""
    points = 0
    if place is not None and place.in_ote:
        points = rules.score.ote
    elif place is not None and place.level_bps <= rules.gates.fibonacci_near_bps:
        points = rules.score.fibonacci_level
    return ScorePart(name="fibonacci", points=points, maximum=max(rules.score.ote, rules.score.fibonacci_level))


def timeframe_part(alignment: Alignment, rules: ScoreRules) -> ScorePart:
    """Points for standing with the higher timeframes."""
    points = {Alignment.ALIGNED: rules.timeframe_aligned, Alignment.NEUTRAL: rules.timeframe_neutral}.get(alignment, 0)
    return ScorePart(name="higher_timeframe", points=points, maximum=rules.timeframe_aligned)


def adx_part(adx: float, rules: ScoreRules) -> ScorePart:
    """Points of the highest step the ADX reaches."""
    reached = [points for limit, points in rules.adx_steps if adx >= limit]
    return ScorePart(name="adx", points=int(max(reached, default=Decimal(0))), maximum=_most(rules.adx_steps))


def cost_part(cost: BasisPoints | None, rules: ScoreRules) -> ScorePart:
    """Points of the cheapest step the round trip stays within; none without a quote."""
    within = [points for limit, points in rules.cost_steps_bps if cost is not None and cost <= limit]
    return ScorePart(name="cost", points=int(max(within, default=Decimal(0))), maximum=_most(rules.cost_steps_bps))


def threshold(regime: Regime, alignment: Alignment, rules: ScoreRules) -> int:
    """The score an idea of this regime needs; what is not aligned needs the neutral one."""
    if regime is Regime.TIGHT_SMC:
        return rules.threshold_tight_aligned if alignment is Alignment.ALIGNED else rules.threshold_tight_neutral
    return rules.threshold_wide_aligned if alignment is Alignment.ALIGNED else rules.threshold_wide_neutral


def major_break(reading: Reading, candidate: Candidate, rules: Rules) -> EventKey | None:
    """A recent BOS of the major scale on the candidate's side, other than those its zone rests on."""
    event = reading.state.scale(rules.detector.major_swing_bars).break_of(candidate.side.sign)
    if event is None or not event.is_bos or event.key in candidate.rests_on:
        return None
    age = reading.state.bar - event.known_at
    return event.key if age <= rules.score.break_of_structure_bars else None


def _most(steps: Steps) -> int:
    return int(max(points for _, points in steps))
