"""The pools and periods again, the slow and obvious way: every pool is looked at on every bar."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tests.unit.smc.concept_bars import TimedBar
from trading.smc.concepts import ConceptParameters
from trading.smc.events import OUTSIDE, EventKey, RawEvent

NEW_YORK = ZoneInfo("America/New_York")
Level = tuple[EventKey, float]


@dataclass
class SlowPool:
    """An untaken pool as lists of what it is made of: levels and scales of its highs by their bars."""

    highs: dict[int, float]
    scales: dict[int, int]
    names: list[EventKey]
    known_at: int
    born: int = field(default=0)


def true_ranges(bars: list[TimedBar]) -> list[float]:
    closes = [bars[0][1], *[bar[4] for bar in bars]] if bars else []
    return [max(high, last) - min(low, last) for (_, _, high, low, _), last in zip(bars, closes, strict=False)]


def windows_of(given: ConceptParameters) -> dict[int, tuple[int, int]]:
    return {
        -3: given.asian_minutes,
        -4: given.london_open_minutes,
        -5: given.new_york_open_minutes,
        -6: given.london_close_minutes,
    }


def openings_at(time: int, given: ConceptParameters) -> list[tuple[int, object]]:
    """The windows a bar opens in, and the New York day of each."""
    local = datetime.fromtimestamp(time, NEW_YORK)
    minute = local.hour * 60 + local.minute
    return [(code, local.date()) for code, (start, end) in windows_of(given).items() if start <= minute < end]


def period_levels(bars: list[TimedBar], given: ConceptParameters) -> dict[int, list[Level]]:
    """By bar: the highs and lows of the periods that closed before it, by grouping all bars by their period."""
    groups: dict[tuple[int, object], list[int]] = {}
    for number, (time, *_) in enumerate(bars):
        utc = datetime.fromtimestamp(time, UTC)
        for period in [(-1, utc.date()), (-2, utc.isocalendar()[:2]), *openings_at(time, given)]:
            groups.setdefault(period, []).append(number)
    found: dict[int, list[Level]] = {}
    for (code, _), members in sorted(groups.items(), key=lambda group: -group[0][0]):
        known_at = members[-1] + 1
        if members[0] == 0 or known_at == len(bars):
            continue
        high_bar = max(members, key=lambda bar: (bars[bar][2], -bar))
        low_bar = min(members, key=lambda bar: (bars[bar][3], bar))
        levels = found.setdefault(known_at, [])
        levels.append((("period_level", -1, code, known_at, high_bar), bars[high_bar][2]))
        levels.append((("period_level", 1, code, known_at, low_bar), bars[low_bar][3]))
    return found


def slow_pools(bars: list[TimedBar], core: list[RawEvent], given: ConceptParameters, age: int) -> list[RawEvent]:
    """All events of the pools."""
    ranges, periods = true_ranges(bars), period_levels(bars, given)
    told: list[RawEvent] = []
    alive: dict[int, list[SlowPool]] = {-1: [], 1: []}
    for number, (_, _, high, low, close) in enumerate(bars):
        swings = [event for event in core if event[0] == "swing" and event[3] == number]
        fresh = [(key, level, ()) for key, level in periods.get(number, [])]
        fresh += [(("pool", *swing[1:5]), swing[5], (swing[:5],)) for swing in swings]
        tolerance = None
        if number >= given.equal_levels_atr_bars:
            last = ranges[number - given.equal_levels_atr_bars : number]
            tolerance = given.equal_levels_atr * (sum(last) / len(last))
        for key, level, causes in fresh:
            told.append((*key, level, level, causes, 0))
            told += _add(alive[key[1]], key, level, tolerance, (given.equal_levels_lookback_bars, age))
        told += _take(alive, number, (high, low, close))
        for side in (-1, 1):
            old = [pool for pool in alive[side] if pool.known_at + age <= number]
            alive[side] = [pool for pool in alive[side] if pool not in old]
            for pool in old:
                level, bar, scale = _edge(pool, side)
                key = ("pool_expired", side, scale, number, bar)
                told.append((*key, level, level, tuple(pool.names), len(pool.highs)))
    return told


def _edge(pool: SlowPool, side: int) -> tuple[float, int, int]:
    """Level, bar and scale: the most extreme, of equals the earliest."""
    bar = min(pool.highs, key=lambda each: (side * pool.highs[each], each))
    return pool.highs[bar], bar, max(pool.scales.values())


def _add(
    alive: list[SlowPool], key: EventKey, level: float, tolerance: float | None, limits: tuple[int, int]
) -> list[RawEvent]:
    _, side, scale, number, bar = key
    for pool in alive:
        if bar in pool.highs:
            pool.names.append(key)
            pool.known_at = number
            pool.scales[bar] = max(pool.scales[bar], scale)
            return []
    equal = [
        pool
        for pool in alive
        if tolerance is not None
        and abs(_edge(pool, side)[0] - level) <= tolerance
        and min(abs(bar - each) for each in pool.highs) <= limits[0]
    ]
    equal.sort(key=lambda pool: pool.born)
    born = max([pool.born for pool in alive], default=0) + 1
    joined = SlowPool({bar: level}, {bar: scale}, [key], number, born)
    for pool in equal:
        young = [each for each in pool.highs if each >= number - limits[1]]
        joined.highs |= {each: pool.highs[each] for each in young}
        joined.scales |= {each: pool.scales[each] for each in young}
    joined.names = [name for pool in equal for name in pool.names] + [key]
    alive[:] = [pool for pool in alive if pool not in equal] + [joined]
    if not equal:
        return []
    levels = joined.highs.values()
    event = ("equal_levels", side, scale, number, bar, max(levels), min(levels), tuple(joined.names), len(levels))
    joined.names = [event[:5]]
    return [event]


def _take(alive: dict[int, list[SlowPool]], number: int, prices: tuple[float, float, float]) -> list[RawEvent]:
    high, low, close = prices
    highs = [pool for pool in alive[-1] if high > _edge(pool, -1)[0]]
    lows = [pool for pool in alive[1] if low < _edge(pool, 1)[0]]
    outside = OUTSIDE if highs and lows else 0
    told = []
    for side, taken in ((-1, highs), (1, lows)):
        alive[side] = [pool for pool in alive[side] if pool not in taken]
        for pool in sorted(taken, key=lambda pool: (-side * _edge(pool, side)[0], pool.born)):
            level, bar, scale = _edge(pool, side)
            kind = "run" if (close > level if side < 0 else close < level) else "sweep"
            top, bottom = (high, level) if side < 0 else (level, low)
            key = (kind, side, scale, number, bar)
            told.append((*key, top, bottom, tuple(pool.names), len(pool.highs) + outside))
    return told
