"""Takes secrets out of texts that people are about to read.

Two nets: the values that this process has read as secrets, and what looks like one whatever its origin (the address of
a webhook, a long key). The second one also covers what a process could not know: an alarm's or a stranger's message.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from urllib.parse import quote

from trading.model.alerts import Alert

HIDDEN = "[secret]"
SHORTEST = 8
"""Shorter values are no secrets, and their text may be part of any word."""

# Slack's and Discord's webhook addresses; then keys as Kraken makes them (56 and 88 characters of base64). A hash in
# hexadecimal has no capital letters and stays.
_SHAPES = (
    re.compile(r"https?://hooks\.slack(?:-gov)?\.com/[^\s\"'<>|]+", re.IGNORECASE),
    re.compile(r"https?://(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/[^\s\"'<>|]+", re.IGNORECASE),
    re.compile(r"(?<![\w+/])(?=[a-zA-Z+/]*\d)(?=[a-z\d+/]*[A-Z])(?=[A-Z\d+/]*[a-z])[\w+/]{40,}={0,2}", re.ASCII),
)


def scrubbed(text: str, values: Collection[str]) -> str:
    """`text` without any of `values`, as they are or as part of a URL, and without what has the shape of a secret."""
    for value in sorted({form for each in values for form in _forms(each)}, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    for shape in _SHAPES:
        text = shape.sub(HIDDEN, text)
    return text


def scrubbed_alert(alert: Alert, values: Collection[str]) -> Alert:
    """The alert with every one of its texts scrubbed."""
    return replace(
        alert,
        subject=scrubbed(alert.subject, values),
        title=scrubbed(alert.title, values),
        text=scrubbed(alert.text, values),
        fields=tuple((scrubbed(name, values), scrubbed(value, values)) for name, value in alert.fields),
    )


def _forms(value: str) -> tuple[str, ...]:
    plain = value.strip()
    if len(plain) < SHORTEST:
        return ()
    return (plain, quote(plain, safe=""), plain.rstrip("="))
