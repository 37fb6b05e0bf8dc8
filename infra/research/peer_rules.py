"""What smartmoneyconcepts 0.0.27 computes, done again in plain Python from its definitions, with what it throws away.

Its own tables hold only what is left at the end. To say why a row is there, was erased or never came, the rows are
computed anew together with the fourth swing they stand on, the bar they break and the bar they are erased by. Side is
1 for a swing high, for a bullish break and for a bullish block (which breaks a high), -1 for the other.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

BOS: Final = "bos"
CHOCH: Final = "choch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Closed bars as columns of one length; `times` are the texts of the source."""

    times: Sequence[str]
    opens: Sequence[float]
    highs: Sequence[float]
    lows: Sequence[float]
    closes: Sequence[float]

    def __post_init__(self) -> None:
        lengths = {len(column) for column in (self.times, self.opens, self.highs, self.lows, self.closes)}
        if len(lengths) > 1:
            raise ValueError(f"columns have lengths {sorted(lengths)}, expected all the same")

    def signed(self, side: int) -> tuple[list[float], list[float], list[float]]:
        """Highs, lows and closes as seen from a side: the bearish one is the bullish one on negated prices."""
        if side > 0:
            return list(self.highs), list(self.lows), list(self.closes)
        return [-low for low in self.lows], [-high for high in self.highs], [-close for close in self.closes]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSwing:
    """A swing of the finished table."""

    side: int
    bar: int
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerBreak:
    """A row of four swings in order: stamped on `bar`, the second of them; `fourth` is the bar of the last.

    `level` is rounded to 32 bits as the peer does, `exact` is not. `broken_at` is the first close beyond `level`, if
    any; `erased_by` the stamp of the later row that deletes this one.
    """

    side: int
    bar: int
    kind: str
    level: float
    exact: float
    fourth: int
    broken_at: int | None = None
    erased_by: int | None = None

    @property
    def listed(self) -> bool:
        """Whether the finished table has the row."""
        return self.broken_at is not None and self.erased_by is None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerBlock:
    """An order block as created; `erased_at` is the bar that deletes it, or that overwrites it with another block."""

    side: int
    bar: int
    top: float
    bottom: float
    swing_bar: int
    break_bar: int
    erased_at: int | None = None
    overwritten: bool = False


def single(value: float) -> float:
    """The nearest 32-bit float."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def swings_of(prices: Prices, scale: int) -> list[PeerSwing]:
    """The swings left at the end of the series, with the two that the peer invents on its first and last bar."""
    swings: list[PeerSwing] = []
    for bar in range(2 * scale - 1, len(prices.closes) - scale):
        window = slice(bar - scale + 1, bar + scale + 1)
        high, low = prices.highs[bar], prices.lows[bar]
        if high == max(prices.highs[window]):
            _keep(swings, PeerSwing(side=1, bar=bar, level=high))
        elif low == min(prices.lows[window]):
            _keep(swings, PeerSwing(side=-1, bar=bar, level=low))
    if not swings:
        return []
    return [_invented(prices, 0, -swings[0].side), *swings, _invented(prices, len(prices.closes) - 1, -swings[-1].side)]


def breaks_of(swings: Sequence[PeerSwing], closes: Sequence[float]) -> list[PeerBreak]:
    """Every row that four swings make, in the order of their stamps, with its break and its erasure."""
    rows = [row for at in range(3, len(swings)) if (row := _pattern(swings[at - 3 : at + 1])) is not None]
    for at, row in enumerate(rows):
        if row.erased_by is not None:
            continue
        level = row.level * row.side
        broken = next((t for t in range(row.bar + 2, len(closes)) if closes[t] * row.side > level), None)
        rows[at] = replace(row, broken_at=broken)
        if broken is None:
            continue
        for earlier in range(at):
            older = rows[earlier]
            if older.erased_by is None and (older.broken_at or 0) >= broken:
                rows[earlier] = replace(older, erased_by=row.bar)
    return rows


def blocks_of(swings: Sequence[PeerSwing], prices: Prices) -> list[PeerBlock]:
    """Every order block ever created, bullish first, each side in the order of its breaks."""
    book = _Book()
    for side in (1, -1):
        highs, lows, closes = prices.signed(side)
        levels = {swing.bar: highs[swing.bar] for swing in swings if swing.side == side}
        active: list[int] = []
        last: int | None = None
        for bar, close in enumerate(closes):
            active = [index for index in active if not book.erases(index, bar, highs[bar], lows[bar])]
            if last is not None and close > levels[last]:
                block = _block(prices, side, last, bar)
                book.add(block)
                active.append(block.bar)
                last = None
            if bar in levels:
                last = bar
    return book.blocks


class _Book:
    """The blocks by the bar of their row: the peer has one row a bar for both sides, and a violation marks the bar."""

    def __init__(self) -> None:
        self.blocks: list[PeerBlock] = []
        self._at: dict[int, int] = {}
        self._violated: set[int] = set()

    def add(self, block: PeerBlock) -> None:
        at = self._at.get(block.bar)
        if at is not None and self.blocks[at].erased_at is None:
            self.blocks[at] = replace(self.blocks[at], erased_at=block.break_bar, overwritten=True)
        self._at[block.bar] = len(self.blocks)
        self.blocks.append(block)

    def erases(self, row: int, bar: int, high: float, low: float) -> bool:
        """Read one bar, signed by the row's side: a wick through the far edge marks, one back past the near erases."""
        at = self._at[row]
        block = self.blocks[at]
        near, far = (block.top, block.bottom) if block.side > 0 else (-block.bottom, -block.top)
        if row not in self._violated:
            if low < single(far):
                self._violated.add(row)
            return False
        if high > single(near):
            self.blocks[at] = replace(block, erased_at=bar)
            return True
        return False


def _block(prices: Prices, side: int, swing_bar: int, break_bar: int) -> PeerBlock:
    """The bar of the extreme against the side between swing and break, the last of equals; the bar before if none."""
    _, lows, _ = prices.signed(side)
    between = range(swing_bar + 1, break_bar)
    bar = min(reversed(between), key=lambda index: lows[index]) if between else break_bar - 1
    top, bottom = prices.highs[bar], prices.lows[bar]
    # Without a bar between, the bullish pass of the peer swaps the edges.
    if not between and side > 0:
        top, bottom = bottom, top
    return PeerBlock(side=side, bar=bar, top=top, bottom=bottom, swing_bar=swing_bar, break_bar=break_bar)


def _pattern(four: Sequence[PeerSwing]) -> PeerBreak | None:
    """The row of four alternating swings: rising steps make a BOS, a new low (high) that is outdone a CHoCH."""
    side = four[3].side
    if [swing.side for swing in four] != [-side, side, -side, side]:
        return None
    first, second, third, fourth = (swing.level * side for swing in four)
    if first < third < second < fourth:
        kind = BOS
    elif fourth > second > first > third:
        kind = CHOCH
    else:
        return None
    exact = four[1].level
    return PeerBreak(side=side, bar=four[1].bar, kind=kind, level=single(exact), exact=exact, fourth=four[3].bar)


def _keep(swings: list[PeerSwing], found: PeerSwing) -> None:
    """Of a run of equal kind keep the most extreme, the first of equals."""
    if not swings or swings[-1].side != found.side:
        swings.append(found)
    elif found.level * found.side > swings[-1].level * found.side:
        swings[-1] = found


def _invented(prices: Prices, bar: int, side: int) -> PeerSwing:
    return PeerSwing(side=side, bar=bar, level=prices.highs[bar] if side > 0 else prices.lows[bar])
