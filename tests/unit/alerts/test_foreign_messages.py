from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from functions.forward_alerts.notices import alert_of, notices_of
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


@pytest.mark.parametrize("event", [{}, {"Records": [{}]}, {"Records": [{"messageId": "1"}]}, {"Records": 7}])
def test_event_without_messages_is_refused_in_words(event: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match="expected the records of a queue's event"):
        notices_of(event, NOW)


def test_message_put_into_the_queue_by_hand_is_shown() -> None:
    (notice,) = notices_of({"Records": [{"messageId": "m-1", "body": "look here"}]}, NOW)
    assert (notice.record_ids, notice.id, notice.alert.text) == (("m-1",), "m-1", "look here")


def test_message_delivered_twice_is_one_notice() -> None:
    envelope = json.dumps({"MessageId": "t-1", "Message": "hello"})
    other = json.dumps({"MessageId": "t-2", "Message": "hello"})
    bodies = {"m-1": envelope, "m-2": other, "m-3": envelope}
    notices = notices_of({"Records": [{"messageId": name, "body": body} for name, body in bodies.items()]}, NOW)
    assert [(each.id, each.record_ids) for each in notices] == [("t-1", ("m-1", "m-3")), ("t-2", ("m-2",))]
    assert {each.alert.text for each in notices} == {"hello"}
