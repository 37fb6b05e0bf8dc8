"""How a coin loses trust and wins it back, run by run and close by close.

HEALTHY -> DEGRADED after some runs in a row without a bar, or at once for a flaw in the bars.
DEGRADED -> SUSPENDED when no close has passed for hours. SUSPENDED -> DEGRADED when a probe passes.
DEGRADED -> HEALTHY after some passes in a row.
A run that is repeated changes nothing: failures count once a minute, a close passes once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from trading.errors import InvalidInput
from trading.model.quality import CoinQuality, QualityState
from trading.model.times import Timeframe
from trading.rules import QualityRules

MINUTE = timedelta(minutes=1)
"""The schedule of ingest: two runs within one minute are one run delivered twice."""


def after_failure(quality: CoinQuality, reason: str, now: datetime, rules: QualityRules) -> CoinQuality:
    """A run at `now` brought no bar. Fewer failures than degrade a healthy coin do not break a row of passes either:
    a bar that comes a minute late is sound."""
    if not rules.enabled:
        return _trusted(quality, now)
    if quality.failed_at is not None and _minute(now) <= _minute(quality.failed_at):
        return quality
    failing_since = quality.failing_since or now
    failures = quality.failures + 1
    failed = replace(quality, reason=reason, failures=failures, failing_since=failing_since, failed_at=now)
    if failures < rules.degraded_after_failures and quality.state is not QualityState.SUSPENDED:
        return failed
    return _distrusted(replace(failed, passes=0), failing_since, now, rules)


def after_flaws(quality: CoinQuality, flaws: tuple[str, ...], now: datetime, rules: QualityRules) -> CoinQuality:
    """Bars came, but these things are wrong with them. Raises InvalidInput without any flaw."""
    if not flaws:
        raise InvalidInput("no flaw was given; expected at least one")
    if not rules.enabled:
        return _trusted(quality, now)
    failing_since = quality.failing_since or now
    flawed = replace(quality, reason="; ".join(flaws), failures=0, passes=0, failing_since=failing_since)
    return _distrusted(flawed, failing_since, now, rules)


def after_pass(quality: CoinQuality, now: datetime, rules: QualityRules, close: datetime | None = None) -> CoinQuality:
    """The bars up to `close` are in and sound; without it, up to the newest 15m close at `now`. A close that passed
    already, or an older one, changes nothing."""
    close = Timeframe.M15.floor(now) if close is None else close
    if not rules.enabled:
        return _trusted(quality, now)
    if quality.passed_close is not None and close <= quality.passed_close:
        return quality
    passed = replace(quality, failures=0, failing_since=None, passed_close=close)
    if quality.state is QualityState.SUSPENDED:
        return passed.moved(QualityState.DEGRADED, now, passes=1, probe_at=None)
    if quality.state is QualityState.HEALTHY or quality.passes + 1 >= rules.release_after_passes:
        return passed.moved(QualityState.HEALTHY, now, passes=0, reason="")
    return replace(passed, passes=quality.passes + 1)


def is_due(quality: CoinQuality, now: datetime) -> bool:
    """Whether a run at `now` looks at the coin at all."""
    return quality.probe_at is None or now >= quality.probe_at


def is_awaited(quality: CoinQuality) -> bool:
    """Whether a close is held up until this coin's bar is in."""
    return quality.state is QualityState.HEALTHY


def _distrusted(quality: CoinQuality, failing_since: datetime, now: datetime, rules: QualityRules) -> CoinQuality:
    if quality.state is QualityState.HEALTHY:
        return quality.moved(QualityState.DEGRADED, now)
    lasting = now - failing_since >= timedelta(minutes=rules.suspended_after_minutes)
    if quality.state is QualityState.DEGRADED and not lasting:
        return quality
    return quality.moved(QualityState.SUSPENDED, now, probe_at=now + timedelta(minutes=rules.probe_minutes))


def _trusted(quality: CoinQuality, now: datetime) -> CoinQuality:
    """With the rule switched off the life cycle ends, whatever state it was in; facts about the feed are kept."""
    since = quality.since if quality.state is QualityState.HEALTHY else now
    return replace(CoinQuality.new(since), absent_until=quality.absent_until, passed_close=quality.passed_close)


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // int(MINUTE.total_seconds())
