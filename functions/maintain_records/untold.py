"""News that was not published, kept in the run proof until it is: no later run finds it again by itself.

A second message is better than none: what another run of the same minutes told is told again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.storage.codec import from_json, to_json
from trading.errors import CorruptRecord
from trading.model.alerts import Alert, Severity
from trading.model.times import to_text

UNTOLD = "untold"
KEPT = 20
"""While the topic is broken for days the record must not grow: the critical ones and the newest are kept."""


def kept(untold: Iterable[Alert]) -> list[dict[str, Any]]:
    """For the run proof, oldest first."""
    weighed = sorted(untold, key=lambda alert: (alert.severity is Severity.CRITICAL, alert.at))
    return [json.loads(to_json(each)) for each in sorted(weighed[-KEPT:], key=lambda alert: alert.at)]


def remembered(proof: Mapping[str, Any]) -> tuple[Alert, ...]:
    """What `kept` gave; what does not decode is left out."""
    shown = proof.get(UNTOLD)
    found = [_decoded(each) for each in shown] if isinstance(shown, list) else []
    return tuple(alert for alert in found if alert is not None)


def late(alert: Alert, now: datetime) -> Alert:
    """As it is told now: of this time, so that its window counts from now, and with the time it is from."""
    return replace(alert, at=now, text=f"Not told until now, of {to_text(alert.at)}: {alert.text}")


def _decoded(shown: object) -> Alert | None:
    try:
        return from_json(Alert, json.dumps(shown))
    except CorruptRecord:
        return None
