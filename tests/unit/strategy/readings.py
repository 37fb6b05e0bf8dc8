"""Readings put together by hand: a close of 100, an ATR of 2, and exactly the structure a test names."""

from __future__ import annotations

from array import array
from dataclasses import replace
from decimal import Decimal

from tests.unit.strategy.markets import QUOTE, hours, snapshot
from trading.model.costs import MarketConditions
from trading.model.decisions import Alignment, Bias
from trading.model.instruments import Side
from trading.model.signals import Setup
from trading.model.units import BasisPoints
from trading.smc import BreakView, LegView, ScaleView, StructureState, SwingView, ZoneView
from trading.smc.events import EventKey
from trading.strategy.fibonacci import FibonacciPlace
from trading.strategy.gates import Case
from trading.strategy.reading import Reading
from trading.strategy.setups import Candidate

LAST = 599
MINOR, MAJOR = 5, 20


def swing(level: float, *, side: int = 1, scale: int = MINOR, bar: int = 580) -> SwingView:
    known_at = bar + scale if bar + scale <= LAST else LAST
    return SwingView(key=("swing", side, scale, known_at, bar), bar=bar, known_at=known_at, level=level, open=True)


def broke(level: float, *, age: int, side: int = 1, scale: int = MINOR, is_bos: bool = True) -> BreakView:
    key: EventKey = ("bos" if is_bos else "choch", side, scale, LAST - age, LAST - age - 10)
    return BreakView(key=key, side=side, scale=scale, known_at=LAST - age, level=level, is_bos=is_bos)


def zone(
    top: float,
    bottom: float,
    *,
    kind: str = "order_block",
    side: int = 1,
    age: int = 20,
    touches: int = 0,
    rests_on: tuple[EventKey, ...] = (),
) -> ZoneView:
    scale = MINOR if kind == "order_block" else 0
    known_at = LAST - age
    key: EventKey = (kind, side, scale, known_at, known_at - 3)
    return ZoneView(
        key=key,
        kind=kind,
        side=side,
        scale=scale,
        known_at=known_at,
        ref_bar=known_at - 3,
        top=top,
        bottom=bottom,
        touches=touches,
        rests_on=rests_on,
    )


def scale(size: int, **views: object) -> ScaleView:
    """A scale with only the views given; the others are None."""
    empty: dict[str, object] = {
        name: None for name in ("last_high", "last_low", "break_up", "break_down", "leg_up", "leg_down")
    }
    return ScaleView(size=size, trend=1, **{**empty, **views})  # type: ignore[arg-type]


def reading(
    *zones: ZoneView,
    minor: ScaleView | None = None,
    major: ScaleView | None = None,
    close: float = 100.0,
    adx: float = 30.0,
    alignments: tuple[Alignment, Alignment] = (Alignment.ALIGNED, Alignment.OPPOSED),
) -> Reading:
    """Alignments are those of long and short."""
    scales = (minor or scale(MINOR), major or scale(MAJOR))
    return Reading(
        times=array("q", range(0, 3_600 * (LAST + 1), 3_600)),
        highs=array("d", [close] * (LAST + 1)),
        lows=array("d", [close] * (LAST + 1)),
        close=close,
        state=StructureState(bar=LAST, warm=True, zones=zones, scales=scales),
        atr=2.0,
        atr_ratio=1.0,
        adx=adx,
        daily_close=120.0,
        daily_average=100.0,
        daily=Bias.UP,
        structure=Bias.UP,
        alignments=tuple(zip(Side, alignments, strict=True)),
    )


def candidate(setup: Setup = Setup.ORDER_BLOCK, side: Side = Side.LONG) -> Candidate:
    """An entry at 100 that is wrong at 97 for a long, at 103 for a short."""
    tight = setup in (Setup.ORDER_BLOCK, Setup.FAIR_VALUE_GAP)
    return Candidate(
        setup=setup,
        side=side,
        entry=100.0,
        invalidation=100.0 - 3.0 * side.sign,
        scale=MINOR,
        structure=("order_block", side.sign, MINOR, 580, 570),
        rests_on=(),
        blocks=int(setup is Setup.ORDER_BLOCK),
        gaps=int(tight and setup is not Setup.ORDER_BLOCK),
    )


def place(position: float = 0.7, *, in_ote: bool = True, level_bps: float = 500.0) -> FibonacciPlace:
    return FibonacciPlace(position=position, in_ote=in_ote, level_bps=level_bps)


def case(setup: Setup = Setup.ORDER_BLOCK, *, market: MarketConditions | None = QUOTE, cost: str = "12") -> Case:
    """A case whose every gate passes; tests replace what they are about."""
    return Case(
        snapshot=snapshot(hours(0), market=market),
        reading=reading(),
        candidate=candidate(setup),
        structure_id="structure",
        alignment=Alignment.ALIGNED,
        place=place(),
        cost=BasisPoints(Decimal(cost)),
        levels=None,
    )


def leg(start: float, end: float) -> LegView:
    return LegView(start_bar=500, start=start, end_bar=550, end=end, known_at=555)


def after_leg(given: Reading, *, low: float, high: float) -> Reading:
    """The reading with one bar after the leg's end reaching from `low` to `high`."""
    lows, highs = array("d", given.lows), array("d", given.highs)
    lows[560], highs[560] = low, high
    return replace(given, lows=lows, highs=highs)
