"""One cycle's signals under all limits: the best first, each with those before it counted in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from trading.model.book import PlannedEntry
from trading.model.positions import Position
from trading.model.risk import RiskApproved, RiskRefused
from trading.model.signals import Signal
from trading.risk.case import Market, Portfolio
from trading.risk.gate import decide_risk
from trading.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    signal: Signal
    market: Market


def rank(ideas: Sequence[Idea]) -> tuple[Idea, ...]:
    """Best score first; equal scores by id, so that neither a repeat nor the order of arrival changes anything."""
    return tuple(sorted(ideas, key=lambda each: (-each.signal.score, each.signal.id)))


def allocate(
    ideas: Sequence[Idea],
    portfolio: Portfolio,
    rules: Rules,
    now: datetime,
    plan: Callable[[RiskApproved], Position],
) -> tuple[RiskApproved | RiskRefused, ...]:
    """Answers in rank order. `plan` makes the record an approval becomes. Open positions are never closed to make
    room: who comes too late is refused by the limit that is full."""
    answers = []
    for idea in rank(ideas):
        answer = decide_risk(idea.signal, portfolio, idea.market, rules, now)
        answers.append(answer)
        if isinstance(answer, RiskApproved):
            portfolio = counted_in(portfolio, plan(answer))
    return tuple(answers)


def counted_in(portfolio: Portfolio, position: Position) -> Portfolio:
    """The portfolio with this plan open."""
    entry = PlannedEntry(instrument=position.instrument, side=position.side, at=position.planned_at)
    return replace(portfolio, positions=(*portfolio.positions, position), book=portfolio.book.with_entry(entry))
