"""Many alerts in one message: each is named with its severity, kind, subject and title."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shared.chat_messages import escaped_length, shorten
from trading.model.alerts import Alert, AlertKind, Severity

TEXT = 2900
"""Characters of all lines as Slack counts them, escapes written out: its sections take 3000, Discord's texts 4000."""
SUBJECT, TITLE = 80, 100
RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


def packs(alerts: Sequence[Alert]) -> tuple[tuple[Alert, ...], ...]:
    """The alerts in their order, cut into parts of which each fits one digest whole."""
    found: list[list[Alert]] = []
    room = 0
    for alert in alerts:
        needed = escaped_length(line_of(alert)) + 1
        if not found or needed > room:
            found.append([])
            room = TEXT
        found[-1].append(alert)
        room -= needed
    return tuple(map(tuple, found))


def digest_of(alerts: Sequence[Alert]) -> Alert:
    """One alert that names all of `alerts`, which are one pack. It is as severe as the worst of them."""
    kinds = Counter(str(each.kind) for each in alerts)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return Alert(
        kind=AlertKind.DIGEST,
        severity=max((each.severity for each in alerts), key=RANKS.__getitem__),
        subject=f"{len(alerts)} alerts",
        title=f"{len(alerts)} alerts at once: {counted}",
        text="\n".join(map(line_of, alerts)),
        at=max(each.at for each in alerts),
    )


def line_of(alert: Alert) -> str:
    """What a digest says of an alert."""
    subject, title = (shorten(" ".join(text.split()), limit) for text, limit in _parts(alert))
    return f"{alert.severity} {alert.kind} {subject}: {title}"


def _parts(alert: Alert) -> tuple[tuple[str, int], tuple[str, int]]:
    return (alert.subject, SUBJECT), (alert.title, TITLE)
