"""The life of zones: order blocks and fair value gaps from the bar they are known to their end.

A bullish zone lies below the price and is touched by a falling low; a bearish one is the same on negated prices, so
one code serves both. Zones the price has not reached wait in a list sorted by near edge, of which only the end can be
touched. The few zones the price stands in are looked at one by one, but only on bars that change one of them: `wake`
and `leave` say from which low on something happens.
"""

from __future__ import annotations

from math import nextafter
from typing import Final, final

from trading.smc.events import (
    BULLISH,
    EXPIRED,
    FILLED,
    GAP,
    HALF,
    ORDER_BLOCK,
    PLAIN,
    REINFORCED,
    RETOUCHED,
    TOUCHED,
    VIOLATED,
    EventKey,
    RawEvent,
)

ALWAYS: Final = float("inf")
NEVER: Final = float("-inf")
NO_EXPIRY: Final = 2**60

BLOCK_TOUCHED: Final = ORDER_BLOCK + TOUCHED
BLOCK_RETOUCHED: Final = ORDER_BLOCK + RETOUCHED
BLOCK_HALF: Final = ORDER_BLOCK + HALF
BLOCK_VIOLATED: Final = ORDER_BLOCK + VIOLATED
BLOCK_EXPIRED: Final = ORDER_BLOCK + EXPIRED
BLOCK_REINFORCED: Final = ORDER_BLOCK + REINFORCED
GAP_TOUCHED: Final = GAP + TOUCHED
GAP_RETOUCHED: Final = GAP + RETOUCHED
GAP_HALF: Final = GAP + HALF
GAP_FILLED: Final = GAP + FILLED
GAP_EXPIRED: Final = GAP + EXPIRED

# Ended zones are taken out of the queue of expiry once they may be half of it; fewer than these are not worth it.
LEAST_SWEPT: Final = 64


@final
class Zone:
    """One zone while it lives. `near`, `half` and `ends` are on the signed scale of its side.

    `half` is NEVER once it was reached. A low (of a gap) or close (of a block) at or below `ends` ends the zone.
    """

    __slots__ = (
        "alive",
        "bottom",
        "causes",
        "ends",
        "half",
        "is_block",
        "key",
        "known_at",
        "near",
        "rests_on",
        "serial",
        "top",
        "touches",
    )

    def __init__(self, key: EventKey, top: float, bottom: float, fills_at_edge: bool, serial: int) -> None:
        near, far = (top, bottom) if key[1] > 0 else (-bottom, -top)
        self.key = key
        self.known_at = key[3]
        self.is_block = key[2] > 0
        self.top = top
        self.bottom = bottom
        self.near = near
        self.half = (near + far) / 2.0
        self.ends = far if fills_at_edge else nextafter(far, NEVER)
        self.serial = serial
        self.causes = (key,)
        self.rests_on: tuple[EventKey, ...] = ()
        self.touches = 0
        self.alive = True

    def event(self, kind: str, bar: int) -> RawEvent:
        """A change of this zone at `bar`; its detail is the number of visits so far."""
        _, side, scale, _, ref_bar = self.key
        return (kind, side, scale, bar, ref_bar, self.top, self.bottom, self.causes, self.touches)


@final
class ZoneSide:
    """The living zones of one side. A signed low at or below `wake`, or above `leave`, changes one of them."""

    __slots__ = ("blocks", "inside", "leave", "waiting", "wake")

    def __init__(self) -> None:
        self.waiting: list[Zone] = []
        self.inside: list[Zone] = []
        self.blocks: dict[int, Zone] = {}
        self.wake = NEVER
        self.leave = ALWAYS

    def wait(self, zone: Zone) -> None:
        """Let a zone wait for the price; of equal edges the older is touched first."""
        waiting, near = self.waiting, zone.near
        at = len(waiting)
        # New and left zones lie above nearly all that wait, so the place is found from the end.
        while at and waiting[at - 1].near >= near:
            if waiting[at - 1].near == near and waiting[at - 1].serial > zone.serial:
                break
            at -= 1
        waiting.insert(at, zone)
        if near > self.wake:
            self.wake = near

    def remove(self, zone: Zone) -> None:
        """Take a zone out, wherever it is."""
        (self.inside if zone in self.inside else self.waiting).remove(zone)
        self._forget(zone)
        self._watch()

    def advance(self, bar: int, probe: float, close: float, events: list[RawEvent]) -> None:
        """Touch, end or leave zones by one bar (`probe` its signed low, `close` its signed close)."""
        waiting, inside = self.waiting, self.inside
        while waiting and waiting[-1].near >= probe:
            zone = waiting.pop()
            zone.touches += 1
            inside.append(zone)
            if zone.touches == 1:
                events.append(zone.event(BLOCK_TOUCHED if zone.is_block else GAP_TOUCHED, bar))
            else:
                events.append(zone.event(BLOCK_RETOUCHED if zone.is_block else GAP_RETOUCHED, bar))
        wake, leave = NEVER, ALWAYS
        staying = 0
        for zone in inside:
            near, ends = zone.near, zone.ends
            if probe > near:
                self.wait(zone)
                continue
            if probe <= zone.half:
                zone.half = NEVER
                events.append(zone.event(BLOCK_HALF if zone.is_block else GAP_HALF, bar))
            if (close if zone.is_block else probe) <= ends:
                self._forget(zone)
                events.append(zone.event(BLOCK_VIOLATED if zone.is_block else GAP_FILLED, bar))
                continue
            inside[staying] = zone
            staying += 1
            following = zone.half if zone.half > ends else ends
            wake = following if following > wake else wake
            leave = near if near < leave else leave
        while len(inside) > staying:
            inside.pop()
        self.leave = leave
        self.wake = waiting[-1].near if waiting and waiting[-1].near > wake else wake

    def _forget(self, zone: Zone) -> None:
        zone.alive = False
        if zone.is_block:
            del self.blocks[zone.key[4]]

    def _watch(self) -> None:
        wake = self.waiting[-1].near if self.waiting else NEVER
        leave = ALWAYS
        for zone in self.inside:
            following = zone.half if zone.half > zone.ends else zone.ends
            if following > wake:
                wake = following
            if zone.near < leave:
                leave = zone.near
        self.wake = wake
        self.leave = leave


