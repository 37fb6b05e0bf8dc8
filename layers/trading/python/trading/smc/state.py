"""What a decision may look at: frozen views of the detector at the close of its last bar."""

from __future__ import annotations

from dataclasses import dataclass

from trading.smc.events import BOS, EventKey, RawEvent
from trading.smc.swings import StructureScale, SwingTrack
from trading.smc.zones import Zone, ZoneBook


@dataclass(frozen=True, slots=True, kw_only=True)
class SwingView:
    """An accepted swing: its bar, the bar it was known at, its price; `open` until a close went beyond it."""

    key: EventKey
    bar: int
    known_at: int
    level: float
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakView:
    """The last close beyond an accepted swing; `side` is +1 for a break upwards, `is_bos` False for a CHoCH."""

    key: EventKey
    side: int
    scale: int
    known_at: int
    level: float
    is_bos: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LegView:
    """A leg from swing A to swing B, both confirmed; known when B was, at bar `known_at`."""

    start_bar: int
    start: float
    end_bar: int
    end: float
    known_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneView:
    """A living order block or gap; `side` +1 lies below the price. An order block rests on its breaks."""

    key: EventKey
    kind: str
    side: int
    scale: int
    known_at: int
    ref_bar: int
    top: float
    bottom: float
    touches: int
    rests_on: tuple[EventKey, ...]

    @property
    def near(self) -> float:
        """The edge the price reaches first."""
        return self.top if self.side > 0 else self.bottom

    @property
    def far(self) -> float:
        """The edge beyond which the zone is over."""
        return self.bottom if self.side > 0 else self.top


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleView:
    """One scale: trend (+1, -1, 0 before the first break), last accepted swings, last breaks and legs of both sides."""

    size: int
    trend: int
    last_high: SwingView | None
    last_low: SwingView | None
    break_up: BreakView | None
    break_down: BreakView | None
    leg_up: LegView | None
    leg_down: LegView | None

    def break_of(self, side: int) -> BreakView | None:
        """The last break in the direction of `side`."""
        return self.break_up if side > 0 else self.break_down

    def leg_of(self, side: int) -> LegView | None:
        """The last leg in the direction of `side`: low to high for +1."""
        return self.leg_up if side > 0 else self.leg_down

    def swing_against(self, side: int) -> SwingView | None:
        """The last accepted swing opposite to `side`: the low for +1."""
        return self.last_low if side > 0 else self.last_high


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureState:
    """Everything alive at the close of bar `bar`; zones oldest first."""

    bar: int
    warm: bool
    zones: tuple[ZoneView, ...]
    scales: tuple[ScaleView, ...]

    def scale(self, size: int) -> ScaleView:
        """The scale with this number of bars; it must be one the detector was given."""
        for scale in self.scales:
            if scale.size == size:
                return scale
        raise ValueError(f"scale {size} is not read here, expected one of {[scale.size for scale in self.scales]}")

    def zones_of(self, side: int) -> tuple[ZoneView, ...]:
        """The living zones of one side, oldest first."""
        return tuple(zone for zone in self.zones if zone.side == side)


def view_of(bar: int, warm: bool, scales: list[StructureScale], zones: ZoneBook) -> StructureState:
    """The frozen picture of a detector's parts."""
    return StructureState(
        bar=bar,
        warm=warm,
        zones=tuple(_zone_view(zone) for zone in zones.living()),
        scales=tuple(_scale_view(scale) for scale in scales),
    )


def _scale_view(scale: StructureScale) -> ScaleView:
    return ScaleView(
        size=scale.size,
        trend=scale.trend,
        last_high=_swing_view(scale.up),
        last_low=_swing_view(scale.down),
        break_up=_break_view(scale.up.last_break),
        break_down=_break_view(scale.down.last_break),
        leg_up=_leg_view(scale.up),
        leg_down=_leg_view(scale.down),
    )


def _swing_view(track: SwingTrack) -> SwingView | None:
    if not track.accepted:
        return None
    return SwingView(key=track.key, bar=track.bar, known_at=track.key[3], level=track.price(), open=track.open)


def _break_view(event: RawEvent | None) -> BreakView | None:
    if event is None:
        return None
    kind, side, scale, known_at, _, level, _, _, _ = event
    return BreakView(key=event[:5], side=side, scale=scale, known_at=known_at, level=level, is_bos=kind == BOS)


def _leg_view(track: SwingTrack) -> LegView | None:
    if track.leg_start is None:
        return None
    start_bar, start = track.leg_start
    return LegView(start_bar=start_bar, start=start, end_bar=track.bar, end=track.price(), known_at=track.key[3])


def _zone_view(zone: Zone) -> ZoneView:
    kind, side, scale, known_at, ref_bar = zone.key
    return ZoneView(
        key=zone.key,
        kind=kind,
        side=side,
        scale=scale,
        known_at=known_at,
        ref_bar=ref_bar,
        top=zone.top,
        bottom=zone.bottom,
        touches=zone.touches,
        rests_on=zone.rests_on,
    )
