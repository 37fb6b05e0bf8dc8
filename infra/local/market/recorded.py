"""A market of recorded candles: the group of files that share the longest common period.

Files are found recursively; one coin is played from one file only, so a gap between two segments is never bridged.
Files quoted in USDT or USDC (Binance) are served as USD pairs: levels differ from real USD pairs by a few basis points.
A bar missing inside a file is kept as a bar without trades, flat at the last close.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from infra.local.market.bars import BAR_SECONDS, Bar, BarSeries, epoch, from_epoch
from infra.local.market.candle_files import CandleFile, find_files, read_bars
from infra.local.market.candle_market import CandleMarket, MarketIdentity
from infra.local.market.listings import list_coin
from trading.errors import InvalidInput

NEARLY_AS_LONG = 0.95
SAMPLE_BARS = 960


@dataclass(frozen=True, slots=True)
class Window:
    """A period and the one file per coin that covers it."""

    first: datetime
    end: datetime
    files: tuple[CandleFile, ...]


def choose_window(files: Sequence[CandleFile], coins: int) -> Window:
    """The longest period that `coins` coins share (all of them if there are fewer).

    Among periods nearly as long (95 %), the one that most coins cover, so that a major that ends a day early stays in.
    """
    windows = [window for first in sorted({file.first for file in files}) for window in _windows_from(files, first)]
    most = max(len(window.files) for window in windows)
    fitting = [window for window in windows if len(window.files) >= min(coins, most)]
    longest = max(window.end - window.first for window in fitting)
    near = [window for window in fitting if window.end - window.first >= longest * NEARLY_AS_LONG]
    return max(near, key=lambda window: (len(window.files), window.end - window.first, window.first))


def _windows_from(files: Sequence[CandleFile], first: datetime) -> Iterable[Window]:
    started = [file for file in files if file.first <= first < file.end]
    for end in sorted({file.end for file in started}):
        covering: dict[str, CandleFile] = {}
        for file in sorted((file for file in started if file.end >= end), key=lambda file: file.preference):
            covering.setdefault(file.base, file)
        yield Window(first, end, tuple(covering.values()))


def _traded_value(file: CandleFile, first: datetime) -> float:
    """USD traded in the first ten days of the window."""
    return sum(bar.close * bar.volume for bar in read_bars(file, first, SAMPLE_BARS))


def load_series(file: CandleFile, window: Window) -> BarSeries:
    """Bars of a file inside the window, gaps filled with flat bars without trades. Checks the whole file."""
    bars: list[Bar] = []
    end = epoch(window.end)
    for bar in read_bars(file, window.first):
        if bar.time >= end:
            continue
        while bars and bars[-1].time + BAR_SECONDS < bar.time:
            price = bars[-1].close
            bars.append(Bar(bars[-1].time + BAR_SECONDS, price, price, price, price, 0.0, 0))
        bars.append(bar)
    if not bars:
        raise InvalidInput(f"{file.path} has no candles between {window.first} and {window.end}, expected some")
    return BarSeries(bars=bars)


def recorded_market(folder: Path, coins: int = 12, seed: int = 0) -> CandleMarket:
    """Market of the `coins` most traded coins in the longest common period of the files below `folder`.

    `seed` drives basis and funding only. Raises InvalidInput with file, line, value and expectation for a bad file.
    """
    if coins < 1:
        raise InvalidInput(f"coins is {coins}, expected at least 1")
    window = choose_window(find_files(folder), coins)
    ranked = sorted(window.files, key=lambda file: (-_traded_value(file, window.first), file.base))
    loaded = {file.base: load_series(file, window) for file in ranked[:coins]}
    listings = [list_coin(base, series.bars[0].close, _decimals(series)) for base, series in loaded.items()]
    first = max(series.bars[0].time for series in loaded.values())
    last = min(series.bars[-1].time for series in loaded.values()) + BAR_SECONDS
    identity = MarketIdentity(kind="recorded", seed=seed, first=from_epoch(first), last=from_epoch(last))
    return CandleMarket(identity, listings, lambda listing: loaded[listing.base])


def _decimals(series: BarSeries) -> int:
    """Decimals that keep the recorded prices exact, judged by a sample over the whole series."""
    stride = max(len(series.bars) // 2000, 1)
    prices = (price for bar in series.bars[::stride] for price in bar[1:5])
    return max(max(-int(Decimal(repr(price)).normalize().as_tuple().exponent), 0) for price in prices)
