"""The peer's tables and our detector's events as rows of one form, so that they can be matched."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.research.peer_causes import Row
from infra.research.peer_rules import PeerBlock, PeerBreak, PeerSwing, Prices
from trading.smc.detector import Detector
from trading.smc.events import BOS, CHOCH, GAP, ORDER_BLOCK, REINFORCED, SWING, SWING_SUPERSEDED, TOUCHED, RawEvent
from trading.smc.parameters import PEER, Parameters

# The peer's MitigatedIndex of a gap that was never touched.
NEVER_TOUCHED = 0
FOREVER_BARS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerTables:
    """The peer's finished tables. `created` are all blocks it ever had, `blocks` those it still lists.

    `orphans`: bars that still have a BrokenIndex, and which, although the row itself was deleted.
    """

    swings: Sequence[Row]
    breaks: Sequence[Row]
    orphans: Mapping[int, int]
    created: Sequence[Row]
    blocks: Sequence[Row]
    gaps: Sequence[Row] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OurRows:
    """What our detector told, in the same form; `accepted`, `superseded` and `before` as `Evidence` needs them."""

    swings: Sequence[Row]
    breaks: Sequence[Row]
    blocks: Sequence[Row]
    gaps: Sequence[Row]
    accepted: Mapping[tuple[int, int], int]
    superseded: Mapping[tuple[int, int], int]
    before: Mapping[tuple[int, int], int]


def read_prices(folder: Path) -> Prices:
    """The bars of the external cases."""
    rows = _rows(folder, "EURUSD_15M.csv")
    opens, highs, lows, closes = ([float(row[name]) for row in rows] for name in ("Open", "High", "Low", "Close"))
    return Prices(times=[row["Date"] for row in rows], opens=opens, highs=highs, lows=lows, closes=closes)


def read_tables(folder: Path) -> PeerTables:
    """The peer's tables of the external cases."""
    swings = [
        _swing(int(float(row["HighLow"])), at, float(row["Level"]))
        for at, row in enumerate(_rows(folder, "swing_highs_lows_result_data.csv"))
        if row["HighLow"]
    ]
    breaks, orphans = [], {}
    for at, row in enumerate(_rows(folder, "bos_choch_result_data.csv")):
        side, kind = row["BOS"] or row["CHOCH"], BOS if row["BOS"] else CHOCH
        if side:
            breaks.append(_break(int(float(side)), at, int(float(row["BrokenIndex"])), kind, float(row["Level"])))
        elif row["BrokenIndex"]:
            orphans[at] = int(float(row["BrokenIndex"]))
    blocks = _rows(folder, "order_blocks_created_L5.csv")
    gaps = [
        _gap(int(float(row["FVG"])), at, int(float(row["MitigatedIndex"])), float(row["Top"]), float(row["Bottom"]))
        for at, row in enumerate(_rows(folder, "fvg_result_data.csv"))
        if row["FVG"]
    ]
    return PeerTables(
        swings=swings,
        breaks=breaks,
        orphans=orphans,
        created=[_created(row) for row in blocks],
        blocks=[_created(row) for row in blocks if row["in_peer_final"] == "1"],
        gaps=gaps,
    )


def computed_tables(
    swings: Sequence[PeerSwing], patterns: Sequence[PeerBreak], blocks: Sequence[PeerBlock]
) -> PeerTables:
    """The tables that our recomputation of the peer gives (it has no gaps)."""
    rows = [(_block(each), each.erased_at is None) for each in blocks]
    return PeerTables(
        swings=[_swing(each.side, each.bar, each.level) for each in swings],
        breaks=[
            _break(each.side, each.bar, each.broken_at or 0, each.kind, each.level) for each in patterns if each.listed
        ],
        orphans={each.bar: each.broken_at or 0 for each in patterns if each.erased_by is not None},
        created=[row for row, _ in rows],
        blocks=[row for row, listed in rows if listed],
        gaps=None,
    )


def deleted_breaks(patterns: Sequence[PeerBreak]) -> list[Row]:
    """The rows that the peer had and deleted, as they were."""
    return [
        _break(each.side, each.bar, each.broken_at or 0, each.kind, each.level)
        for each in patterns
        if each.erased_by is not None
    ]


def our_rows(prices: Prices, scale: int) -> OurRows:
    """What our detector tells on these bars with the peer's swing window and gap rule."""
    events = Detector(_parameters(scale)).read(prices.opens, prices.highs, prices.lows, prices.closes)
    breaks = [each for each in events if each[0] in (BOS, CHOCH)]
    sides = [0, *(each[1] for each in breaks)]
    swings = {(-each[1], each[4]): each for each in events if each[0] == SWING}
    return OurRows(
        # A swing high is bearish for us and 1 for the peer.
        swings=[_swing(-each[1], each[4], each[5]) for each in swings.values()],
        breaks=[_break(each[1], each[4], each[3], each[0], each[5]) for each in breaks],
        blocks=[_our_block(each) for each in events if each[0] in (ORDER_BLOCK, ORDER_BLOCK + REINFORCED)],
        gaps=_our_gaps(events),
        accepted={key: each[3] for key, each in swings.items()},
        superseded={(-each[1], each[4]): each[3] for each in events if each[0] == SWING_SUPERSEDED},
        before={(each[1], each[4]): side for each, side in zip(breaks, sides[:-1], strict=True)},
    )


def _our_block(event: RawEvent) -> Row:
    cause = next(key for key in event[7] if key[0] in (BOS, CHOCH))
    return Row(
        side=event[1], bar=event[4], swing_bar=cause[4], known=event[3], kind=ORDER_BLOCK, top=event[5], bottom=event[6]
    )


def _our_gaps(events: Sequence[RawEvent]) -> list[Row]:
    touched = {each[7][0]: each[3] for each in events if each[0] == GAP + TOUCHED}
    return [
        _gap(each[1], each[4], touched.get(each[:5], NEVER_TOUCHED), each[5], each[6])
        for each in events
        if each[0] == GAP
    ]


def _parameters(scale: int) -> Parameters:
    return Parameters(
        definitions=PEER,
        swing_scales=(scale,),
        atr_bars=14,
        displacement_body_atr=1.5,
        displacement_body_share=0.6,
        displacement_run_bars=3,
        displacement_lookback_bars=3,
        change_of_character_fail_bars=3,
        zone_maximum_age_bars=FOREVER_BARS,
        displacement=False,
    )


def _swing(side: int, bar: int, level: float) -> Row:
    return _break(side, bar, bar, SWING, level)


def _break(side: int, bar: int, known: int, kind: str, level: float) -> Row:
    return Row(side=side, bar=bar, swing_bar=bar, known=known, kind=kind, top=level, bottom=level)


def _gap(side: int, bar: int, touched: int, top: float, bottom: float) -> Row:
    return Row(side=side, bar=bar, swing_bar=bar, known=touched, kind=GAP, top=top, bottom=bottom)


def _block(block: PeerBlock) -> Row:
    return Row(
        side=block.side,
        bar=block.bar,
        swing_bar=block.swing_bar,
        known=block.break_bar,
        kind=ORDER_BLOCK,
        top=block.top,
        bottom=block.bottom,
    )


def _created(row: Mapping[str, str]) -> Row:
    return Row(
        side=int(row["side"]),
        bar=int(row["bar"]),
        swing_bar=int(row["swing_bar"]),
        known=int(row["break_bar"]),
        kind=ORDER_BLOCK,
        top=float(row["top"]),
        bottom=float(row["bottom"]),
    )


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open() as file:
        return list(csv.DictReader(file))
