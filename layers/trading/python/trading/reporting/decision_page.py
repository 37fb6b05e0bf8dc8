"""The picture of one decision, and the page around it: what was seen, every gate with its limit, score and levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trading.model.candles import CandleSeries
from trading.model.decisions import Decision
from trading.model.instruments import Side
from trading.model.signals import Levels
from trading.reporting.charts import CandleChart, Level, Zone, candle_chart
from trading.reporting.pages import document
from trading.reporting.structure import Structure, within
from trading.reporting.tables import cell, table
from trading.reporting.words import (
    Row,
    gate_rows,
    heading,
    input_rows,
    level_rows,
    origin_rows,
    reading_rows,
    score_rows,
)

WIDE, HIGH = 1400, 720
ROOM = 0.14
"""Share of the bars that are left empty on the right for the planned levels."""
LEGEND = (
    "Green rises, red falls. Dots: swings (full: larger scale). Lines: breaks of structure (BOS) and changes of "
    "character (CHoCH, MSS with displacement), from the swing to the close beyond it. Bands: order blocks (OB), gaps "
    "(FVG, dashed) and what they turn into (BB, MB, IFVG), faint once they are over."
)
SVG_NAMESPACE = ' xmlns="http://www.w3.org/2000/svg"'


def structure_chart(title: str, text: str, candles: CandleSeries, structure: Structure) -> CandleChart:
    """Candles with everything the detector found in them, for a page of its own."""
    shown = within(structure, candles)
    return CandleChart(
        title=title,
        text=text,
        candles=candles,
        zones=shown.zones,
        breaks=shown.breaks,
        swings=shown.swings,
        wide=WIDE,
        high=HIGH,
    )


def decision_chart(decision: Decision, candles: CandleSeries, structure: Structure) -> CandleChart:
    """The bars up to a decision, with its levels in the empty room behind the last of them."""
    shown = within(structure, candles)
    planned = decision.levels
    # The room behind the last bar belongs to the plan: only what the idea stands on reaches into it.
    zones = tuple(
        zone if zone.strong or zone.until else replace(zone, until=decision.decision_bar) for zone in shown.zones
    )
    return CandleChart(
        title=heading(decision),
        text=decision.sentence,
        candles=candles,
        zones=zones + (_reward(decision, planned) if planned else ()),
        levels=_levels(decision, planned) if planned else (),
        breaks=shown.breaks,
        swings=shown.swings,
        room=max(8, round(len(candles) * ROOM)) if planned else 0,
        wide=WIDE,
        high=HIGH,
    )


def _reward(decision: Decision, levels: Levels) -> tuple[Zone, ...]:
    """What may be won and what may be lost, as two bands behind the decision's bar."""
    return tuple(
        Zone(
            label="",
            side=side,
            top=max(float(levels.entry), float(price)),
            bottom=min(float(levels.entry), float(price)),
            since=decision.decision_bar,
        )
        for price, side in ((levels.target_2, Side.LONG), (levels.stop, Side.SHORT))
    )


def _levels(decision: Decision, levels: Levels) -> tuple[Level, ...]:
    named = (
        ("target 2", levels.target_2, Side.LONG),
        ("target 1", levels.target_1, Side.LONG),
        ("entry", levels.entry, None),
        ("stop", levels.stop, Side.SHORT),
    )
    return tuple(
        Level(label=name, price=float(price), side=side, since=decision.decision_bar) for name, price, side in named
    )


def render_decision(decision: Decision, chart: CandleChart, remarks: Sequence[str] = ()) -> str:
    """A complete page that needs nothing else. `remarks`: what a reader should know about this picture."""
    parts = [
        f"<figure>{candle_chart(chart)}<figcaption class='soft'>{cell(LEGEND)}</figcaption></figure>",
        "".join(f"<p>{cell(remark)}</p>" for remark in remarks),
        "<div class='columns'>",
        _block("Gates", table(("gate", "looks at", "value", "limit", ""), _gates(decision), kind="lines")),
        _block("Score", table(("part", "points", "most"), [tuple(map(cell, row)) for row in score_rows(decision)])),
        _block("Levels", _level_table(decision)),
        _block("Seen", _rows(reading_rows(decision))),
        _block("Decided from", _rows([*input_rows(decision), *origin_rows(decision)])),
        "</div>",
    ]
    return document(heading(decision), "".join(parts), wide=True)


def render_structure(chart: CandleChart) -> str:
    """A page of one picture without a decision."""
    figure = f"<figure>{candle_chart(chart)}<figcaption class='soft'>{cell(LEGEND)}</figcaption></figure>"
    return document(chart.title, figure, wide=True)


def _gates(decision: Decision) -> list[tuple[str, ...]]:
    return [
        (*map(cell, row[:4]), f'<span class="{"good" if row[4] == "passed" else "bad"}">{cell(row[4])}</span>')
        for row in gate_rows(decision)
    ]


def _level_table(decision: Decision) -> str:
    if decision.levels is None:
        return ""
    return table(("level", "price", "from the entry"), [tuple(map(cell, row)) for row in level_rows(decision.levels)])


def _rows(rows: Sequence[Row]) -> str:
    return table(("", ""), [tuple(map(cell, row)) for row in rows], kind="lines")


def _block(title: str, body: str) -> str:
    empty = not body or "<tbody></tbody>" in body
    return "" if empty else f"<section><h2>{cell(title)}</h2>{body}</section>"


def svg_file(chart: CandleChart) -> str:
    """The picture as a file of its own, with a ground to stand on in light and in dark surroundings."""
    ground = (
        "<style>:root{color-scheme:light dark;color:#1b2130;background:#fff}"
        "@media(prefers-color-scheme:dark){:root{color:#e4e7ee;background:#12161d}}</style>"
    )
    head, rest = candle_chart(chart).split(">", 1)
    return f"{head.replace('<svg', '<svg' + SVG_NAMESPACE, 1)}>{ground}{rest}\n"
