"""The switch as it is now, and the buttons that change it: each calls `control_trading`, nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from trading.model.control import Control, KillLevel, RiskDay
from trading.reporting.buttons import button
from trading.reporting.tables import cards, cell
from trading.risk.day import lost_share

MEANING = {
    KillLevel.NORMAL: "normal",
    KillLevel.NO_ENTRIES: "no new entries",
    KillLevel.CANCEL_ENTRIES: "entries cancelled",
    KillLevel.FLATTEN: "closing everything",
    KillLevel.LOCK: "locked",
}
FORM = (
    '<form><label>Your name <input name="operator" maxlength="64" size="20"></label> '
    '<label>Reason <input name="reason" maxlength="300" size="50"></label></form>'
)


def render_switch(control: Control, day: RiskDay | None, limit_pct: Decimal | None) -> str:
    """Read when it is drawn, not from the health record, which is as old as its newest run."""
    figures = [
        ("kill level", f"K{control.level.value} {MEANING[control.level]}"),
        ("equity USD", "-" if day is None or day.unreadable else str(day.last_equity)),
        ("loss today", _loss(day, limit_pct)),
    ]
    why = f"{control.reason} (by {control.changed_by}, {control.changed_at:%d %b %Y %H:%M:%S} UTC)"
    halted = "<p>Entries are halted by the day's loss until a person resumes on a later day.</p>"
    return f"{cards(figures)}<p>{cell(why)}</p>{halted if day is not None and day.halted else ''}"


def render_controls(coins: Iterable[str], endpoint: str) -> str:
    """The form for who asks and why, and the buttons. What closes something, and a resume above K1, ask once more."""
    rows = [
        button("Pause (K1)", {"action": "pause", "level": 1}, endpoint, "Stop new entries?"),
        button("Cancel entries (K2)", {"action": "pause", "level": 2}, endpoint, "Stop and cancel all entries?"),
        button("Resume", {"action": "resume"}, endpoint, "Let trading go on? Above K1 you are asked once more."),
        *(_closing(f"Flatten {coin}", coin, endpoint) for coin in coins),
        _closing("Flatten ALL (K3)", "ALL", endpoint),
        button("Lock (K4)", {"action": "lock"}, endpoint, "Show what a lock would close?"),
    ]
    return f"<h2>Control</h2>{FORM}<p>{' '.join(rows)}</p>"


def _closing(title: str, scope: str, endpoint: str) -> str:
    payload: dict[str, Any] = {"action": "flatten", "scope": scope}
    return button(title, payload, endpoint, f"Show what closing {scope} would close?")


def _loss(day: RiskDay | None, limit_pct: Decimal | None) -> str:
    if day is None or day.unreadable:
        return "-"
    lost = max(lost_share(day.peak_equity, day.last_equity), Decimal(0))
    return f"{round(lost, 2)} % of {'-' if limit_pct is None else limit_pct} %"
