"""One run of maintenance: every coin has its trace, gaps in the candles are filled, and what a person should know about
the last hours and the day before is said. Every run, whatever woke it, does all that is due."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from functions.maintain_records.afresh import AfreshFrom
from functions.maintain_records.coverage import Coverer, cover
from functions.maintain_records.day_books import shown_yesterday
from functions.maintain_records.day_watch import DayWatch, watched
from functions.maintain_records.deployment import Deployment, StackEvent, deployed, known_deployment
from functions.maintain_records.gaps import GapFilling, GapReport, fill_gaps
from functions.maintain_records.joining import Members, members
from functions.maintain_records.report import MaintenanceReport
from functions.maintain_records.standstill import StandstillReport, look_for_standstill
from functions.maintain_records.summary import UNREAD, DayStores, DaySummary, is_due, summarise, yesterday_of
from functions.maintain_records.untold import UNTOLD, kept, late, remembered
from shared.alerts import Alerts
from shared.storage.candle_index import LoadedSeries
from shared.storage.control import ControlStore, RunRecord
from shared.storage.day_proofs import DayProofStore
from shared.storage.day_summaries import DaySummaryStore
from shared.storage.decisions import DecisionStore
from shared.storage.ledger import Ledger
from shared.storage.market_data import Coverage, MarketDataStore
from shared.storage.quality import QualityStore
from trading.model.instruments import Universe
from trading.model.times import Timeframe, from_text
from trading.ports import SpotMarket
from trading.rules import Rules

DECISION = Timeframe.H1
BARS_LOOKED_BACK = 24
"""After a longer standstill older holes are left: their traces would say nothing but that the system stood still."""
NO_VERSION = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What maintenance reads and writes. `spot_for(calls)`: the spot market for one run with so many calls."""

    control: ControlStore
    ledger: Ledger
    market_data: MarketDataStore
    quality: QualityStore
    spot_for: Callable[[int], AbstractContextManager[SpotMarket]]
    decisions: DecisionStore
    rules: Rules
    code_version: str
    day_proofs: DayProofStore = field(default_factory=DayProofStore)
    summaries: DaySummaryStore = field(default_factory=DaySummaryStore)


def maintain(records: Records, now: datetime, event: StackEvent | None = None) -> MaintenanceReport:
    """One run. Repeating it is harmless: a decision is never overwritten, and what it finds and tells once is found no
    more. `event`: what CloudFormation said, when that is what woke it."""
    stored = records.market_data.universe()
    universe = stored.universe if stored else Universe(instruments=())
    last = records.control.last_run("maintain_records")
    memory = last.proof if last else {}
    covers_from, due = _covers_from(last, now), _newest_due(records.rules, now)
    bars = _bars_to_check(last, covers_from, due)
    of_universe, candles = members(memory, stored, bars), _candles(records, universe, last, now)
    coverage = cover(_coverer(records, universe, of_universe, candles, now), bars)
    today, before = watched(memory, records.control.risk_day(), now)
    standstill, failures = _standstill(records, now)
    summary, status = _summary(records, covers_from, now, (today, before))
    news, deployment = _deployment(event, memory, records.code_version)
    return MaintenanceReport(
        at=now,
        code_version=records.code_version,
        covers_from=covers_from,
        watermark=max(due, covers_from - DECISION.length),
        members=of_universe,
        coverage=coverage,
        gaps=candles.gaps,
        candles_refused=candles.refused,
        day=shown_yesterday(records.day_proofs, covers_from, now),
        today=today,
        before=before,
        standstill=standstill,
        failures=failures,
        event=news,
        deployment=deployment,
        summary=summary,
        summary_status=status,
        untold=remembered(memory),
    )


