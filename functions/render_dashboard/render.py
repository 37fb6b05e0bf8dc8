"""Reads what the cockpit shows. Reads only: the function's role may not write anything."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from shared.storage.control import ControlStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger
from trading.model.times import Timeframe
from trading.reporting.cockpit import Cockpit

DESCRIPTION = "Cockpit of the SMC Trader: health, open positions with their stops, decisions with reasons, trades."


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


def _months(now: datetime) -> tuple[str, ...]:
    """This month and the one before, as the ledger files its trades."""
    first = now.replace(day=1)
    return ((first - timedelta(days=1)).strftime("%Y-%m"), first.strftime("%Y-%m"))
