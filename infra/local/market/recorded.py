"""A market of recorded candles: the group of files that share the longest common period.

Files are found recursively; one coin is played from one file only, so a gap between two segments is never bridged.
Files quoted in USDT or USDC (Binance) are served as USD pairs: levels differ from real USD pairs by a few basis points.
A bar missing inside a file is kept as a bar without trades, flat at the last close.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

from infra.local.market.bars import BAR_SECONDS, Bar, BarSeries, epoch, from_epoch
from infra.local.market.candle_files import CandleFile, describe, read_bars, read_edges
from infra.local.market.candle_market import CandleMarket, MarketIdentity
from infra.local.market.listings import list_coin
from trading.errors import InvalidInput
from trading.model.times import Timeframe

NEARLY_AS_LONG = 0.95
SAMPLE_BARS = 960
QUOTES = ("USD", "USDT", "USDC")
_DAYS = re.compile(r"-([0-9]{8})-([0-9]{8})\.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A file of 15 minute bars and the period that it covers, `end` exclusive."""

    file: CandleFile
    first: datetime
    end: datetime

    @property
    def base(self) -> str:
        return self.file.coin

    @property
    def preference(self) -> tuple[int, str]:
        """Sort key among files of one coin: USD before USDT before USDC, then by path."""
        return QUOTES.index(self.file.quote), str(self.file.path)


@dataclass(frozen=True, slots=True)
class Window:
    """A period and the one recording per coin that covers it."""

    first: datetime
    end: datetime
    files: tuple[Recording, ...]


def find_recordings(folder: Path) -> list[Recording]:
    """All 15 minute files in dollars below `folder`, by path. Raises InvalidInput when the folder holds none."""
    if not folder.is_dir():
        raise InvalidInput(f"candle folder {folder} does not exist, expected a folder with candle files")
    described = [describe(path) for path in sorted(folder.rglob("*_*15*.csv*")) if path.is_file()]
    found = [each for each in described if each and each.timeframe is Timeframe.M15 and each.quote in QUOTES]
    if not found:
        raise InvalidInput(
            f"candle folder {folder} has no 15 minute files, expected names like "
            "BTC_USDT-15m-20240101-20240907.csv.gz or XBTUSD_15.csv"
        )
    return [_recording(file) for file in found]


def _recording(file: CandleFile) -> Recording:
    """An export's name does not say its period, so its first and last bar do."""
    if file.export:
        first, last = (from_epoch(bar.time) for bar in read_edges(file))
        return Recording(file=file, first=first, end=last + timedelta(seconds=BAR_SECONDS))
    days = _DAYS.findall(file.path.name)[-1]
    start, end = _day(file.path, days[0]), _day(file.path, days[1]) + timedelta(days=1)
    if start >= end:
        raise InvalidInput(f"{file.path} names the period {days[0]} to {days[1]}, expected the first day first")
    return Recording(file=file, first=start, end=end)


def _day(path: Path, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidInput(f"{path} names the day {text}, expected a date as YYYYMMDD") from error


def choose_window(files: Sequence[Recording], coins: int) -> Window:
    """The longest period that `coins` coins share (all of them if there are fewer).

    Among periods nearly as long (95 %), the one that most coins cover, so that a major that ends a day early stays in.
    """
    windows = [window for first in sorted({file.first for file in files}) for window in _windows_from(files, first)]
    most = max(len(window.files) for window in windows)
    fitting = [window for window in windows if len(window.files) >= min(coins, most)]
    longest = max(window.end - window.first for window in fitting)
    near = [window for window in fitting if window.end - window.first >= longest * NEARLY_AS_LONG]
    return max(near, key=lambda window: (len(window.files), window.end - window.first, window.first))


def _windows_from(files: Sequence[Recording], first: datetime) -> Iterable[Window]:
    started = [file for file in files if file.first <= first < file.end]
    for end in sorted({file.end for file in started}):
        covering: dict[str, Recording] = {}
        for file in sorted((file for file in started if file.end >= end), key=lambda file: file.preference):
            covering.setdefault(file.base, file)
        yield Window(first, end, tuple(covering.values()))


def _traded_value(recording: Recording, first: datetime) -> float:
    """USD traded in the first ten days of the window."""
    inside = (bar for bar in read_bars(recording.file) if bar.time >= epoch(first))
    return sum(bar.close * bar.volume for bar in islice(inside, SAMPLE_BARS))


def load_series(recording: Recording, window: Window) -> BarSeries:
    """Bars of a file inside the window, gaps filled with flat bars without trades. Checks the whole file."""
    bars: list[Bar] = []
    first, end = epoch(window.first), epoch(window.end)
    for bar in read_bars(recording.file):
        if not first <= bar.time < end:
            continue
        while bars and bars[-1].time + BAR_SECONDS < bar.time:
            price = bars[-1].close
            bars.append(Bar(bars[-1].time + BAR_SECONDS, price, price, price, price, 0.0, 0))
        bars.append(bar)
    if not bars:
        period = f"{window.first} and {window.end}"
        raise InvalidInput(f"{recording.file.path} has no candles between {period}, expected some")
    return BarSeries(bars=bars)


def recorded_market(folder: Path, coins: int = 12, seed: int = 0) -> CandleMarket:
    """Market of the `coins` most traded coins in the longest common period of the files below `folder`.

    `seed` drives basis and funding only. Raises InvalidInput with file, line, value and expectation for a bad file.
    """
    if coins < 1:
        raise InvalidInput(f"coins is {coins}, expected at least 1")
    window = choose_window(find_recordings(folder), coins)
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
