from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.alerts import Alerts
from shared.storage.codec import from_json
from shared.storage.control import ControlStore
from tests.integration.alerts.conftest import Cloud
from trading.model.alerts import Alert, AlertKind, Severity

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WARNING = Alert(
    kind=AlertKind.STALE_DATA, severity=Severity.WARNING, subject="BTC", title="Stale – data", text="no candle", at=NOW
)
CRITICAL = replace(WARNING, kind=AlertKind.NAKED_POSITION, severity=Severity.CRITICAL)


def later(alert: Alert, minutes: float) -> Alert:
    return replace(alert, at=alert.at + timedelta(minutes=minutes))


def test_told_alert_arrives_whole_with_its_attributes(cloud: Cloud) -> None:
    alerts = Alerts(cloud.topic_arn, cloud.control)
    assert alerts.tell(WARNING)
    (envelope,) = cloud.published()
    assert from_json(Alert, envelope["Message"]) == WARNING
    assert envelope["MessageAttributes"]["severity"]["Value"] == "warning"
    assert envelope["MessageAttributes"]["kind"]["Value"] == "stale_data"
    assert envelope["Subject"] == "WARNING: Stale ? data"


def test_same_condition_is_told_once_per_window(cloud: Cloud) -> None:
    alerts = Alerts(cloud.topic_arn, cloud.control)
    told = [alerts.tell(later(WARNING, minutes)) for minutes in (0, 1, 9.9, 10, 15, 20)]
    assert told == [True, False, False, True, False, True]
    assert (alerts.published, alerts.muted, len(cloud.published())) == (3, 3, 3)


def test_critical_alert_is_repeated_after_five_minutes(cloud: Cloud) -> None:
    alerts = Alerts(cloud.topic_arn, cloud.control)
    assert [alerts.tell(later(CRITICAL, minutes)) for minutes in (0, 4.9, 5)] == [True, False, True]


def test_warning_never_mutes_its_critical_sequel(cloud: Cloud) -> None:
    alerts = Alerts(cloud.topic_arn, cloud.control)
    assert alerts.tell(replace(CRITICAL, severity=Severity.WARNING))
    assert alerts.tell(later(CRITICAL, 1))


def test_other_subject_or_kind_is_not_muted(cloud: Cloud) -> None:
    alerts = Alerts(cloud.topic_arn, cloud.control)
    others = (WARNING, replace(WARNING, subject="ETH"), replace(WARNING, kind=AlertKind.COVERAGE))
    assert all(alerts.tell(alert) for alert in others)


def test_alert_is_published_while_store_is_down(cloud: Cloud) -> None:
    alerts = Alerts(cloud.topic_arn, ControlStore("table-that-is-not-there"))
    assert alerts.tell(CRITICAL)
    assert json.loads(cloud.published()[0]["Message"])["subject"] == "BTC"


def test_broken_topic_is_counted_and_never_raised(cloud: Cloud) -> None:
    alerts = Alerts(cloud.topic_arn + "-gone", cloud.control)
    assert not alerts.tell(CRITICAL)
    assert (alerts.published, alerts.failed) == (0, 1)
