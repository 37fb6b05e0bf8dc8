"""`report.html` of a run: the summary's figures, the trades on their candles, the alerts as people got them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.local.records import Records
from infra.local.runner import Runner
from shared.runtime import market_of, rules_of
from trading.model.candles import CandleSeries
from trading.model.folding import since
from trading.model.positions import Position, Trade
from trading.model.times import Timeframe
from trading.reporting.charts import CandleChart, Level, Marker, candle_chart
from trading.reporting.pages import DemoReport, render_report

CHARTS = 6
BARS_BEFORE, BARS_AFTER = 60, 20


def write_report(runner: Runner, records: Records, summary: Mapping[str, Any], path: Path) -> None:
    report = DemoReport(
        source=summary["source"],
        seed=summary["seed"],
        period=(records.start, records.end),
        coins=tuple(summary["instruments"]),
        funnel=tuple(summary["decisions_by_outcome"].items()) + tuple(summary["stages_by_outcome"].items()),
        trades=records.trades,
        equity_points=tuple(runner.progress.equity_points),
        alerts=alerts_of_posts(runner.stack.files.posts),
        figures=figures(summary),
        charts=tuple(_charts(runner, records)),
        remarks=remarks(summary),
    )
    path.write_text(render_report(report), encoding="utf-8")


def figures(summary: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return (
        ("coins", str(summary["coins"])),
        ("decisions", str(summary["decisions"])),
        ("signals", str(summary["signals"])),
        ("closed trades", str(len(summary["trades"]))),
        ("equity", f"{summary['equity_start']} to {summary['equity_end']} USD"),
        ("alerts", str(summary["alerts_published"])),
        ("longest without stop", f"{summary['seconds_without_stop_max']:g} s"),
        ("violations", str(len(summary["violations"]))),
    )


def remarks(summary: Mapping[str, Any]) -> tuple[str, ...]:
    compression = summary["schedule_compression"]
    return (
        f"While no order and no position was live, time moved in steps of {compression['flat_step_seconds']} s: the "
        f"one-minute schedules fired {compression['minutes_fired']} times and {compression['minutes_skipped']} idle "
        "minutes were skipped.",
        *(f"Violation: {each}" for each in summary["violations"]),
    )


def alerts_of_posts(posts: Path) -> tuple[tuple[str, str, str], ...]:
    """(time, severity, title) of every alert as it arrived at the Discord-shaped receiver."""
    found = []
    for line in posts.read_text(encoding="utf-8").splitlines() if posts.exists() else ():
        post = json.loads(line)
        if post["service"] == "discord" and not post["fault"]:
            embed = json.loads(post["body"])["embeds"][0]
            severity = str(embed["footer"]["text"]).partition(" ")[0]
            found.append((str(embed["timestamp"]), severity, str(embed["title"])))
    return tuple(found)


def _charts(runner: Runner, records: Records) -> list[str]:
    environment = runner.template.function("maintain_records").environment
    rules = rules_of(environment["SMC_RULES_OVERRIDE"])
    market = market_of(environment["SMC_MARKET_DATA_TABLE"], rules.data.bars_kept)
    shown = records.trades[-CHARTS:]
    coins = sorted({trade.instrument for trade in shown})
    series = market.load_series(coins, [Timeframe.M15], runner.now) if coins else {}
    by_id = {each.id: each for each in records.ended}
    return [_chart(trade, by_id[trade.id], series[trade.instrument, Timeframe.M15]) for trade in shown]


def _chart(trade: Trade, position: Position, series: CandleSeries) -> str:
    bar = Timeframe.M15.length
    first, last = trade.opened_at - BARS_BEFORE * bar, trade.closed_at + BARS_AFTER * bar
    window = since(series.until(int(last.timestamp())), int(first.timestamp()))
    title = f"{trade.instrument} {trade.side} {trade.setup}: {trade.r_multiple:+.2f} R, {trade.exit_reason}"
    levels = position.levels
    return candle_chart(
        CandleChart(
            title=title,
            candles=window,
            levels=(
                Level(label="first stop", price=float(levels.stop), side=trade.side.opposite),
                Level(label="target 1", price=float(levels.target_1), side=trade.side),
                Level(label="target 2", price=float(levels.target_2), side=trade.side),
            ),
            markers=(
                Marker(label="entry", side=trade.side, at=trade.opened_at, price=float(trade.entry)),
                Marker(label="exit", side=trade.side.opposite, at=trade.closed_at, price=float(trade.exit)),
            ),
        )
    )
