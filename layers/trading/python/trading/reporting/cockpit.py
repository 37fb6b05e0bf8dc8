"""The cockpit of the dashboard: health, positions, latest decisions, equity of the closed trades."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trading.model.decisions import Decision, Outcome
from trading.model.positions import Trade
from trading.reporting.tables import STYLE, cards, cell, counted, signed, table, trades_table

TRADES_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Cockpit:
    """`health`: the newest health record (keys of `smc-trader status --json`), None before the first; `decisions`: the
    traces of `decision_bar`, `refused` those of them that cannot be read; `trades` the newest last."""

    now: datetime
    health: Mapping[str, Any] | None
    decision_bar: datetime
    decisions: tuple[Decision, ...]
    trades: tuple[Trade, ...]
    refused: tuple[str, ...] = ()


def render_cockpit(cockpit: Cockpit) -> str:
    """An HTML fragment without scripts, as CloudWatch wants it."""
    outcomes = Counter(decision.outcome for decision in cockpit.decisions)
    in_order = [(outcome.value, outcomes[outcome]) for outcome in Outcome if outcomes[outcome]]
    return (
        f'<style>{STYLE}</style><div class="smc">{_health(cockpit.health)}'
        f"<h2>Positions</h2>{_positions(cockpit.health)}"
        f"<h2>Decisions of the bar closed at {cockpit.decision_bar:%d %b %H:%M} UTC</h2>{counted(in_order)}"
        f"{_refused(cockpit.refused)}{_decisions(cockpit.decisions)}"
        f"<h2>Newest trades</h2>{_trades(cockpit.trades)}"
        f'<p class="soft">drawn at {cockpit.now:%d %b %Y %H:%M:%S} UTC</p></div>'
    )


def _health(health: Mapping[str, Any] | None) -> str:
    if health is None:
        return '<p><span class="state down">down</span> check_health has never run.</p>'
    state = str(health.get("status", "down"))
    kind = state if state in ("ok", "degraded", "down") else "down"
    reasons = "".join(f"<li>{cell(reason)}</li>" for reason in health.get("reasons", ()))
    figures = [(title, _figure(health.get(key))) for title, key in (
        ("kill level", "kill_level"),
        ("equity USD", "equity"),
        ("day loss %", "day_loss_pct"),
        ("naked positions", "naked_positions"),
        ("unknown orders", "unknown_intents"),
        ("candle age s", "newest_candle_age_seconds"),
        ("as of", "at"),
    )]  # fmt: skip
    return f'<p><span class="state {kind}">{cell(state)}</span></p><ul>{reasons}</ul>{cards(figures)}'


def _figure(value: object) -> str:
    return "-" if value is None else str(value)


def _positions(health: Mapping[str, Any] | None) -> str:
    positions = health.get("positions") if health else None
    if positions is None:
        return "<p>Unknown: the store did not answer.</p>"
    if not positions:
        return "<p>None.</p>"
    headings = ("coin", "side", "state", "quantity", "entry", "stop", "mark", "stop distance %", "R")
    keys = ("instrument", "side", "state", "quantity", "entry", "stop", "mark", "stop_distance_pct", "r")
    return table(headings, [[cell(_figure(each.get(key))) for key in keys] for each in positions])


def _decisions(decisions: tuple[Decision, ...]) -> str:
    rows = [(cell(each.instrument), cell(each.outcome), cell(each.sentence)) for each in decisions]
    return table(("coin", "outcome", "why"), rows, kind="text")


def _refused(refused: tuple[str, ...]) -> str:
    return "".join(f'<p><span class="state down">unreadable</span> {cell(each)}</p>' for each in refused)


def _trades(trades: tuple[Trade, ...]) -> str:
    if not trades:
        return "<p>None.</p>"
    total = sum(float(each.net) for each in trades)
    shown = trades_table(trades[-TRADES_SHOWN:][::-1])
    return f"<p>{len(trades)} trades, net {signed(f'{total:+,.2f} USD', total)}</p>{shown}"
