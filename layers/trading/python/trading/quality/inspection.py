"""What is wrong with the newest 15m bars of one coin.

Prices that are not prices, a high below a low, duplicates and wrong order never get this far: `CandleSeries` and the
venue adapter refuse them. Here stand the things that only a run of bars shows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from trading.errors import InvalidInput
from trading.model.candles import CandleSeries
from trading.model.folding import since
from trading.model.times import Timeframe, from_epoch
from trading.rules import QualityRules

Look = Callable[[CandleSeries, int, QualityRules], str | None]

STEP: Final = Timeframe.M15.seconds


def inspect(bars: CandleSeries, close: datetime, rules: QualityRules) -> tuple[str, ...]:
    """The flaws of 15m `bars` at this close, each one short sentence; empty when they are sound.

    Hand in at least the newest `inspected_bars` bars: a bar counts as missing only after the first one handed in.
    Raises InvalidInput for another timeframe.
    """
    if bars.timeframe is not Timeframe.M15:
        raise InvalidInput(f"{bars.timeframe} bars were given for inspection; expected {Timeframe.M15}")
    end = int(close.timestamp())
    closed = bars.until(end)
    future = len(bars) - len(closed)
    flaws = [f"{future} bars close after {close:%Y-%m-%d %H:%M}, allowed 0"] if future else []
    if not closed:
        return (*flaws, f"no bar closed by {close:%Y-%m-%d %H:%M}, expected at least 1")
    found = (look(closed, end, rules) for look in LOOKS)
    return (*flaws, *(flaw for flaw in found if flaw is not None))


def stale_end(bars: CandleSeries, end: int, rules: QualityRules) -> str | None:
    """No bar for as long as a frozen feed is allowed to stand still: an exchange that skips bars without trades and
    one that repeats the last price mean the same thing. One late bar is the business of whoever waits for it."""
    newest = bars.times[-1] + STEP
    absent = (end - newest) // STEP
    if absent < rules.frozen_bars:
        return None
    return f"the newest close is {absent} bars old ({from_epoch(newest):%Y-%m-%d %H:%M}), limit {rules.frozen_bars}"


def many_gaps(bars: CandleSeries, end: int, rules: QualityRules) -> str | None:
    """Too large a share of the inspected bars is missing. It is a share of all of them even where a young coin has
    fewer, so that its first skipped bar does not weigh more than one of an old coin."""
    start = max(bars.times[0], end - rules.inspected_bars * STEP)
    missing = (end - start) // STEP - len(since(bars, start))
    allowed = rules.gap_maximum_share * rules.inspected_bars
    if missing <= allowed:
        return None
    return f"{missing} of the newest {rules.inspected_bars} bars are missing, limit {allowed:g}"


def recent_jump(bars: CandleSeries, end: int, rules: QualityRules) -> str | None:
    """A close far from the one before: a wrong price, a redenomination, or a crash nobody should trade into.

    It looks only as many bars back as a release takes: a price that has held for so long is the price, and an old jump
    must not keep a coin away for a day. Just the newest bar would be too few: a run may bring several bars at once.
    """
    first, newest = end - rules.release_after_passes * STEP, bars.last(rules.release_after_passes + 1)
    steps = zip(newest.times[1:], newest.closes, newest.closes[1:], strict=False)
    jumps = ((abs(after / before - 1) * 100, time) for time, before, after in steps if time >= first)
    size, time = max(jumps, default=(0.0, 0))
    if size <= rules.jump_pct:
        return None
    return f"the close moved {size:.1f} % in the bar of {from_epoch(time):%Y-%m-%d %H:%M}, limit {rules.jump_pct:g} %"


def frozen_feed(bars: CandleSeries, _: int, rules: QualityRules) -> str | None:
    """The newest bars repeat one price without a trade. A freeze that has ended is over, whatever it looked like."""
    newest = bars.last(rules.inspected_bars)
    price, still = newest.closes[-1], 0
    while still < len(newest) and _stands_at(newest, len(newest) - 1 - still, price):
        still += 1
    if still < rules.frozen_bars:
        return None
    return f"{still} bars in a row stand at {price:g} without a trade, limit {rules.frozen_bars}"


LOOKS: Final[tuple[Look, ...]] = (stale_end, many_gaps, recent_jump, frozen_feed)


def _stands_at(bars: CandleSeries, index: int, price: float) -> bool:
    return bars.volumes[index] == 0 and bars.highs[index] == bars.lows[index] == price
