"""What a fetch says about the candles of each coin: a pass, a flaw, a failure, or nothing yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from functions.ingest_candles.fetch import Catch, Ending, Fetched
from shared.storage.candle_index import Coverage
from trading.model.folding import merged
from trading.model.instruments import InstrumentId
from trading.model.quality import CoinQuality
from trading.model.times import Timeframe
from trading.quality.inspection import inspect
from trading.quality.states import after_failure, after_flaws, after_pass
from trading.rules import QualityRules

LATE_ALLOWED = timedelta(minutes=2)
"""The exchange commits a bar some seconds after its close; later than this it counts as failing to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The close that is being fetched, and when."""

    close: datetime
    now: datetime


def judged(
    catch: Catch, known: Mapping[InstrumentId, CoinQuality], coverage: Coverage, moment: Moment, rules: QualityRules
) -> dict[InstrumentId, CoinQuality]:
    """The quality of every coin of the catch after this run."""
    qualities = {}
    for fetched in catch.fetched:
        before = known.get(fetched.instrument) or CoinQuality.new(moment.now)
        qualities[fetched.instrument] = _after(fetched, before, coverage, moment, rules)
    return qualities


def _after(
    fetched: Fetched, before: CoinQuality, coverage: Coverage, moment: Moment, rules: QualityRules
) -> CoinQuality:
    if fetched.ending is Ending.NOT_TRIED:
        return before
    if fetched.ending is Ending.COMPLETE and Timeframe.M15 not in fetched.bars:
        return before  # Only whether it is new was looked at.
    if fetched.ending is Ending.COMPLETE:
        return _after_bars(fetched, before, coverage, moment, rules)
    if fetched.ending is Ending.LATE and moment.now - moment.close < LATE_ALLOWED:
        return before
    return after_failure(before, fetched.why, moment.now, rules)


def _after_bars(
    fetched: Fetched, before: CoinQuality, coverage: Coverage, moment: Moment, rules: QualityRules
) -> CoinQuality:
    skipped = max(before.absent_until, fetched.skipped)
    tail = coverage.tail((fetched.instrument, Timeframe.M15))
    bars = merged(tail, fetched.seen)
    flaws = inspect(bars, moment.close, rules) if bars and not fetched.skipped else ()
    after = (
        after_flaws(before, flaws, moment.now, rules) if flaws else after_pass(before, moment.now, rules, moment.close)
    )
    return replace(after, absent_until=skipped)
