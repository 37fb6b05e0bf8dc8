"""The first target of a position that has no order there: no fill can say that it was reached."""

from __future__ import annotations

from trading.execution.targets import target_steps
from trading.exits.case import ExitCase
from trading.model.orders import Purpose
from trading.model.steps import Send


def passed_first_target(case: ExitCase) -> bool:
    """The mark is at the first target for the first time, and no order stands or is due there: the position is too
    small for one, or it was refused for good or taken off. Where one stands, its fill tells."""
    position, quote = case.position, case.fresh_quote
    if position.first_target_at is not None or position.adopted or position.entry_open or quote is None:
        return False
    if (quote.mark - position.levels.target_1) * position.side.sign < 0 or position.resting(Purpose.TARGET_1):
        return False
    due = target_steps(position, case.rules, case.now)
    return not any(isinstance(each, Send) and each.intent.purpose is Purpose.TARGET_1 for each in due)
