"""The second life of a zone that was closed through: on the other side until it is touched, violated or too old."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from typing import Final, final

from trading.smc.events import BREAKER, EXPIRED, INVERSE_GAP, MITIGATION_BLOCK, TOUCHED, VIOLATED, EventKey, RawEvent
from trading.smc.watch import NEVER, NO_EXPIRY, Watch

ENDINGS: Final = (TOUCHED, VIOLATED, EXPIRED)
AT_TOUCH, AT_VIOLATION, AT_AGE = range(len(ENDINGS))
CHANGES: Final = {kind: tuple(kind + ending for ending in ENDINGS) for kind in (BREAKER, MITIGATION_BLOCK, INVERSE_GAP)}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlippedView:
    """A living flipped zone; `side` +1 lies below the price. Known, and violated the zone before, at `known_at`."""

    key: EventKey
    kind: str
    side: int
    scale: int
    known_at: int
    top: float
    bottom: float
    touched: bool
    rests_on: tuple[EventKey, ...]


class FlippedZone:
    """One flipped zone while it lives. `near` and `far` are its edges on the signed scale of its side."""

    __slots__ = ("alive", "bottom", "far", "key", "near", "rests_on", "serial", "top", "touched")

    def __init__(self, event: RawEvent, serial: int) -> None:
        self.key: EventKey = event[:5]
        self.top = event[5]
        self.bottom = event[6]
        self.rests_on = event[7]
        self.near, self.far = (event[5], event[6]) if event[1] > 0 else (-event[6], -event[5])
        self.serial = serial
        self.touched = False
        self.alive = True

    def event(self, ending: int, bar: int) -> RawEvent:
        """A change of this zone at `bar`, one of `ENDINGS`; its detail tells whether it has been touched."""
        kind, side, scale, _, ref_bar = self.key
        return (CHANGES[kind][ending], side, scale, bar, ref_bar, self.top, self.bottom, (self.key,), int(self.touched))


class FlippedSide:
    """The living flipped zones of one side: untouched ones by their near edge, touched ones by their far edge.

    `wakes_at`: a signed low at or below it is something to look at.
    """

    __slots__ = ("touched", "waiting", "wakes_at")

    def __init__(self) -> None:
        self.waiting: list[tuple[float, int, FlippedZone]] = []
        self.touched: list[tuple[float, int, FlippedZone]] = []
        self.wakes_at = NEVER

    def wait(self, zone: FlippedZone) -> None:
        """Let a zone wait for the price; of equal edges the older is touched first."""
        insort(self.waiting, (zone.near, -zone.serial, zone))
        if zone.near > self.wakes_at:
            self.wakes_at = zone.near

    def advance(self, bar: int, probe: float, close: float, events: list[RawEvent]) -> None:
        """Touch and end zones by one bar (`probe` its signed low, `close` its signed close)."""
        waiting, touched = self.waiting, self.touched
        while waiting and waiting[-1][0] >= probe:
            zone = waiting.pop()[2]
            zone.touched = True
            insort(touched, (zone.far, -zone.serial, zone))
            events.append(zone.event(AT_TOUCH, bar))
        while touched and touched[-1][0] > close:
            zone = touched.pop()[2]
            zone.alive = False
            events.append(zone.event(AT_VIOLATION, bar))
        wakes = waiting[-1][0] if waiting else NEVER
        # A close below the far edge needs a low below it.
        self.wakes_at = touched[-1][0] if touched and touched[-1][0] > wakes else wakes

    def leave(self, zone: FlippedZone) -> None:
        """Take a zone out, wherever it is."""
        if zone.touched:
            del self.touched[bisect_left(self.touched, (zone.far, -zone.serial, zone))]
        else:
            del self.waiting[bisect_left(self.waiting, (zone.near, -zone.serial, zone))]
        self._wake()

    def _wake(self) -> None:
        wakes = self.waiting[-1][0] if self.waiting else NEVER
        if self.touched and self.touched[-1][0] > wakes:
            wakes = self.touched[-1][0]
        self.wakes_at = wakes


@final
class FlippedBook(Watch):
    """All living flipped zones, both sides, oldest first."""

    __slots__ = ("bearish", "bullish", "expiring", "maximum_age", "serial")

    def __init__(self, maximum_age: int) -> None:
        super().__init__()
        self.maximum_age = maximum_age
        self.bullish = FlippedSide()
        self.bearish = FlippedSide()
        self.expiring: deque[FlippedZone] = deque()
        self.serial = 0

    def advance(self, bar: int, high: float, low: float, close: float, events: list[RawEvent]) -> None:
        """One bar of life for every zone known before it: bullish side first, then what is too old."""
        if low <= self.low_guard:
            self.bullish.advance(bar, low, close, events)
        if high >= self.high_guard:
            self.bearish.advance(bar, -high, -close, events)
        if bar >= self.expires_at:
            self._expire(bar, events)
        self.low_guard = self.bullish.wakes_at
        self.high_guard = -self.bearish.wakes_at

    def add(self, event: RawEvent) -> None:
        """A new zone, which its own bar never touches."""
        self.serial += 1
        zone = FlippedZone(event, self.serial)
        if event[1] > 0:
            self.bullish.wait(zone)
            self.low_guard = self.bullish.wakes_at
        else:
            self.bearish.wait(zone)
            self.high_guard = -self.bearish.wakes_at
        if not self.expiring:
            self.expires_at = event[3] + self.maximum_age
        self.expiring.append(zone)

    def views(self) -> tuple[FlippedView, ...]:
        """Every living zone, oldest first."""
        return tuple(_view(zone) for zone in self.expiring if zone.alive)

    def _expire(self, bar: int, events: list[RawEvent]) -> None:
        queue, age = self.expiring, self.maximum_age
        while queue:
            zone = queue[0]
            if zone.alive:
                if zone.key[3] + age > bar:
                    break
                zone.alive = False
                (self.bullish if zone.key[1] > 0 else self.bearish).leave(zone)
                events.append(zone.event(AT_AGE, bar))
            queue.popleft()
        self.expires_at = queue[0].key[3] + age if queue else NO_EXPIRY


def _view(zone: FlippedZone) -> FlippedView:
    kind, side, scale, known_at, _ = zone.key
    return FlippedView(
        key=zone.key,
        kind=kind,
        side=side,
        scale=scale,
        known_at=known_at,
        top=zone.top,
        bottom=zone.bottom,
        touched=zone.touched,
        rests_on=zone.rests_on,
    )
