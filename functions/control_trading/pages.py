"""Answers as HTML, for the buttons of the CloudWatch dashboard. Every text is escaped, nothing is loaded from outside.

The second step is a button that carries the first one's token. It says who asks and why itself, because a pop-up has no
form of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from trading.reporting.buttons import button

DESCRIPTION = {
    "markdown": "The operator's function of the SMC Trader: `status`, `pause`, `resume`, `flatten`, `lock`. "
    "It is called by the buttons of the cockpit and draws no widget of its own."
}
CONFIRMATIONS = {
    "flatten": "Close these positions at the market now?",
    "lock": "Close everything at the market and lock trading?",
    "resume": "Let trading go on?",
}
NOT_SHOWN = frozenset({"ok", "token", "next"})


def page_of(request: Mapping[str, Any], answer: Mapping[str, Any], endpoint: str) -> str:
    """`request`: what was asked, without the widget's context; `endpoint`: the ARN of this function."""
    action = str(request.get("action", ""))
    if not answer.get("ok"):
        changed = answer.get("measured_anew")
        told = f"Only this was changed: {_list(changed)}" if changed else "Nothing was changed."
        return f"<h2>Refused</h2><p>{escape(str(answer.get('error', '')))}</p><p>{told}</p>"
    shown = _list({name: value for name, value in answer.items() if name not in NOT_SHOWN})
    if "token" not in answer:
        return f"<h2>{escape(action)}: done</h2>{shown}{_next(answer)}"
    return (
        f"<h2>{escape(action)}: nothing is done yet</h2>{shown}"
        f"<p>The button works once, until {escape(str(answer['expires_at']))}.</p>"
        f"{button(f'Confirm {action}', {**request, 'token': answer['token']}, endpoint, CONFIRMATIONS[action])}"
    )


def _next(answer: Mapping[str, Any]) -> str:
    return f"<p>{escape(str(answer['next']))}</p>" if "next" in answer else ""


def _list(value: Any) -> str:
    if isinstance(value, Mapping):
        items = (f"<li>{escape(str(name))}: {_list(each)}</li>" for name, each in value.items())
        return f"<ul>{''.join(items)}</ul>"
    if isinstance(value, list | tuple):
        return f"<ul>{''.join(f'<li>{_list(each)}</li>' for each in value)}</ul>" if value else "none"
    return "-" if value is None else escape(str(value))
