"""The untaken pools of one side, nearest first. Lows are kept negated, so that one code serves both sides."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Final

from trading.smc.events import EventKey

FAR_AWAY: Final = float("inf")


# A high of a pool: its bar, its signed level, the largest scale it is a swing of.
High = tuple[int, float, int]


class Pool:
    """Stops resting beyond one high or several equal ones.

    `level` is the most extreme of its highs (signed) and `ref_bar` the first bar that has it; `inner` is the least
    extreme. `names` are the keys of what made it this pool: one high may be a swing of two scales and the high of a
    day; equal highs are named by the event that joined them. `known_at` is the newest of them.
    """

    __slots__ = ("alive", "highs", "inner", "known_at", "level", "names", "ref_bar", "scale", "serial", "sign")

    def __init__(self, key: EventKey, level: float, serial: int) -> None:
        self.sign = -key[1]
        self.scale = key[2]
        self.known_at = key[3]
        self.ref_bar = key[4]
        self.level = level
        self.inner = level
        self.highs: list[High] = [(key[4], level, key[2])]
        self.names: tuple[EventKey, ...] = (key,)
        self.serial = serial
        self.alive = True

    def is_near(self, bar: int, lookback: int) -> bool:
        """Whether one of its highs is within `lookback` bars of another bar."""
        return any(abs(bar - high[0]) <= lookback for high in self.highs)

    def call(self, key: EventKey) -> None:
        """One of its highs is known by one more name."""
        _, _, scale, bar, ref_bar = key
        self.names += (key,)
        self.known_at = bar
        for at, high in enumerate(self.highs):
            if high[0] == ref_bar and high[2] < scale:
                self.highs[at] = (ref_bar, high[1], scale)
        if scale > self.scale:
            self.scale = scale

    def join(self, pools: list[Pool], oldest: int) -> None:
        """Take in the highs of older pools, but none of before bar `oldest`: without end, memory would have none."""
        for pool in reversed(pools):
            self.highs = [high for high in pool.highs if high[0] >= oldest] + self.highs
            self.names = pool.names + self.names
            pool.alive = False
        self.level = max([high[1] for high in self.highs])
        self.inner = min([high[1] for high in self.highs])
        self.ref_bar = min([high[0] for high in self.highs if high[1] == self.level])
        self.scale = max([high[2] for high in self.highs])


class PoolSide:
    """Untaken pools by level. `nearest`: a signed high beyond it takes a pool."""

    __slots__ = ("book", "by_bar", "nearest", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        # Negated levels, so that the nearest pool is last; of equal levels the older.
        self.book: list[tuple[float, int, Pool]] = []
        self.by_bar: dict[int, Pool] = {}
        self.nearest = FAR_AWAY

    def insert(self, pool: Pool) -> None:
        """Let a pool wait to be taken."""
        insort(self.book, (-pool.level, -pool.serial, pool))
        for high in pool.highs:
            self.by_bar[high[0]] = pool
        if pool.level < self.nearest:
            self.nearest = pool.level

    def remove(self, pool: Pool) -> None:
        """Take out a pool that is not taken by the price."""
        del self.book[bisect_left(self.book, (-pool.level, -pool.serial, pool))]
        self._forget(pool)
        self._wake()

    def take(self, probe: float) -> list[Pool]:
        """Take out every pool the signed high `probe` is beyond, nearest first."""
        taken: list[Pool] = []
        book = self.book
        by_bar = self.by_bar
        while book and -book[-1][0] < probe:
            pool = book.pop()[2]
            pool.alive = False
            for high in pool.highs:
                del by_bar[high[0]]
            taken.append(pool)
        self.nearest = -book[-1][0] if book else FAR_AWAY
        return taken

    def equal_to(self, level: float, tolerance: float, bar: int, lookback: int) -> list[Pool]:
        """The pools whose level is at most `tolerance` away and that have a high within `lookback` bars, oldest first.

        Tolerance is compared with the difference itself: adding it to the level would round.
        """
        book = self.book
        start = at = bisect_left(book, (-level,))
        equal: list[Pool] = []
        while at < len(book) and abs(book[at][0] + level) <= tolerance:
            equal.append(book[at][2])
            at += 1
        at = start - 1
        while at >= 0 and abs(book[at][0] + level) <= tolerance:
            equal.append(book[at][2])
            at -= 1
        if not equal:
            return equal
        return sorted([pool for pool in equal if pool.is_near(bar, lookback)], key=_serial)

    def _forget(self, pool: Pool) -> None:
        for high in pool.highs:
            del self.by_bar[high[0]]

    def _wake(self) -> None:
        self.nearest = -self.book[-1][0] if self.book else FAR_AWAY


def _serial(pool: Pool) -> int:
    return pool.serial
