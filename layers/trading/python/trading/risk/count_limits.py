"""Limits on how many: open positions, and entries in a minute, a day, a coin."""

from __future__ import annotations

from datetime import timedelta

from trading.model.book import REMEMBERED, PlannedEntry
from trading.model.risk import LimitCheck, RefusalReason
from trading.risk.case import RiskCase
from trading.risk.limits import at_most


def positions(case: RiskCase) -> LimitCheck:
    """Open positions and entries in flight, this one included."""
    return at_most(RefusalReason.POSITIONS, len(case.portfolio.positions) + 1, case.rules.risk.maximum_positions)


def cluster_positions(case: RiskCase) -> LimitCheck:
    """Those of the same regime and setup, this one included."""
    cluster = (case.signal.regime, case.signal.setup)
    same = sum((each.regime, each.setup) == cluster for each in case.portfolio.positions)
    return at_most(RefusalReason.CLUSTER_POSITIONS, same + 1, case.rules.risk.maximum_positions_per_cluster)


def instrument_positions(case: RiskCase) -> LimitCheck:
    """Our records and the venue's own positions on this contract, whichever is more."""
    ours = sum(each.instrument == case.signal.instrument for each in case.portfolio.positions)
    theirs = sum(each.contract == case.market.instrument.contract for each in case.portfolio.venue_positions)
    bound = case.rules.risk.maximum_positions_per_instrument
    return at_most(RefusalReason.INSTRUMENT_POSITIONS, max(ours, theirs) + 1, bound)


def entries_per_minute(case: RiskCase) -> LimitCheck:
    """Planned entries of the last 60 seconds, this one included."""
    count = len(_entries(case, timedelta(minutes=1))) + 1
    return at_most(RefusalReason.ENTRIES_PER_MINUTE, count, case.rules.risk.entries_per_minute)


def entries_per_day(case: RiskCase) -> LimitCheck:
    """Planned entries of the last 24 hours, this one included."""
    return at_most(RefusalReason.ENTRIES_PER_DAY, len(_entries(case, REMEMBERED)) + 1, case.rules.risk.entries_per_day)


def entries_per_coin(case: RiskCase) -> LimitCheck:
    """Planned entries of the last 24 hours in this coin, either side, this one included."""
    same = [each for each in _entries(case, REMEMBERED) if each.instrument == case.signal.instrument]
    return at_most(RefusalReason.ENTRIES_PER_COIN, len(same) + 1, case.rules.risk.entries_per_coin_day)


def repeated_entry(case: RiskCase) -> LimitCheck:
    """Planned entries of this coin and side a short time ago: a repeat, whatever its signal calls itself."""
    lately = _entries(case, timedelta(minutes=case.rules.risk.repeat_minutes))
    same = [each for each in lately if (each.instrument, each.side) == (case.signal.instrument, case.signal.side)]
    return at_most(RefusalReason.REPEATED_ENTRY, len(same), 0)


def _entries(case: RiskCase, span: timedelta) -> tuple[PlannedEntry, ...]:
    return case.portfolio.book.since(case.now - span)
