"""Whole pages: the report of a demo run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from html import escape

from trading.model.positions import Trade
from trading.reporting.charts import line_chart
from trading.reporting.tables import STYLE, cards, cell, counted, table, trades_table

FEW_TRADES = 30
"""Below this many trades an average says next to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """What a run of the system showed. `charts` are SVG texts of `trading.reporting.charts`; all else is plain text.

    `source`: "recorded" or "generated"; `period`: first and last simulated time; `funnel`: outcomes with counts in the
    order to show; `alerts`: (time, severity, title); `figures`: name and value of the cards on top; `remarks`: what a
    reader should know besides what this page always says.
    """

    source: str
    seed: int
    period: tuple[datetime, datetime]
    coins: tuple[str, ...]
    funnel: tuple[tuple[str, int], ...]
    trades: tuple[Trade, ...]
    equity_points: tuple[tuple[datetime, Decimal], ...]
    alerts: tuple[tuple[str, str, str], ...] = ()
    figures: tuple[tuple[str, str], ...] = ()
    charts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def render_report(report: DemoReport) -> str:
    """A complete HTML document that needs nothing else, not even a network."""
    began, ended = report.period
    span = f"{began:%d %b %Y %H:%M} to {ended:%d %b %Y %H:%M} UTC"
    sections = [
        f"<h1>SMC Trader: demo report</h1><p class='soft'>{cell(report.source)} candles, seed {report.seed}, {span}, "
        f"{len(report.coins)} coins: {cell(', '.join(report.coins))}</p>",
        cards(report.figures),
        _section("Honest remarks", _list(honest_remarks(report))),
        _section("Decisions by outcome", counted(report.funnel)),
        _section("Equity", line_chart("Equity in USD", report.equity_points)),
        _section(f"Closed trades ({len(report.trades)})", _trades(report.trades)),
        *(_section("Charts", "".join(report.charts)) for _ in range(bool(report.charts))),
        _section(f"Alerts ({len(report.alerts)})", _alerts(report.alerts)),
    ]
    return document("SMC Trader: demo report", "".join(sections))


def document(title: str, body: str, *, wide: bool = False) -> str:
    """A page around a body of HTML; a `wide` one is as wide as its window."""
    width = "" if wide else "max-width:1200px;"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}body{{margin:0}}"
        f"main{{{width}margin:auto;padding:24px}}"
        f'</style></head><body><main class="smc">{body}</main></body></html>\n'
    )


def honest_remarks(report: DemoReport) -> tuple[str, ...]:
    """What these numbers do not show. A good result of a demo is no reason to trade."""
    remarks = [
        "This run shows that the system works from candle to closed trade. It is no evidence of future profit.",
        "Fills come from a simulated venue: real queues, outages and slippage can be worse.",
    ]
    if report.source == "generated":
        remarks.append("The market is generated from a seed: it has no more structure than its generator gives it.")
    if len(report.trades) < FEW_TRADES:
        remarks.append(f"{len(report.trades)} trades are far too few to judge a strategy by.")
    if report.trades and (worst := min(each.r_multiple for each in report.trades)) < -1:
        remarks.append(f"The worst trade lost {-worst:.2f} R, more than the planned risk of 1 R.")
    return (*remarks, *report.remarks)


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _list(lines: tuple[str, ...]) -> str:
    return f"<ul>{''.join(f'<li>{cell(line)}</li>' for line in lines)}</ul>"


def _trades(trades: tuple[Trade, ...]) -> str:
    return trades_table(trades) if trades else "<p>No trade was closed.</p>"


def _alerts(alerts: tuple[tuple[str, str, str], ...]) -> str:
    if not alerts:
        return "<p>No alert was sent.</p>"
    return table(("time", "severity", "what"), [tuple(map(cell, each)) for each in alerts], kind="text")
