"""What a limit is: one pure function that says what it compared, so that a refusal can be read and a pass proven."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from trading.model.risk import LimitCheck, RefusalReason
from trading.risk.case import RiskCase

PERCENT = Decimal(100)
BPS = Decimal(10_000)
Limit = Callable[[RiskCase], LimitCheck | None]
"""None when the rule is switched off, or has nothing to say about this regime."""


def at_most(reason: RefusalReason, value: Decimal | int, bound: Decimal | int) -> LimitCheck:
    return LimitCheck(reason=reason, value=Decimal(value), bound=Decimal(bound), passed=value <= bound)


def at_least(reason: RefusalReason, value: Decimal | int, bound: Decimal | int) -> LimitCheck:
    return LimitCheck(reason=reason, value=Decimal(value), bound=Decimal(bound), passed=value >= bound)


def seconds(span: timedelta) -> Decimal:
    return Decimal(str(span.total_seconds()))
