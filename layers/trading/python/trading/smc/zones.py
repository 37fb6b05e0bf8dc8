"""The life of zones: order blocks and fair value gaps from the bar they are known to their end.

A bullish zone lies below the price and is touched by a falling low; a bearish one is the same on negated prices, so
one code serves both. Zones the price has not reached wait in a list sorted by near edge: only its end can be touched,
which makes a bar cost O(1); the few zones the price stands in are looked at one by one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import Final

from trading.smc.events import (
    EXPIRED,
    FILLED,
    ORDER_BLOCK,
    REINFORCED,
    RETOUCHED,
    TOUCHED,
    VIOLATED,
    EventKey,
    RawEvent,
)

ALWAYS: Final = float("inf")
NEVER: Final = float("-inf")
NO_EXPIRY: Final = 2**62


class Zone:
    """One zone while it lives. `near` and `far` are its edges on the signed scale of its side."""

    __slots__ = ("alive", "bottom", "far", "inside", "is_block", "key", "near", "rests_on", "serial", "top", "touches")

    def __init__(self, key: EventKey, top: float, bottom: float, rests_on: tuple[EventKey, ...], serial: int) -> None:
        self.key = key
        self.is_block = key[0] == ORDER_BLOCK
        self.top = top
        self.bottom = bottom
        if key[1] > 0:
            self.near = top
            self.far = bottom
        else:
            self.near = -bottom
            self.far = -top
        self.rests_on = rests_on
        self.serial = serial
        self.touches = 0
        self.inside = False
        self.alive = True

    def event(self, ending: str, bar: int) -> RawEvent:
        """A change of this zone at `bar`; its detail is the number of visits so far."""
        kind, side, scale, _, ref_bar = self.key
        return (kind + ending, side, scale, bar, ref_bar, self.top, self.bottom, (self.key,), self.touches)


class ZoneSide:
    """The living zones of one side. `wakes_at`: a signed low at or below it is something to look at."""

    __slots__ = ("fills_at_edge", "inside", "waiting", "wakes_at")

    def __init__(self, fills_at_edge: bool) -> None:
        self.fills_at_edge = fills_at_edge
        self.waiting: list[tuple[float, int, Zone]] = []
        self.inside: list[Zone] = []
        self.wakes_at = NEVER

    def wait(self, zone: Zone) -> None:
        """Let a zone wait for the price; of equal edges the older is touched first."""
        zone.inside = False
        insort(self.waiting, (zone.near, -zone.serial, zone))
        if zone.near > self.wakes_at:
            self.wakes_at = zone.near

    def leave(self, zone: Zone) -> None:
        """Take a zone out, wherever it is."""
        if zone.inside:
            self.inside.remove(zone)
        else:
            del self.waiting[bisect_left(self.waiting, (zone.near, -zone.serial, zone))]
        self._wake()

    def advance(self, bar: int, probe: float, close: float, events: list[RawEvent]) -> list[Zone]:
        """Touch, end or leave zones by one bar (`probe` its signed low, `close` its signed close).

        Returns the zones that ended.
        """
        waiting, inside = self.waiting, self.inside
        while waiting and waiting[-1][0] >= probe:
            zone = waiting.pop()[2]
            zone.touches += 1
            zone.inside = True
            inside.append(zone)
            events.append(zone.event(TOUCHED if zone.touches == 1 else RETOUCHED, bar))
        ended: list[Zone] = []
        staying: list[Zone] = []
        for zone in inside:
            if self._is_over(zone, probe, close):
                zone.alive = False
                ended.append(zone)
                events.append(zone.event(VIOLATED if zone.is_block else FILLED, bar))
            elif probe > zone.near:
                self.wait(zone)
            else:
                staying.append(zone)
        self.inside = staying
        self._wake()
        return ended

    def _is_over(self, zone: Zone, probe: float, close: float) -> bool:
        if zone.is_block:
            return close < zone.far
        return probe < zone.far or (probe == zone.far and self.fills_at_edge)

    def _wake(self) -> None:
        if self.inside:
            self.wakes_at = ALWAYS
        else:
            self.wakes_at = self.waiting[-1][0] if self.waiting else NEVER


class ZoneBook:
    """All living zones, both sides, in the order they became known."""

    __slots__ = ("bearish", "blocks", "bullish", "expires_at", "expiring", "maximum_age", "serial")

    def __init__(self, maximum_age: int, fills_at_edge: bool) -> None:
        self.maximum_age = maximum_age
        self.bullish = ZoneSide(fills_at_edge)
        self.bearish = ZoneSide(fills_at_edge)
        self.blocks: dict[tuple[int, int], Zone] = {}
        self.expiring: deque[Zone] = deque()
        self.expires_at = NO_EXPIRY
        self.serial = 0

    def advance(self, bar: int, high: float, low: float, close: float, events: list[RawEvent]) -> None:
        """One bar of life for every zone known before it: bullish side first, then what is too old."""
        if low <= self.bullish.wakes_at:
            self._forget(self.bullish.advance(bar, low, close, events))
        if -high <= self.bearish.wakes_at:
            self._forget(self.bearish.advance(bar, -high, -close, events))
        if bar >= self.expires_at:
            self._expire(bar, events)

    def add_gap(self, key: EventKey, top: float, bottom: float) -> None:
        """A new gap, which its own bar never touches."""
        self._start(key, top, bottom, ())

    def add_block(self, key: EventKey, top: float, bottom: float, cause: EventKey, events: list[RawEvent]) -> None:
        """A new order block, or one more reason for the living block of the same bar and side."""
        _, side, scale, bar, ref_bar = key
        known = self.blocks.get((side, ref_bar))
        if known is None:
            self.blocks[side, ref_bar] = self._start(key, top, bottom, (cause,))
            events.append((*key, top, bottom, (cause,), 0))
            return
        known.rests_on = (*known.rests_on, cause)
        causes = (known.key, cause)
        count = len(known.rests_on)
        events.append((ORDER_BLOCK + REINFORCED, side, scale, bar, ref_bar, top, bottom, causes, count))

    def living(self) -> list[Zone]:
        """Every living zone, oldest first."""
        return [zone for zone in self.expiring if zone.alive]

    def _start(self, key: EventKey, top: float, bottom: float, rests_on: tuple[EventKey, ...]) -> Zone:
        self.serial += 1
        zone = Zone(key, top, bottom, rests_on, self.serial)
        (self.bullish if key[1] > 0 else self.bearish).wait(zone)
        if not self.expiring:
            self.expires_at = key[3] + self.maximum_age
        self.expiring.append(zone)
        return zone

    def _forget(self, ended: list[Zone]) -> None:
        for zone in ended:
            if zone.is_block:
                del self.blocks[zone.key[1], zone.key[4]]

    def _expire(self, bar: int, events: list[RawEvent]) -> None:
        queue, age = self.expiring, self.maximum_age
        while queue and queue[0].key[3] + age <= bar:
            zone = queue.popleft()
            if zone.alive:
                zone.alive = False
                (self.bullish if zone.key[1] > 0 else self.bearish).leave(zone)
                self._forget([zone])
                events.append(zone.event(EXPIRED, bar))
        self.expires_at = queue[0].key[3] + age if queue else NO_EXPIRY