def tell(records: Records, report: MaintenanceReport, alerts: Alerts) -> dict[str, Any]:
    """Tell what is to be told, the day before once; returns the proof of the run, with the news that stays untold."""
    untold = [each for each in report.untold if not alerts.tell(late(each, report.at))]
    untold += [each for each in report.news() if not alerts.tell(each)]
    for alert in report.standing():
        alerts.tell(alert)
    summary, status = report.summary, report.summary_status
    # Kept only once it is published: a summary that was lost on its way is told by the next run. Of two runs at the
    # same time the topic's own window lets one through.
    if summary is not None and alerts.tell(summary.alert(report.at)):
        records.summaries.add(summary.day, summary.shown())
        status = "told"
    day_summary = {"day": yesterday_of(report.at).isoformat(), "status": status}
    return report.proof() | {"day_summary": day_summary, UNTOLD: kept(untold)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candles:
    """Every series as it was loaded, what became of its gaps, and which bars are stored of 1h."""

    loaded: LoadedSeries
    gaps: GapReport
    stored: Coverage | None

    @property
    def refused(self) -> tuple[str, ...]:
        """Stored candles that do not decode, one sentence each."""
        noticed = self.stored.refused if self.stored else ()
        return tuple(dict.fromkeys((*self.loaded.refused.values(), *noticed)))


def _candles(records: Records, universe: Universe, last: RunRecord | None, now: datetime) -> _Candles:
    if not universe.instruments:
        return _Candles(loaded=LoadedSeries(series={}, refused={}), gaps=GapReport(), stored=None)
    loaded = records.market_data.load([each.id for each in universe.instruments], Timeframe, now)
    filling = GapFilling(spot_for=records.spot_for, market_data=records.market_data, now=now)
    gaps = fill_gaps(filling, universe, loaded, _known_absent(last))
    return _Candles(loaded=loaded, gaps=gaps, stored=records.market_data.coverage(now, (DECISION,)))


def _known_absent(last: RunRecord | None) -> dict[str, int]:
    """Gaps that an earlier run found the exchange to have as well."""
    known = last.proof.get("gaps_absent") if last else None
    return {str(name): count for name, count in known.items()} if isinstance(known, dict) else {}


def _coverer(records: Records, universe: Universe, of_universe: Members, candles: _Candles, now: datetime) -> Coverer:
    source = AfreshFrom(
        quality=records.quality, ledger=records.ledger, rules=records.rules, code_version=records.code_version
    )
    return Coverer(
        decisions=records.decisions,
        universe=universe,
        members=of_universe,
        afresh=lambda bar: source.at(bar, universe, candles.loaded, now),
        stored=candles.stored,
        rules=records.rules,
        code_version=records.code_version,
    )


def _newest_due(rules: Rules, now: datetime) -> datetime:
    """Close time of the newest bar that scoring can no longer turn into a signal: its trace must be there.

    Any newer bar is still scoring's own: a trace written too early would stand in the place of the real decision.
    """
    return DECISION.floor(now - timedelta(seconds=rules.data.decision_bar_late_after_s))


def _covers_from(last: RunRecord | None, now: datetime) -> datetime:
    """The first bar of the guarantee, kept from run to run. Before our first run there was no system to decide."""
    text = last.proof.get("covers_from") if last else None
    return from_text(text) if isinstance(text, str) else DECISION.floor(now)


def _bars_to_check(last: RunRecord | None, covers_from: datetime, due: datetime) -> tuple[datetime, ...]:
    """From the newest bar checked before (again: records can be lost later) to the newest due one."""
    text = last.proof.get("watermark") if last else None
    start = max(covers_from, from_text(text)) if isinstance(text, str) else covers_from
    start = max(start, due - (BARS_LOOKED_BACK - 1) * DECISION.length)
    return tuple(start + step * DECISION.length for step in range(max(0, (due - start) // DECISION.length + 1)))


def _deployment(
    event: StackEvent | None, memory: dict[str, Any], version: str
) -> tuple[StackEvent | None, Deployment | None]:
    """The event when it is news, and the last deployment that is known with it."""
    known = known_deployment(memory)
    running = str(memory.get("code_version") or NO_VERSION)
    changed = deployed(event, known, running, version) if event else None
    return event if changed else None, changed or known


def _standstill(records: Records, now: datetime) -> tuple[StandstillReport | None, tuple[str, ...]]:
    """A record that cannot be read must not keep the traces from being counted: it is put on record instead."""
    try:
        return look_for_standstill(records.ledger, records.decisions, now), ()
    except UNREAD as error:
        return None, (f"what became of the last signals is unknown: {type(error).__name__}: {error}"[:300],)


def _summary(
    records: Records, since: datetime, now: datetime, watches: tuple[DayWatch | None, DayWatch | None]
) -> tuple[DaySummary | None, str]:
    """The day before, while it was not told yet, and how it stands."""
    day = yesterday_of(now)
    if not is_due(since, now, watches[0]):
        return None, "not due"
    if records.summaries.of(day) is not None:
        return None, "told"
    stores = DayStores(
        ledger=records.ledger,
        decisions=records.decisions,
        summaries=records.summaries,
        rules=records.rules,
        today=watches[0],
        before=watches[1],
    )
    return summarise(stores, day, since), "not told"
