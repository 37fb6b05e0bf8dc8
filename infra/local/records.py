"""Reads back from the stores what a run left behind: the same records that the functions themselves live by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.local.template import LocalTemplate
from shared.runtime import decisions_of, ledger_of, market_of, rules_of
from shared.storage.decisions import StageRecord
from trading.model.decisions import Decision
from trading.model.instruments import Universe
from trading.model.positions import Position, Trade
from trading.model.times import Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Everything the system recorded between `start` and `end`. `ended`: positions that are over, filled or not."""

    start: datetime
    end: datetime
    universe: Universe
    bars: tuple[datetime, ...]
    decisions: tuple[Decision, ...]
    stages: tuple[StageRecord, ...]
    trades: tuple[Trade, ...]
    held: tuple[Position, ...]
    ended: tuple[Position, ...]

    @property
    def positions(self) -> tuple[Position, ...]:
        return (*self.ended, *self.held)


def decision_bars(start: datetime, end: datetime) -> tuple[datetime, ...]:
    """Close times of the decision bars that closed within [start, end]."""
    bar = Timeframe.H1.floor(start + Timeframe.H1.length - timedelta(seconds=1))
    found = []
    while bar <= end:
        found.append(bar)
        bar += Timeframe.H1.length
    return tuple(found)


def months(start: datetime, end: datetime) -> tuple[str, ...]:
    """The months that [start, end] touches, as the ledger's archive names them (`2024-05`)."""
    found, month = [], start.replace(day=1)
    while month <= end:
        found.append(month.strftime("%Y-%m"))
        month = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    return tuple(found)


def read_records(template: LocalTemplate, start: datetime, end: datetime) -> Records:
    environment = template.function("maintain_records").environment
    ledger = ledger_of(environment["SMC_LEDGER_TABLE"])
    decisions = decisions_of(environment["SMC_DECISIONS_TABLE"])
    rules = rules_of(environment["SMC_RULES_OVERRIDE"])
    universe = market_of(environment["SMC_MARKET_DATA_TABLE"], rules.data.bars_kept).universe()
    bars, archive = decision_bars(start, end), months(start, end)
    return Records(
        start=start,
        end=end,
        universe=universe.universe if universe else Universe(instruments=()),
        bars=bars,
        decisions=tuple(each for bar in bars for each in decisions.traces(bar)),
        stages=tuple(each for bar in bars for each in decisions.stages(bar)),
        trades=ledger.trades(archive),
        held=ledger.open_positions(),
        ended=ledger.closed_positions(archive),
    )
