"""Reads what the cockpit shows. Reads only: the function's role may not write anything."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal

from shared.failures import FAILURES
from shared.runtime import rules_for
from shared.settings import DashboardSettings
from shared.storage.control import ControlStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger
from trading.errors import InvalidRules
from trading.model.times import Timeframe
from trading.reconciliation.adopting import market_name
from trading.reporting.cockpit import Cockpit, render_cockpit
from trading.reporting.tables import cell

DESCRIPTION = (
    "Cockpit of the SMC Trader: the kill level and the buttons that change it, health, open positions with their "
    "stops, decisions with reasons, trades. It needs no parameters; who presses a button needs the right to invoke "
    "`control_trading`."
)


def read_cockpit(control: ControlStore, ledger: Ledger, decisions: DecisionStore, now: datetime) -> Cockpit:
    """Health and positions come from the newest health record, at most a minute old while the system is well."""
    health = control.health()
    bar = Timeframe.H1.floor(now)
    listing = decisions.listing(bar)
    if not listing.decisions and not listing.refused:
        # Just after the full hour the newest bar is not decided yet: the one before says more than an empty table.
        bar -= Timeframe.H1.length
        listing = decisions.listing(bar)
    return Cockpit(
        now=now,
        health=json.loads(health[0]) if health else None,
        decision_bar=bar,
        decisions=listing.decisions,
        refused=listing.refused,
        trades=ledger.trades(_months(now)),
    )


def drawn_cockpit(control: ControlStore, ledger: Ledger, decisions: DecisionStore, now: datetime) -> str:
    """What cannot be read keeps nobody from the buttons."""
    try:
        return render_cockpit(read_cockpit(control, ledger, decisions, now))
    except FAILURES as error:
        return f"<p>The cockpit cannot be drawn: {cell(f'{type(error).__name__}: {error}')}</p>"


def open_coins(ledger: Ledger) -> list[str]:
    """Coins with an open record, each of which can be closed alone; one that cannot be read is among them by name."""
    positions, unreadable = ledger.readable_positions()
    names = (*(each.instrument for each in positions), *(each.partition(":")[0] for each in unreadable))
    return sorted({market_name(each) for each in names})


def loss_limit(settings: DashboardSettings) -> Decimal | None:
    """Percent of the day's peak; None when the rules of this deployment cannot be read: the buttons are drawn all the
    same."""
    try:
        return rules_for(settings).risk.daily_loss_pct
    except InvalidRules:
        return None


def _months(now: datetime) -> tuple[str, ...]:
    """This month and the one before, as the ledger files its trades."""
    first = now.replace(day=1)
    return ((first - timedelta(days=1)).strftime("%Y-%m"), first.strftime("%Y-%m"))
