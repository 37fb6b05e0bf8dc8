"""Liquidity pools: swing highs and lows, equal ones, highs and lows of closed periods, until the price takes them.

A pool is taken once, by the first bar that goes beyond its level: a sweep if it closes back at the level or before
it, a run if it closes beyond. One high is one pool however many names it has, and equal highs are one pool whose level
is the most extreme of them. The side of a pool, its sweep and its run is that of the swing: highs are bearish.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, final

from trading.smc.events import EQUAL_LEVELS, EXPIRED, OUTSIDE, POOL, RUN, SWEEP, EventKey, RawEvent
from trading.smc.peaks import Peaks
from trading.smc.pool_side import Pool, PoolSide
from trading.smc.true_ranges import TrueRanges
from trading.smc.watch import NO_EXPIRY, Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """An untaken pool: the level to go beyond, how many highs or lows it has and every key it is known by."""

    side: int
    level: float
    ref_bar: int
    known_at: int
    scale: int
    members: int
    names: tuple[EventKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepView:
    """The last sweep of a side; `depth_atr` is how far it went beyond in ATR, None while there is no ATR."""

    key: EventKey
    side: int
    known_at: int
    level: float
    extreme: float
    depth_atr: float | None
    members: int
    outside: bool


# The event of a sweep and the ATR of the bars before it, below 0 while there is none.
Sweep = tuple[RawEvent, float]
NONE_TAKEN: Final[list[Pool]] = []


@final
class LiquidityPools(Watch):
    """All untaken pools. With `equal_levels` off, equal highs stay separate pools. Sweeps are noted with the peaks."""

    __slots__ = (
        "atr_bars",
        "depth_atr_bars",
        "down",
        "due",
        "equal_levels",
        "highs",
        "last_down",
        "last_up",
        "lookback",
        "lows",
        "maximum_age",
        "ranges",
        "serial",
        "tolerance",
        "tolerance_atr",
        "tolerance_bar",
        "up",
    )

    def __init__(self, maximum_age: int, ranges: TrueRanges, up: Peaks, down: Peaks) -> None:
        super().__init__()
        self.up = up
        self.down = down
        self.maximum_age = maximum_age
        self.ranges = ranges
        self.depth_atr_bars = 1
        self.equal_levels = False
        self.atr_bars = 0
        self.tolerance_atr = 0.0
        self.lookback = 0
        # How far apart levels may be to be equal, measured once for each bar that has a new one.
        self.tolerance = -1.0
        self.tolerance_bar = -1
        self.highs = PoolSide(1)
        self.lows = PoolSide(-1)
        self.due: deque[tuple[int, Pool]] = deque()
        self.serial = 0
        self.last_up: Sweep | None = None
        self.last_down: Sweep | None = None

    def measure_depth(self, atr_bars: int) -> None:
        """From now on measure how far sweeps go in the mean of this many true ranges."""
        self.depth_atr_bars = atr_bars

    def find_equals(self, tolerance_atr: float, atr_bars: int, lookback: int) -> None:
        """From now on join pools at most `tolerance_atr` of the ATR apart whose bars are within `lookback`."""
        self.equal_levels = True
        self.tolerance_atr = tolerance_atr
        self.atr_bars = atr_bars
        self.lookback = lookback

    def add_swing(self, swing: RawEvent, events: list[RawEvent]) -> None:
        """The pool of a swing that was just accepted."""
        _, side, scale, bar, ref_bar, level, _, _, _ = swing
        events.append((POOL, side, scale, bar, ref_bar, level, level, (swing[:5],), 0))
        self.add((POOL, side, scale, bar, ref_bar), level, events)

    def add(self, key: EventKey, price: float, events: list[RawEvent]) -> None:
        """A level that was just told under `key` becomes a pool, or one more name or member of a pool there is."""
        book = self.highs if key[1] < 0 else self.lows
        known = book.by_bar.get(key[4])
        if known is not None:
            known.call(key)
            self.due.append((key[3] + self.maximum_age, known))
            return
        self.serial += 1
        pool = Pool(key, price * book.sign, self.serial)
        if self.equal_levels and book.book:
            self._join_equals(pool, book, events)
        book.insert(pool)
        due = key[3] + self.maximum_age
        if not self.due:
            self.expires_at = due
        self.due.append((due, pool))
        self.high_guard = self.highs.nearest
        self.low_guard = -self.lows.nearest

    def advance(self, bar: int, high: float, low: float, close: float, events: list[RawEvent]) -> None:
        """Take the pools the bar goes beyond, highs first and nearest first, then end what is too old."""
        ups = self.highs.take(high) if high > self.highs.nearest else NONE_TAKEN
        downs = self.lows.take(-low) if -low > self.lows.nearest else NONE_TAKEN
        outside = OUTSIDE if ups and downs else 0
        for pool in ups:
            self._tell_taken(pool, bar, high, close, outside, events)
        for pool in downs:
            self._tell_taken(pool, bar, -low, -close, outside, events)
        if bar >= self.expires_at:
            self._expire(bar, events)
        self.high_guard = self.highs.nearest
        self.low_guard = -self.lows.nearest

    def views(self) -> tuple[PoolView, ...]:
        """Every untaken pool: highs, then lows, nearest first."""
        return tuple(_view(entry[2]) for side in (self.highs, self.lows) for entry in reversed(side.book))

    def _join_equals(self, pool: Pool, book: PoolSide, events: list[RawEvent]) -> None:
        """Let a pool that is not in the book yet take in the ones it equals."""
        _, side, scale, bar, ref_bar = pool.names[0]
        if bar != self.tolerance_bar:
            atr = self.ranges.mean(self.atr_bars, bar)
            self.tolerance = atr * self.tolerance_atr if atr >= 0 else -1.0
            self.tolerance_bar = bar
        equals = book.equal_to(pool.level, self.tolerance, ref_bar, self.lookback)
        if not equals:
            return
        for equal in equals:
            book.remove(equal)
        pool.join(equals, bar - self.maximum_age)
        top, bottom = (pool.level, pool.inner) if side < 0 else (-pool.inner, -pool.level)
        event: RawEvent = (EQUAL_LEVELS, side, scale, bar, ref_bar, top, bottom, pool.names, len(pool.highs))
        events.append(event)
        pool.names = (event[:5],)

    def _tell_taken(  # noqa: PLR0913 - the numbers of a bar, which an object per bar would cost too much
        self, pool: Pool, bar: int, probe: float, close: float, outside: int, events: list[RawEvent]
    ) -> None:
        kind = RUN if close > pool.level else SWEEP
        top, bottom = (probe, pool.level) if pool.sign > 0 else (-pool.level, -probe)
        members = len(pool.highs) + outside
        event: RawEvent = (kind, -pool.sign, pool.scale, bar, pool.ref_bar, top, bottom, pool.names, members)
        events.append(event)
        if kind == RUN:
            return
        sweep = (event, self.ranges.mean(self.depth_atr_bars, bar))
        if pool.sign > 0:
            self.last_up = sweep
            self.up.sweeps.append(event[:5])
        else:
            self.last_down = sweep
            self.down.sweeps.append(event[:5])

    def _expire(self, bar: int, events: list[RawEvent]) -> None:
        queue = self.due
        while queue:
            due, pool = queue[0]
            if pool.alive and pool.known_at + self.maximum_age == due:
                if due > bar:
                    break
                pool.alive = False
                (self.highs if pool.sign > 0 else self.lows).remove(pool)
                level = pool.level * pool.sign
                key = (POOL + EXPIRED, -pool.sign, pool.scale, bar, pool.ref_bar)
                events.append((*key, level, level, pool.names, len(pool.highs)))
            queue.popleft()
        self.expires_at = queue[0][0] if queue else NO_EXPIRY


def _view(pool: Pool) -> PoolView:
    return PoolView(
        side=-pool.sign,
        level=pool.level * pool.sign,
        ref_bar=pool.ref_bar,
        known_at=pool.known_at,
        scale=pool.scale,
        members=len(pool.highs),
        names=pool.names,
    )


def sweep_view(sweep: Sweep | None) -> SweepView | None:
    """The checked picture of a sweep, if there was one."""
    if sweep is None:
        return None
    event, atr = sweep
    _, side, _, known_at, _, top, bottom, _, detail = event
    return SweepView(
        key=event[:5],
        side=side,
        known_at=known_at,
        level=bottom if side < 0 else top,
        extreme=top if side < 0 else bottom,
        depth_atr=(top - bottom) / atr if atr > 0 else None,
        members=detail % OUTSIDE,
        outside=detail >= OUTSIDE,
    )