@final
class ZoneBook:
    """All living zones, both sides, in the order they became known."""

    __slots__ = (
        "bearish",
        "bullish",
        "expires_at",
        "fills_at_edge",
        "maximum_age",
        "oldest",
        "queue",
        "serial",
        "sweep_at",
    )

    def __init__(self, maximum_age: int, fills_at_edge: bool) -> None:
        self.maximum_age = maximum_age
        self.fills_at_edge = fills_at_edge
        self.bullish = ZoneSide()
        self.bearish = ZoneSide()
        self.queue: list[Zone] = []
        self.oldest = 0
        self.expires_at = NO_EXPIRY
        self.sweep_at = LEAST_SWEPT
        self.serial = 0

    def add_gap(self, side: int, bar: int, top: float, bottom: float, events: list[RawEvent]) -> None:
        """A new gap, which its own bar never touches."""
        key = (GAP, side, 0, bar, bar - 1)
        events.append((GAP, side, 0, bar, bar - 1, top, bottom, (), PLAIN))
        self.serial += 1
        zone = Zone(key, top, bottom, self.fills_at_edge, self.serial)
        self._start(zone, self.bullish if side == BULLISH else self.bearish)

    def add_block(self, key: EventKey, top: float, bottom: float, cause: EventKey, events: list[RawEvent]) -> None:
        """A new order block, or one more reason for the living block of the same bar and side."""
        kind, side, scale, bar, ref_bar = key
        home = self.bullish if side == BULLISH else self.bearish
        known = home.blocks.get(ref_bar)
        if known is not None:
            known.rests_on = (*known.rests_on, cause)
            causes, count = (known.key, cause), len(known.rests_on)
            events.append((BLOCK_REINFORCED, side, scale, bar, ref_bar, top, bottom, causes, count))
            return
        self.serial += 1
        zone = Zone(key, top, bottom, False, self.serial)
        zone.rests_on = (cause,)
        home.blocks[ref_bar] = zone
        self._start(zone, home)
        events.append((kind, side, scale, bar, ref_bar, top, bottom, (cause,), PLAIN))

    def expire(self, bar: int, events: list[RawEvent]) -> None:
        """End what is too old at the close of `bar`."""
        queue, oldest, age = self.queue, self.oldest, self.maximum_age
        while oldest < len(queue) and (not queue[oldest].alive or queue[oldest].known_at + age <= bar):
            zone = queue[oldest]
            oldest += 1
            if zone.alive:
                (self.bullish if zone.key[1] == BULLISH else self.bearish).remove(zone)
                events.append(zone.event(BLOCK_EXPIRED if zone.is_block else GAP_EXPIRED, bar))
        self.oldest = oldest
        self.expires_at = queue[oldest].known_at + age if oldest < len(queue) else NO_EXPIRY

    def living(self) -> list[Zone]:
        """Every living zone, oldest first."""
        return [zone for zone in self.queue if zone.alive]

    def _start(self, zone: Zone, side: ZoneSide) -> None:
        side.wait(zone)
        if self.expires_at == NO_EXPIRY:
            self.expires_at = zone.known_at + self.maximum_age
        queue = self.queue
        queue.append(zone)
        if len(queue) > self.sweep_at:
            self.queue = self.living()
            self.oldest = 0
            self.sweep_at = 2 * len(self.queue) + LEAST_SWEPT
