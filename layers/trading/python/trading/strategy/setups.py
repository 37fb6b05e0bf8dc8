"""The four setups: where an idea would enter, and where it would be wrong.

Tight setups stand on a living zone near the price; wide ones on a recent break or on the trend's own swings. A setup
is only looked for on the sides it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trading.model.decisions import Alignment
from trading.model.instruments import Side
from trading.model.signals import Setup
from trading.rules import Rules
from trading.smc import ZoneView
from trading.smc.events import ORDER_BLOCK, EventKey
from trading.strategy.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One idea before it is judged. Prices in spot USD; `scale` is the structure it stands on, `structure` the event
    that gives it its name; `rests_on` the breaks its zone came from; `blocks` and `gaps` count the zones that agree.
    """

    setup: Setup
    side: Side
    entry: float
    invalidation: float
    scale: int
    structure: EventKey
    rests_on: tuple[EventKey, ...]
    blocks: int
    gaps: int


def find_setup(reading: Reading, sides: Sequence[Side], rules: Rules) -> Candidate | None:
    """The best setup of these sides: a tight one, else a break, else the trend."""
    return (
        _tight_setup(reading, sides, rules)
        or _break_setup(reading, sides, rules)
        or _trend_setup(reading, sides, rules)
    )


def qualifying_zones(reading: Reading, side: Side, rules: Rules) -> list[ZoneView]:
    """Living zones of the side whose near edge is close to the price, not touched too often, gaps not too small."""
    given = rules.setup
    reach, smallest = given.zone_edge_maximum_atr * reading.atr, given.gap_minimum_atr * reading.atr
    return [
        zone
        for zone in reading.state.zones_of(side.sign)
        if zone.touches <= given.zone_maximum_touches
        and abs(zone.near - reading.close) <= reach
        and _stands(reading.close, zone.far, side)
        and (given.order_block if zone.kind == ORDER_BLOCK else given.fair_value_gap)
        and (zone.kind == ORDER_BLOCK or zone.top - zone.bottom >= smallest)
    ]


def _tight_setup(reading: Reading, sides: Sequence[Side], rules: Rules) -> Candidate | None:
    found = {side: qualifying_zones(reading, side, rules) for side in sides}
    choices = [(side, zone) for side, zones in found.items() for zone in zones]
    if not choices:
        return None
    # Nearest edge, then newest, then order block before gap; between equal sides the first asked for.
    side, zone = min(
        choices,
        key=lambda choice: (
            abs(choice[1].near - reading.close),
            -choice[1].known_at,
            choice[1].kind != ORDER_BLOCK,
            sides.index(choice[0]),
        ),
    )
    blocks = sum(each.kind == ORDER_BLOCK for each in found[side])
    return Candidate(
        setup=Setup.ORDER_BLOCK if zone.kind == ORDER_BLOCK else Setup.FAIR_VALUE_GAP,
        side=side,
        entry=zone.near,
        invalidation=zone.far,
        scale=zone.scale or rules.detector.minor_swing_bars,
        structure=zone.key,
        rests_on=zone.rests_on,
        blocks=blocks,
        gaps=len(found[side]) - blocks,
    )


def _break_setup(reading: Reading, sides: Sequence[Side], rules: Rules) -> Candidate | None:
    if not rules.setup.break_of_structure:
        return None
    choices: list[tuple[int, int, Candidate]] = []
    for side in sides:
        swing = reading.state.scale(rules.detector.minor_swing_bars).swing_against(side.sign)
        for scale in reading.state.scales:
            event = scale.break_of(side.sign)
            if event is None or swing is None or not event.is_bos:
                continue
            age = reading.state.bar - event.known_at
            if age > rules.setup.break_maximum_age_bars or not _holds(reading, event.level, swing.level, side):
                continue
            candidate = Candidate(
                setup=Setup.BREAK_OF_STRUCTURE,
                side=side,
                entry=event.level,
                invalidation=swing.level,
                scale=scale.size,
                structure=event.key,
                rests_on=(),
                blocks=0,
                gaps=0,
            )
            choices.append((age, -scale.size, candidate))
    # The newest break; of one bar the larger scale; between equal sides the first asked for.
    return min(choices, key=lambda choice: choice[:2])[2] if choices else None


def _trend_setup(reading: Reading, sides: Sequence[Side], rules: Rules) -> Candidate | None:
    if not rules.setup.trend or not reading.adx >= rules.gates.adx_minimum:
        return None
    for side in sides:
        near = reading.state.scale(rules.detector.minor_swing_bars).swing_against(side.sign)
        base = reading.state.scale(rules.detector.major_swing_bars).swing_against(side.sign)
        if near is None or base is None or reading.stands(side) is not Alignment.ALIGNED:
            continue
        if _holds(reading, near.level, base.level, side):
            return Candidate(
                setup=Setup.TREND,
                side=side,
                entry=near.level,
                invalidation=base.level,
                scale=rules.detector.major_swing_bars,
                structure=base.key,
                rests_on=(),
                blocks=0,
                gaps=0,
            )
    return None


def _holds(reading: Reading, entry: float, invalidation: float, side: Side) -> bool:
    """The entry lies on the right side of the invalidation and the price has not closed beyond it."""
    return _stands(entry, invalidation, side) and _stands(reading.close, invalidation, side)


def _stands(price: float, invalidation: float, side: Side) -> bool:
    return (price - invalidation) * side.sign > 0
