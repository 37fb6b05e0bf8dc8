"""Buttons of a CloudWatch custom widget. Scripts are not allowed there: an element followed by `cwdb-action` calls a
Lambda function with the JSON inside, with the rights of whoever clicks.

The widget's form fields travel with every call (`widgetContext.forms.all`, by name).
Source: CloudWatch user guide, "Interactivity in the custom widget" and "Details about custom widgets".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any


def button(title: str, payload: Mapping[str, Any], endpoint: str, confirmation: str) -> str:
    """`endpoint`: ARN of the function; its answer is shown in a pop-up, after `confirmation` was agreed to."""
    return (
        f'<a class="btn btn-primary">{escape(title)}</a>'
        f'<cwdb-action action="call" display="popup" endpoint="{escape(endpoint)}" '
        f'confirmation="{escape(confirmation)}">{_json(payload)}</cwdb-action>'
    )


def _json(payload: Mapping[str, Any]) -> str:
    """JSON that is the same text whether it is read as HTML or as it stands."""
    text = json.dumps(payload, sort_keys=True)
    for character in "&<>":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
