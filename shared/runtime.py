"""Composition of stores and rules, once per process. What needs the venue's client is in `shared.venues`: importing
it costs a cold start that most functions need not pay."""

from __future__ import annotations

from functools import cache

from shared.settings import Settings
from shared.storage.control import ControlStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger
from shared.storage.market_data import MarketDataStore
from shared.storage.market_watch import MarketWatchStore
from shared.storage.quality import QualityStore
from trading.rules import Rules, load_rules


@cache
def rules_of(override: str) -> Rules:
    """The rules in force. Cached per override text; a wrong override stops the function at its first line."""
    return load_rules(override)


def rules_for(settings: Settings) -> Rules:
    return rules_of(settings.rules_override)


@cache
def ledger_of(table_name: str) -> Ledger:
    return Ledger(table_name)


@cache
def control_of(table_name: str) -> ControlStore:
    return ControlStore(table_name)


@cache
def decisions_of(table_name: str) -> DecisionStore:
    return DecisionStore(table_name)


@cache
def market_of(table_name: str, bars_kept: int) -> MarketDataStore:
    return MarketDataStore(table_name, bars_kept=bars_kept)


@cache
def quality_of(table_name: str) -> QualityStore:
    return QualityStore(table_name)


@cache
def watch_of(table_name: str) -> MarketWatchStore:
    return MarketWatchStore(table_name)
