"""Something a person should know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertKind(StrEnum):
    KILL_LEVEL = "kill_level"
    NAKED_POSITION = "naked_position"
    POSITION_OPENED = "position_opened"
    POSITION_CLOSED = "position_closed"
    POSITION_ADJUSTED = "position_adjusted"
    DAILY_LOSS = "daily_loss"
    MARKET_DISORDER = "market_disorder"
    UNIVERSE_CHANGED = "universe_changed"
    UNIVERSE_SHRINK = "universe_shrink"
    STALE_DATA = "stale_data"
    DISCREPANCY = "discrepancy"
    ORDER_FAILED = "order_failed"
    HEALTH = "health"
    COVERAGE = "coverage"
    DIGEST = "digest"
    DEPLOYMENT = "deployment"
    DAILY_SUMMARY = "daily_summary"
    SIGNALS_WITHOUT_ORDERS = "signals_without_orders"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """`subject` names the thing it is about (a position id, a function): one alert per kind, subject and window.

    `fields` are shown as a small table; neither text nor fields ever hold a secret.
    """

    kind: AlertKind
    severity: Severity
    subject: str
    title: str
    text: str
    at: datetime
    fields: tuple[tuple[str, str], ...] = ()
