"""Optimal trade entry: the deep part of the way back along a confirmed leg.

A leg runs from swing A to the next accepted swing B. Its zone lies between two shares of the way back from B to A. It
is armed when B is confirmed, unless the price has gone beyond A by then; entered at the first touch; over when a bar
goes beyond A (invalid) or B (re-anchored: the leg grew, and its new end arms a new zone once confirmed). A bar beyond
both makes it invalid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from trading.smc.events import ENTERED, EXPIRED, INVALID, OTE, REANCHORED, EventKey, RawEvent
from trading.smc.watch import FAR_AWAY, NEVER, NO_EXPIRY, Watch

OTE_ENTERED: Final = OTE + ENTERED
OTE_INVALID: Final = OTE + INVALID
OTE_REANCHORED: Final = OTE + REANCHORED
OTE_EXPIRED: Final = OTE + EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class OteView:
    """A living zone; `side` +1 for a leg upwards, whose zone lies below B. `sweet` is the price in the middle."""

    key: EventKey
    side: int
    scale: int
    known_at: int
    start: float
    end: float
    top: float
    bottom: float
    sweet: float
    entered: bool


class OteZone:
    """One living zone; `start`, `end` and `near` on the signed scale of its side."""

    __slots__ = ("bottom", "due", "end", "entered", "key", "near", "start", "top")

    def __init__(self, event: RawEvent, start: float, end: float, due: int) -> None:
        self.key: EventKey = event[:5]
        self.top = event[5]
        self.bottom = event[6]
        self.start = start
        self.end = end
        self.near = self.top if event[1] > 0 else -self.bottom
        self.due = due
        self.entered = False

    def event(self, ending: str, bar: int) -> RawEvent:
        """A change of this zone at `bar`; its detail tells whether it had been entered."""
        _, side, scale, _, ref_bar = self.key
        return (ending, side, scale, bar, ref_bar, self.top, self.bottom, (self.key,), int(self.entered))


class OteSide:
    """The living zones of one side, oldest first, and the prices at which something happens to one of them."""

    __slots__ = ("expires_at", "high_wakes_at", "low_wakes_at", "zones")

    def __init__(self) -> None:
        self.zones: list[OteZone] = []
        self.low_wakes_at = NEVER
        self.high_wakes_at = FAR_AWAY
        self.expires_at = NO_EXPIRY

    def advance(self, bar: int, high: float, low: float, events: list[RawEvent]) -> None:
        """One bar of life, `high` and `low` signed: for a leg downwards the negated low and high."""
        staying: list[OteZone] = []
        for zone in self.zones:
            if not zone.entered and low <= zone.near:
                zone.entered = True
                events.append(zone.event(OTE_ENTERED, bar))
            if low < zone.start:
                events.append(zone.event(OTE_INVALID, bar))
            elif high > zone.end:
                events.append(zone.event(OTE_REANCHORED, bar))
            elif bar >= zone.due:
                events.append(zone.event(OTE_EXPIRED, bar))
            else:
                staying.append(zone)
        self.zones = staying
        self.low_wakes_at, self.high_wakes_at, self.expires_at = NEVER, FAR_AWAY, NO_EXPIRY
        for zone in staying:
            self.expect(zone)

    def expect(self, zone: OteZone) -> None:
        """Look at the zones when something happens to this one at the latest."""
        price = zone.start if zone.entered else zone.near
        if price > self.low_wakes_at:
            self.low_wakes_at = price
        if zone.end < self.high_wakes_at:
            self.high_wakes_at = zone.end
        if zone.due < self.expires_at:
            self.expires_at = zone.due


@final
class OteZones(Watch):
    """The zones of all scales. `near_share`, `sweet_share` and `far_share` of the way back from B to A."""

    __slots__ = ("bearish", "bullish", "far_share", "maximum_age", "near_share", "sweet_share")

    def __init__(self, maximum_age: int, near_share: float, sweet_share: float, far_share: float) -> None:
        super().__init__()
        self.maximum_age = maximum_age
        self.near_share = near_share
        self.sweet_share = sweet_share
        self.far_share = far_share
        self.bullish = OteSide()
        self.bearish = OteSide()

    def advance(
        self,
        bar: int,
        high: float,
        low: float,
        close: float,  # noqa: ARG002 - how a bar closes matters to others only
        events: list[RawEvent],
    ) -> None:
        """One bar of life for every zone known before it, bullish side first."""
        side = self.bullish
        if low <= side.low_wakes_at or high > side.high_wakes_at or bar >= side.expires_at:
            side.advance(bar, high, low, events)
        side = self.bearish
        if -high <= side.low_wakes_at or -low > side.high_wakes_at or bar >= side.expires_at:
            side.advance(bar, -low, -high, events)
        self._guard()

    def arm(self, start: RawEvent, end: RawEvent, events: list[RawEvent]) -> None:
        """A new zone for the leg between two swings, of which `end` was just confirmed."""
        sign, scale, bar, ref_bar = -end[1], end[2], end[3], end[4]
        first, last = start[5] * sign, end[5] * sign
        near = (last - (last - first) * self.near_share) * sign
        far = (last - (last - first) * self.far_share) * sign
        top, bottom = (near, far) if sign > 0 else (far, near)
        causes = (start[:5], end[:5])
        event: RawEvent = (OTE, sign, scale, bar, ref_bar, top, bottom, causes, 0)
        events.append(event)
        side = self.bullish if sign > 0 else self.bearish
        zone = OteZone(event, first, last, bar + self.maximum_age)
        side.zones.append(zone)
        side.expect(zone)
        self._guard()

    def views(self) -> tuple[OteView, ...]:
        """Every living zone: bullish side first, oldest first."""
        return tuple(self._view(zone) for side in (self.bullish, self.bearish) for zone in side.zones)

    def _guard(self) -> None:
        up, down = self.bullish, self.bearish
        low, high = -down.high_wakes_at, -down.low_wakes_at
        self.low_guard = up.low_wakes_at if up.low_wakes_at > low else low
        self.high_guard = up.high_wakes_at if up.high_wakes_at < high else high
        self.expires_at = up.expires_at if up.expires_at < down.expires_at else down.expires_at

    def _view(self, zone: OteZone) -> OteView:
        _, side, scale, known_at, _ = zone.key
        return OteView(
            key=zone.key,
            side=side,
            scale=scale,
            known_at=known_at,
            start=zone.start * side,
            end=zone.end * side,
            top=zone.top,
            bottom=zone.bottom,
            sweet=(zone.end - (zone.end - zone.start) * self.sweet_share) * side,
            entered=zone.entered,
        )
