"""What smartmoneyconcepts computes, at the edges that its tables of a year hardly reach; matching of rows."""

from __future__ import annotations

import pytest

from infra.research import peer_causes as causes
from infra.research.peer_causes import Row
from infra.research.peer_rules import PeerSwing, Prices, blocks_of, breaks_of, single


def test_the_peer_looks_two_bars_after_the_stamp() -> None:
    four = [PeerSwing(side=s, bar=b, level=v) for s, b, v in ((-1, 0, 1.0), (1, 1, 3.0), (-1, 3, 2.0), (1, 5, 4.0))]
    (row,) = breaks_of(four, [1.0, 3.0, 3.5, 2.0, 3.5, 4.0])
    assert (row.bar, row.kind, row.broken_at, row.listed) == (1, "bos", 4, True)


@pytest.mark.parametrize(("last_high", "erased_at"), [(3.0, None), (3.25, 5)])
def test_a_block_is_erased_only_beyond_its_edge(last_high: float, erased_at: int | None) -> None:
    lows, closes = [3.0, 2.0, 3.0, 2.0, 1.0, 1.0], [3.5, 2.5, 5.0, 2.5, 1.5, 2.0]
    highs = [4.0, 3.0, 5.0, 3.0, 2.0, last_high]
    prices = Prices(times=list("012345"), opens=closes, highs=highs, lows=lows, closes=closes)
    (block,) = blocks_of([PeerSwing(side=1, bar=0, level=4.0)], prices)
    assert (block.bar, block.top, block.bottom, block.erased_at) == (1, 3.0, 2.0, erased_at)


def test_a_block_is_violated_at_its_rounded_edge() -> None:
    far = next(1 + step / 10_000 for step in range(9) if single(1 + step / 10_000) > 1 + step / 10_000)
    highs, lows = [4.0, 3.0, 5.0, 5.0, 5.0], [3.0, far, 3.5, far, 3.5]
    closes = [3.5, 2.5, 5.0, 2.5, 4.0]
    prices = Prices(times=list("01234"), opens=closes, highs=highs, lows=lows, closes=closes)
    (block,) = blocks_of([PeerSwing(side=1, bar=0, level=4.0)], prices)
    assert block.erased_at == 4


@pytest.mark.parametrize(("side", "top", "bottom"), [(1, 3.0, 4.0), (-1, 4.0, 3.0)])
def test_a_break_on_the_next_bar_swaps_edges(side: int, top: float, bottom: float) -> None:
    closes = [3.5, 5.0 if side > 0 else 2.0]
    prices = Prices(times=list("01"), opens=closes, highs=[4.0, 5.0], lows=[3.0, 2.0], closes=closes)
    (block,) = blocks_of([PeerSwing(side=side, bar=0, level=4.0 if side > 0 else 3.0)], prices)
    assert (block.bar, block.top, block.bottom) == (0, top, bottom)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"lengths \[1, 2\], expected all the same"):
        Prices(times=["0", "1"], opens=[1.0, 1.0], highs=[1.0, 1.0], lows=[1.0, 1.0], closes=[1.0])


def test_two_rows_of_one_key_are_refused() -> None:
    row = Row(side=1, bar=2, swing_bar=2, known=7, kind="bos", top=1.0, bottom=1.0)
    again = Row(side=1, bar=2, swing_bar=2, known=8, kind="bos", top=1.0, bottom=1.0)
    explain = causes.Explanations(only_theirs=causes.never, only_ours=causes.never, unlike=causes.unlike_zones)
    with pytest.raises(ValueError, match=r"breaks has two rows for \(1, 2\), expected one"):
        causes.compare("breaks", [row, again], [], lambda each: (each.side, each.bar), explain)
