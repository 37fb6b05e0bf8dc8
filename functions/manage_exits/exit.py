"""Evaluate every exit rule for every open position, whatever the state of its coin."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial

from functions.manage_exits.explain import explain
from functions.manage_exits.first_target import passed_first_target
from functions.manage_exits.inputs import ExitInputs, read_inputs
from functions.manage_exits.second_guard import look_for_uncovered
from shared.failures import FAILURES
from shared.guard.report import GuardReport
from shared.trading_desk import TradingDesk
from trading.execution.protection import below_minimum, protective_steps
from trading.exits.case import MoveStop
from trading.exits.registry import ExitVerdict, decide_exit
from trading.model.positions import Position, PositionState
from trading.model.units import plain

MANAGED = (PositionState.PROTECTED, PositionState.UNPROTECTED, PositionState.CLOSING)


@dataclass(slots=True)
class ExitReport:
    """Counts by rule: asked, asked without what it looks at, followed. `dust`: positions below the smallest order.
    `guarded`: what the guard did, when this run saw something without a full stop."""

    positions: int = 0
    dust: list[str] = field(default_factory=list)
    evaluated: Counter[str] = field(default_factory=Counter)
    without_input: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    guarded: GuardReport | None = None


def manage_exits(desk: TradingDesk) -> ExitReport:
    """One run over the open positions. A rule whose input is missing says so; all others are evaluated.

    What fires is sent once. It is repeated only in runs in which the venue answers: an outage of hours would fill the
    record with orders that nobody can prove.
    """
    report = ExitReport()
    held = [each for each in desk.ledger.readable_positions()[0] if _to_be_managed(each)]
    if held:
        _manage_all(desk, held, report)
    report.guarded = look_for_uncovered(desk, report.failures)
    report.failures += desk.orders.refused_protection
    return report


def _manage_all(desk: TradingDesk, held: list[Position], report: ExitReport) -> None:
    report.positions = len(held)
    inputs = read_inputs(desk, held, report.failures)
    for position in held:
        try:
            _manage(desk, position, inputs, report)
        except FAILURES as error:
            report.failures.append(f"{position.instrument}: {error}")


def _to_be_managed(position: Position) -> bool:
    """Holds something that our entry has brought: what the owner bought on the same contract is not ours to leave."""
    return position.state in MANAGED and bool(position.quantity and (position.entered or position.adopted))


def _manage(desk: TradingDesk, position: Position, inputs: ExitInputs, report: ExitReport) -> None:
    if below_minimum(position):
        report.dust.append(f"{position.instrument}: {plain(position.quantity)}, below {plain(position.market.minimum)}")
    if position.state is PositionState.CLOSING:
        _repeat(desk, position, inputs)
        return
    case = inputs.case(desk, position)
    if passed_first_target(case):
        position = desk.ledger.save_position(replace(position, first_target_at=desk.now))
        case = replace(case, position=position)
    verdict = decide_exit(case)
    report.evaluated.update(verdict.evaluated)
    report.without_input.update(verdict.without_input)
    if verdict.fired is not None and not (below_minimum(position) and isinstance(verdict.action, MoveStop)):
        report.fired[verdict.fired] += 1
        _follow(desk, position, verdict, inputs, report)
    elif position.state is PositionState.UNPROTECTED and desk.rules.reconciliation.repair_missing_stop:
        # Known to be naked: it does not wait for what else the venue shows, which may not answer.
        _repeat(desk, position, inputs)


def _repeat(desk: TradingDesk, position: Position, inputs: ExitInputs) -> None:
    """Send what is still due, while the venue answers."""
    if inputs.quotes is not None:
        _carry_out(desk, position, inputs)


def _follow(
    desk: TradingDesk, position: Position, verdict: ExitVerdict, inputs: ExitInputs, report: ExitReport
) -> None:
    """Record, send, and then say why: what fails on the way is explained as far as it came."""
    after = desk.ledger.save_position(_changed(position, verdict))
    try:
        after = _carry_out(desk, after, inputs)
    finally:
        explain(desk, position, after, verdict, report.failures)


def _changed(position: Position, verdict: ExitVerdict) -> Position:
    if isinstance(verdict.action, MoveStop):
        return replace(position, stop=verdict.action.to)
    return position.moved(PositionState.CLOSING, close_reason=verdict.fired)


def _carry_out(desk: TradingDesk, position: Position, inputs: ExitInputs) -> Position:
    quote = inputs.quote_of(position)
    decide = partial(protective_steps, mark=quote.mark if quote else None, rules=desk.rules, now=desk.now)
    return desk.orders.carry_out(position, decide)
