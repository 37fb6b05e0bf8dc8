from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pynamodb.exceptions import UpdateError

from shared.alerts import Alerts, alerts_of
from shared.secrets import secret_reader
from shared.storage.codec import from_json
from shared.storage.control import ControlStore
from tests.integration.alerts.conftest import LEDGER, Cloud
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


class Killed(BaseException):
    """The end of a process, which nothing in it can catch."""


class DyingAlerts(Alerts):
    """`dies` is called in the middle of telling, just before or just after the topic has the alert."""

    def __init__(self, cloud: Cloud, before: Callable[[], None], after: Callable[[], None]) -> None:
        super().__init__(cloud.topic_arn, cloud.control)
        self._before, self._after = before, after

    def _publish(self, alert: Alert) -> None:
        self._before()
        super()._publish(alert)
        self._after()


def die() -> None:
    raise Killed


def live() -> None:
    """Goes on."""


def test_run_killed_before_publishing_mutes_no_next_run(cloud: Cloud) -> None:
    with pytest.raises(Killed):
        DyingAlerts(cloud, die, live).tell(CRITICAL)
    assert cloud.published() == []
    assert Alerts(cloud.topic_arn, cloud.control).tell(later(CRITICAL, 1))
    assert not Alerts(cloud.topic_arn, cloud.control).tell(later(CRITICAL, 2))


def test_run_killed_after_publishing_is_told_again(cloud: Cloud) -> None:
    with pytest.raises(Killed):
        DyingAlerts(cloud, live, die).tell(CRITICAL)
    assert not Alerts(cloud.topic_arn, cloud.control).tell(later(CRITICAL, 0.5))
    assert Alerts(cloud.topic_arn, cloud.control).tell(later(CRITICAL, 1))
    assert len(cloud.published()) == 2


def test_failed_publishing_gives_its_window_back(cloud: Cloud) -> None:
    assert not Alerts(cloud.topic_arn + "-gone", cloud.control).tell(CRITICAL)
    assert Alerts(cloud.topic_arn, cloud.control).tell(CRITICAL)
    assert not Alerts(cloud.topic_arn, cloud.control).tell(later(CRITICAL, 4.9))


def test_two_tellers_at_once_publish_once(cloud: Cloud) -> None:
    other, told = Alerts(cloud.topic_arn, cloud.control), []
    # The other one tells while the first has claimed the window and has not published yet, and right after it has.
    first = DyingAlerts(cloud, lambda: told.append(other.tell(CRITICAL)), lambda: told.append(other.tell(CRITICAL)))
    assert first.tell(CRITICAL)
    assert (told, len(cloud.published())) == ([False, False], 1)


def test_one_object_serves_a_whole_process(cloud: Cloud) -> None:
    alerts = alerts_of(cloud.topic_arn, cloud.control)
    assert alerts.tell(CRITICAL)
    assert alerts_of(cloud.topic_arn, cloud.control).published == 1


def test_broken_topic_is_tried_once_a_run(cloud: Cloud) -> None:
    alerts = Alerts(cloud.topic_arn + "-gone", cloud.control)
    assert not any(alerts.tell(replace(WARNING, subject=f"COIN{number}")) for number in range(5))
    assert alerts.failed == 5
    healthy = Alerts(cloud.topic_arn, cloud.control)
    assert all(healthy.tell(replace(WARNING, subject=f"COIN{number}")) for number in range(5))


def test_critical_alert_is_tried_on_a_broken_topic(cloud: Cloud) -> None:
    alerts = Alerts(cloud.topic_arn + "-gone", cloud.control)
    assert not alerts.tell(WARNING)
    alerts._topic_arn = cloud.topic_arn
    assert alerts.tell(CRITICAL)
    assert not alerts.tell(replace(WARNING, subject="ETH"))
    assert alerts.tell(later(WARNING, 1))


class ForgetfulStore(ControlStore):
    """Claims, and then cannot be reached."""

    def tell_once_settle(self, key: str, claimed: datetime, mark: datetime) -> None:
        raise UpdateError(f"{key} could not be reached")


def test_unsettled_claim_ends_with_its_lease(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    alerts = Alerts(cloud.topic_arn, ForgetfulStore(LEDGER))
    assert alerts.tell(CRITICAL)
    assert "ends with its lease" in caplog.text
    assert [alerts.tell(later(CRITICAL, minutes)) for minutes in (0.5, 0.75)] == [False, True]


def test_secret_of_this_process_never_leaves_it(cloud: Cloud) -> None:
    cloud.keep_secret("trading", json.dumps({"api_key": "canary-key-1", "api_secret": "canary-secret-1"}))
    secret_reader().trading_keys("trading")
    leaking = replace(CRITICAL, subject="canary-key-1", text="canary-secret-1", fields=(("a", "is canary-key-1"),))
    assert Alerts(cloud.topic_arn, cloud.control).tell(leaking)
    assert "canary" not in json.dumps(cloud.published())
