from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from functions.forward_alerts.forward import alert_of, forward
from shared.secrets import Webhooks
from shared.storage.codec import to_json
from trading.errors import InvalidInput
from trading.model.alerts import Alert, AlertKind, Severity

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_own_alert_is_read_back_whole() -> None:
    alert = Alert(
        kind=AlertKind.POSITION_OPENED,
        severity=Severity.INFO,
        subject="position-1",
        title="Long opened",
        text="bought",
        at=NOW,
        fields=(("stop", "90"),),
    )
    assert alert_of(to_json(alert), NOW) == alert


@pytest.mark.parametrize(("state", "severity"), [("ALARM", Severity.CRITICAL), ("OK", Severity.INFO)])
def test_cloudwatch_alarm_becomes_a_readable_alert(state: str, severity: Severity) -> None:
    alarm = {
        "AlarmName": "naked-position",
        "NewStateValue": state,
        "NewStateReason": "1 datapoint",
        "AWSAccountId": "1",
    }
    alert = alert_of(json.dumps(alarm), NOW)
    assert (alert.severity, alert.subject, alert.title) == (
        severity,
        "naked-position",
        f"Alarm naked-position: {state}",
    )
    assert "1 datapoint" in alert.text


@pytest.mark.parametrize("text", ["hello", "[1, 2]", '{"kind": "unheard of"}', ""])
def test_any_other_message_is_shown_as_it_is(text: str) -> None:
    alert = alert_of(text, NOW)
    assert (alert.severity, alert.text) == (Severity.WARNING, text)


@pytest.mark.parametrize("event", [{}, {"Records": [{}]}, {"Records": [{"Sns": {"MessageId": "1"}}]}, {"Records": 7}])
def test_event_without_messages_is_refused_in_words(event: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="expected the records of an SNS event"):
        forward(event, Webhooks(slack="", discord=""), None, None, NOW)  # type: ignore[arg-type]
