"""The detector's events as marks of a chart: swings, breaks, zones with their lives. Later events change nothing drawn
of earlier ones but where a zone ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from trading.model.candles import CandleSeries
from trading.model.instruments import Side
from trading.model.times import from_epoch
from trading.reporting.marks import Break, Swing, Zone

SWING: Final = "swing"
BREAKS: Final = {"bos": "BOS", "choch": "CHoCH"}
SHIFT: Final = "MSS"
"""A change of character with displacement."""
ZONES: Final = {
    "order_block": "OB",
    "fvg": "FVG",
    "breaker": "BB",
    "mitigation_block": "MB",
    "ifvg": "IFVG",
}
GAPS: Final = ("fvg", "ifvg")
ENDINGS: Final = ("_violated", "_filled", "_expired")
WITH_DISPLACEMENT: Final = 1


class Known(Protocol):
    """One event of the detector: see `trading.smc.events`. Bars are positions in the series that is drawn."""

    @property
    def kind(self) -> str: ...
    @property
    def side(self) -> str: ...
    @property
    def scale(self) -> int: ...
    @property
    def known_at(self) -> int: ...
    @property
    def ref_bar(self) -> int: ...
    @property
    def top(self) -> float: ...
    @property
    def bottom(self) -> float: ...
    @property
    def id(self) -> str: ...
    @property
    def rests_on(self) -> tuple[str, ...]: ...
    @property
    def detail(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """What the detector found in a series, ready to be drawn."""

    zones: tuple[Zone, ...]
    breaks: tuple[Break, ...]
    swings: tuple[Swing, ...]


@dataclass(slots=True)
class _Reader:
    """`major` is the larger scale; `strong` the names of events that the chart is about."""

    series: CandleSeries
    major: int
    strong: Collection[str]

    def opened(self, bar: int) -> int:
        return self.series.times[bar]

    def closed(self, bar: int) -> int:
        return self.series.times[bar] + self.series.timeframe.seconds

    def name(self, event: Known) -> str:
        """The name a decision knows the event by: open times instead of bar numbers."""
        return f"{event.kind}.{event.side}.{event.scale}.{self.opened(event.known_at)}.{self.opened(event.ref_bar)}"

    def zone(self, event: Known) -> Zone:
        strong = self.name(event) in self.strong
        scale = f" {event.scale}" if event.scale else ""
        return Zone(
            label=f"{ZONES[event.kind]}{scale}" + (" (this idea)" if strong else ""),
            side=_side(event),
            top=event.top,
            bottom=event.bottom,
            since=from_epoch(self.opened(event.ref_bar)),
            strong=strong,
            dashed=event.kind in GAPS,
        )

    def broken(self, event: Known) -> Break:
        shift = event.kind == "choch" and event.detail == WITH_DISPLACEMENT
        return Break(
            label=(SHIFT if shift else BREAKS[event.kind])
            + (" (this idea)" if self.name(event) in self.strong else ""),
            side=_side(event),
            price=event.top,
            since=from_epoch(self.opened(event.ref_bar) + self.series.timeframe.seconds // 2),
            until=from_epoch(self.closed(event.known_at) - self.series.timeframe.seconds // 2),
            major=event.scale == self.major or self.name(event) in self.strong,
        )

    def swing(self, event: Known) -> Swing:
        at = from_epoch(self.opened(event.ref_bar))
        return Swing(at=at, price=event.top, high=event.side == "bearish", major=event.scale == self.major)


def structure_of(
    events: Iterable[Known], series: CandleSeries, *, major: int, strong: Collection[str] = ()
) -> Structure:
    """Marks of all events. `series` holds the bars that the events' numbers count, from the first on."""
    reader = _Reader(series, major, strong)
    zones: dict[str, Zone] = {}
    breaks: list[Break] = []
    swings: list[Swing] = []
    for event in events:
        if event.kind in ZONES:
            zones[event.id] = reader.zone(event)
        elif event.kind in BREAKS:
            breaks.append(reader.broken(event))
        elif event.kind == SWING:
            swings.append(reader.swing(event))
        elif event.kind.endswith(ENDINGS) and event.rests_on and event.rests_on[0] in zones:
            zone = zones[event.rests_on[0]]
            zones[event.rests_on[0]] = replace(
                zone, until=from_epoch(reader.closed(event.known_at)), faint=not zone.strong
            )
    return Structure(zones=tuple(zones.values()), breaks=tuple(breaks), swings=tuple(swings))


def within(structure: Structure, series: CandleSeries) -> Structure:
    """Only what reaches into these bars."""
    if not len(series):
        return Structure(zones=(), breaks=(), swings=())
    first = from_epoch(series.times[0])
    return Structure(
        zones=tuple(zone for zone in structure.zones if zone.until is None or zone.until > first),
        breaks=tuple(mark for mark in structure.breaks if mark.until > first),
        swings=tuple(swing for swing in structure.swings if swing.at >= first),
    )


def _side(event: Known) -> Side:
    return Side.LONG if event.side == "bullish" else Side.SHORT
