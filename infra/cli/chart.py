"""`chart`: one decision, or a file of candles, as a picture."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from infra.cli.decided import DecidedPlace, open_place
from infra.cli.ohlc_files import read_ohlc, timeframe_named
from infra.cli.operators import Target
from infra.cli.replay import replay
from trading.errors import InvalidInput
from trading.model.candles import CandleSeries
from trading.model.decisions import Decision
from trading.model.times import Timeframe, from_epoch, to_text
from trading.reporting.charts import CandleChart
from trading.reporting.decision_page import (
    decision_chart,
    render_decision,
    render_structure,
    structure_chart,
    svg_file,
)
from trading.reporting.structure import Structure, structure_of
from trading.rules import Rules, load_rules
from trading.smc import Detector, Event
from trading.strategy.bias import detector_parameters
from trading.strategy.concepts import concept_parameters

BARS_DRAWN = 168
"""A week of 1h bars: more of them do not fit readably beside the levels."""
MOST_BARS = 1500
SUFFIXES = (".html", ".svg")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartWanted:
    """The options as typed. `source`: a coin's code or a file of candles."""

    source: str
    at: str = ""
    out: Path | None = None
    timeframe: str = "15m"
    from_bar: int | None = None
    to_bar: int | None = None

    def __post_init__(self) -> None:
        if self.out is not None and self.out.suffix not in SUFFIXES:
            raise InvalidInput(f"--out is {self.out}; expected a name that ends in {' or '.join(SUFFIXES)}")
        if self.from_bar is not None and self.to_bar is not None and self.to_bar < self.from_bar:
            raise InvalidInput(f"--to-bar is {self.to_bar}; expected at least --from-bar, which is {self.from_bar}")

    @property
    def file(self) -> Path | None:
        """The file that is meant: whatever exists, or looks like a name of one."""
        path = Path(self.source)
        return path if path.is_file() or path.suffix or "/" in self.source else None


def draw(wanted: ChartWanted, target: Target) -> Path:
    """Write the picture; returns where. Raises InvalidInput."""
    if (file := wanted.file) is not None:
        if wanted.at:
            raise InvalidInput(f"--at is {wanted.at}; a file has no decisions, expected --from-bar and --to-bar")
        picture = file_chart(wanted, file)
        name, page = f"{file.name.partition('.')[0]}.html", render_structure(picture)
    else:
        if wanted.from_bar is not None or wanted.to_bar is not None:
            raise InvalidInput(f"--from-bar and --to-bar are for files; {wanted.source} is no file")
        with open_place(target) as place:
            decision = place.decision(wanted.source, wanted.at)
            picture, remarks = chart_of(decision, place)
        name, page = (
            f"{decision.instrument}-{decision.decision_bar:%Y%m%dT%H%M}.html",
            render_decision(decision, picture, remarks),
        )
    out = wanted.out or Path(name)
    try:
        out.write_text(svg_file(picture) if out.suffix == ".svg" else page, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{out} cannot be written: {error.strerror}") from None
    return out


def chart_of(decision: Decision, place: DecidedPlace) -> tuple[CandleChart, list[str]]:
    """The decision's picture, and what a reader should know about it. Raises InvalidInput when no candle is left."""
    key = (decision.instrument, Timeframe.H1)
    loaded = place.market.load([decision.instrument], [Timeframe.H1], decision.decision_bar)
    if loaded.refused:
        raise InvalidInput("; ".join(loaded.refused.values()))
    series = loaded.series[key]
    window = series.last(place.rules.detector.window_bars)
    if not len(window):
        raise InvalidInput(
            f"the store has no 1h candles of {decision.instrument} up to {to_text(decision.decision_bar)}"
        )
    remarks = []
    if (missing := place.rules.detector.window_bars - len(window)) > 0:
        remarks.append(
            f"Only {len(window)} bars are stored, {missing} fewer than a decision reads: older structure is absent."
        )
    made_again = replay(decision, place)
    if not made_again.identical:
        remarks.append(
            f"This decision {made_again.sentence}." if made_again.obstacle else f"It was {made_again.sentence}."
        )
    structure = read_structure(window, place.rules, strong=decision.structure)
    return decision_chart(decision, window.last(BARS_DRAWN), structure), remarks


def file_chart(wanted: ChartWanted, file: Path) -> CandleChart:
    """The bars of a file with the structure that all bars up to the last drawn one make."""
    timeframe = timeframe_named(wanted.timeframe)
    stop = None if wanted.to_bar is None else wanted.to_bar + 1
    rows = list(zip(*islice(read_ohlc(file, timeframe), stop), strict=True))
    count = len(rows[0])
    first = max(0, count - BARS_DRAWN) if wanted.from_bar is None else wanted.from_bar
    if first >= count:
        raise InvalidInput(f"--from-bar is {first}; expected less than {count}, the bars of {file.name} that are read")
    if count - first > MOST_BARS:
        raise InvalidInput(
            f"bars {first} to {count - 1} are {count - first}; expected at most {MOST_BARS} in one picture"
        )
    columns = (array("q", rows[0]), *(array("d", column) for column in rows[1:]), array("d", [0.0]) * count)
    series = CandleSeries.from_columns(timeframe, columns)
    structure = read_structure(series, load_rules())
    opened, closed = from_epoch(series.times[first]), series.closed_at
    text = (
        f"Bars {first} to {count - 1}: {opened:%Y-%m-%d %H:%M} to {closed:%Y-%m-%d %H:%M} UTC. Nothing later is used."
    )
    return structure_chart(f"{file.name}, {timeframe}", text, series.last(count - first), structure)


def read_structure(series: CandleSeries, rules: Rules, strong: Collection[str] = ()) -> Structure:
    """What the detector of the rules finds in these bars; `strong` names the events that are drawn strongly."""
    events = _events(series, rules)
    return structure_of(events, series, major=rules.detector.major_swing_bars, strong=strong)


def _events(series: CandleSeries, rules: Rules) -> Iterator[Event]:
    scales = (rules.detector.minor_swing_bars, rules.detector.major_swing_bars)
    detector = Detector(detector_parameters(rules.detector, scales=scales, concepts=concept_parameters(rules)))
    for bar in zip(series.opens, series.highs, series.lows, series.closes, series.times, strict=True):
        for event in detector.update(*bar):
            yield Event.from_raw(event)
