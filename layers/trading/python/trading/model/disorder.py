"""Market disorder as remembered between runs: the marks last seen, and where no entry may go out until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from trading.model.units import Price
from trading.model.venue import ContractStress, Quote

EVERYWHERE = "*"
"""Stands for all contracts in a pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSight:
    """What one look at the venue shows: `quotes` of the watched contracts (one per coin), `stress` of those that are
    not calm, both by contract; `majors` are the contracts whose disorder is everybody's."""

    quotes: Mapping[str, Quote]
    stress: Mapping[str, ContractStress]
    majors: frozenset[str]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMarks:
    """The marks of one look, by contract."""

    at: datetime
    marks: Mapping[str, Price]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisorderPause:
    """No entry in `contract` (or EVERYWHERE) before `until`; `why` in words.

    `shaken_at` is when its price came into disorder, None when nothing but a halt or an unreadable report is behind
    the pause: a halted coin says nothing about the others.
    """

    contract: str
    until: datetime
    why: str
    shaken_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketWatch:
    """What the last look at all tickers left behind: `seen` newest first. `unreadable` says why a stored watch does
    not decode; its pauses are then unknown, which is not the same as none."""

    seen: tuple[SeenMarks, ...] = ()
    pauses: tuple[DisorderPause, ...] = ()
    unreadable: str = ""
    version: int = 0

    def pause(self, contract: str, now: datetime) -> DisorderPause | None:
        """The pause that holds for this contract now, the longest of several."""
        holding = [each for each in self.pauses if each.contract in (contract, EVERYWHERE) and each.until > now]
        return max(holding, key=lambda each: each.until, default=None)
