"""Around one request: rules that are there even when the deployed ones are not, proof of the run, HTML for a widget."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.control_trading.desk import ControlDesk
from functions.control_trading.pages import DESCRIPTION, page_of
from functions.control_trading.payloads import asked_by_widget, without_widget
from shared.failures import FAILURES
from shared.observability import Handler
from shared.settings import TradingSettings
from trading.errors import InvalidRules
from trading.rules import Rules, load_rules


def answering_widgets(handler: Handler) -> Callable[[Any, LambdaContext], Any]:
    """CloudWatch shows a text that a function returns as HTML, and asks a function to describe itself."""

    @wraps(handler)
    def answer(event: Any, context: LambdaContext) -> Any:
        if isinstance(event, dict) and event.get("describe") is True:
            return DESCRIPTION
        answered = handler(event, context)
        if not asked_by_widget(event):
            return answered
        return page_of(without_widget(event), answered, context.invoked_function_arn)

    return answer


def rules_in_reach(
    settings: TradingSettings, rules_for: Callable[[TradingSettings], Rules]
) -> tuple[TradingSettings, Rules, str]:
    """The rules of this deployment. Where its override is wrong, the shipped ones and why: that stops every other
    function, and whoever wants to close everything must still be able to."""
    try:
        return settings, rules_for(settings), ""
    except InvalidRules as error:
        return settings.model_copy(update={"rules_override": ""}), load_rules(), str(error)


def told_run(desk: ControlDesk, action: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, with the run recorded. What was done is answered also when that record cannot be written."""
    if desk.rules_problem:
        answer = answer | {"rules_problem": desk.rules_problem}
    try:
        desk.control.record_run("control_trading", desk.now, {"action": action})
    except FAILURES as error:
        return answer | {"run_not_recorded": f"{type(error).__name__}: {error}"}
    return answer
