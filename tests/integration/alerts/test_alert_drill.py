"""Alert drill: a storm of 500 alerts in a minute, on its whole way, to services that are in all kinds of trouble."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import boto3
import pytest

from shared.alerts import Alerts
from shared.clock import SystemClock, install_clock
from shared.secrets import secret_reader
from tests.integration.alerts.alert_path import START, AlertPath, Timeline
from tests.integration.alerts.chat_services import ChatServices, serving
from tests.integration.alerts.conftest import LEDGER, REGION, Cloud
from trading.model.alerts import Alert, AlertKind, Severity

STORM, MINUTE = 500, 60.0
WEBHOOK_TOKEN = "canaryWEBHOOKtoken0123456789"
API_KEY = "canaryAPIkey/0123456789+abcdefghijklmnopqrstuvwxyzABCDEF"
API_SECRET = "canarySECRETvalue/0123456789+" + "aB3" * 19 + "=="
ADDRESSES = {name: f"/{name.split('_')[0]}/{WEBHOOK_TOKEN}-{name}" for name in ("slack", "discord", "slack_critical")}
PHASES = ((60.0, "failing"), (150.0, "slow"), (330.0, "busy"), (930.0, "down"))
"""Ten minutes down, each service alike; then well."""


def phase_at(seconds: float) -> str:
    return next((name for end, name in PHASES if seconds < end), "well")


@dataclass
class Stage:
    cloud: Cloud
    services: ChatServices
    path: AlertPath
    timeline: Timeline
    alerts: Alerts
    told: list[Alert] = field(default_factory=list)

    def tell(self, alert: Alert) -> None:
        if self.alerts.tell(alert):
            self.told.append(alert)


@pytest.fixture
def stage(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    timeline = Timeline()
    monkeypatch.setenv("SMC_LEDGER_TABLE", LEDGER)
    monkeypatch.setenv("SMC_WEBHOOKS_SECRET_ID", "hooks")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    install_clock(timeline, timeline.wait)
    with serving(ChatServices(elapsed=timeline.elapsed)) as services:
        cloud.keep_secret("hooks", json.dumps({name: services.url + path for name, path in ADDRESSES.items()}))
        path = AlertPath(topic_arn=cloud.topic_arn, timeline=timeline).connect(monkeypatch)
        yield Stage(cloud, services, path, timeline, Alerts(cloud.topic_arn, cloud.control))
    install_clock(SystemClock())
    for url in (path.queue_url, path.dead_url):
        boto3.client("sqs", region_name=REGION).delete_queue(QueueUrl=url)


def storm(chance: random.Random, secrets: tuple[str, ...]) -> list[Alert]:
    """In the order of their times; about two thirds repeat a condition that was told before."""
    kinds = [each for each in AlertKind if each is not AlertKind.DIGEST]
    conditions = []
    for number in range(170):
        severity = chance.choices(list(Severity), (5, 4, 1))[0]
        kind, text = chance.choice(kinds), f"number {number} {'long ' * chance.choice((1, 1, 9, 2000))}"
        conditions.append((kind, severity, f"subject-{number:03d}", text))
    found = []
    for number in range(STORM):
        kind, severity, subject, text = conditions[number] if number < 170 else chance.choice(conditions)
        secret = chance.choice(secrets)
        leaked = RuntimeError(f"the request to {secret} failed")
        found.append(
            Alert(
                kind=kind,
                severity=severity,
                subject=subject,
                title=f"{kind} & <{subject}> {secret}" if number % 7 == 0 else f"{kind} of {subject}",
                text=f"{text} {leaked!r}",
                at=START,
                fields=tuple((f"field {each}", f"{secret} {each}") for each in range(chance.choice((0, 3, 40)))),
            )
        )
    chance.shuffle(found)
    return [replace(each, at=START + timedelta(seconds=i * MINUTE / STORM)) for i, each in enumerate(found)]


def run_storm(stage: Stage, alerts: list[Alert]) -> None:
    """Alerts are told when their time has come, whatever the function is busy with."""
    waiting = list(alerts)
    while waiting:
        due = [each for each in waiting if each.at <= stage.timeline.now()]
        waiting = waiting[len(due) :]
        for alert in due:
            stage.tell(alert)
        if not stage.path.run_once() and waiting:
            stage.timeline.move_to((waiting[0].at - START).total_seconds())


def mentions(stage: Stage, service: str, alert: Alert) -> int:
    return sum(f"{alert.subject}" in text for text in stage.services.texts(service))


def read_keys(stage: Stage) -> tuple[str, ...]:
    """Of the keys, as a function that trades has them in its process, and of the addresses."""
    stage.cloud.keep_secret("trading", json.dumps({"api_key": API_KEY, "api_secret": API_SECRET}))
    secret_reader().trading_keys("trading")
    secret_reader().webhooks("hooks")
    path = ADDRESSES["slack"]
    foreign = f"https://hooks.slack.com/services/T0/B0/{WEBHOOK_TOKEN}"
    return (API_KEY, API_SECRET, stage.services.url + path, path.rpartition("/")[2], foreign)


def told_again(stage: Stage) -> list[Alert]:
    """The critical conditions still stand when their window is over."""
    critical = [each for each in stage.told if each.severity is Severity.CRITICAL]
    again = [replace(each, at=each.at + timedelta(minutes=6)) for each in critical]
    for alert in again:
        stage.tell(alert)
    return critical


def test_storm_reaches_people_whole_and_bounded(
    stage: Stage, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    secrets = read_keys(stage)
    stage.services.phase = phase_at
    alerts = storm(random.Random(7), secrets)
    run_storm(stage, alerts)
    distinct = {(each.kind, each.severity, each.subject) for each in alerts}
    assert len(stage.told) == len(distinct)
    stage.path.run_until_empty(360.0)
    critical = told_again(stage)
    stage.path.run_until_empty(7200.0)
    printed = capsys.readouterr().out + caplog.text

    for service in ("slack", "discord"):
        assert {each.subject: mentions(stage, service, each) for each in critical} == {
            each.subject: 2 for each in critical
        }
        others = {each.subject: each for each in alerts if each.severity is not Severity.CRITICAL}
        assert [each for each in others if mentions(stage, service, others[each]) != 1] == []
    assert stage.services.faults == []
    everything = "\n".join([*stage.services.bodies, *stage.path.seen, printed])
    assert [each for each in (WEBHOOK_TOKEN, API_KEY, API_SECRET, "canary") if each in everything] == []
    assert stage.path.dead() == []
    assert {name.split()[0] for name in stage.services.answers} == {"failing", "slow", "busy", "down", "well"}
    with capsys.disabled():
        show(stage, alerts, critical)


def show(stage: Stage, alerts: list[Alert], critical: list[Alert]) -> None:
    posts = Counter(service for service, _ in stage.services.posts)
    digests = sum("alerts at once" in text for name in posts for text in stage.services.texts(name))
    print(
        f"\nalert drill: {len(alerts)} told in a minute, {len(stage.told)} published ({len(critical)} of them again), "
        f"{stage.alerts.muted} muted, {dict(posts)} messages of which {digests} digests, {stage.path.runs} runs, "
        f"{stage.timeline.elapsed() / 60:.0f} simulated minutes; answers {dict(sorted(stage.services.answers.items()))}"
    )


def test_alert_of_an_outage_arrives_once_after_it(stage: Stage) -> None:
    stage.services.phase = lambda seconds: "down" if seconds < 600 else "well"
    alert = storm(random.Random(1), ("x",))[0]
    stage.tell(alert)
    stage.path.run_until_empty(599.0)
    assert stage.services.posts == []
    stage.path.run_until_empty(7200.0)
    assert (mentions(stage, "slack", alert), mentions(stage, "discord", alert)) == (1, 1)
    assert stage.timeline.elapsed() < 900
    assert stage.path.dead() == []


def test_message_that_nobody_takes_ends_in_dead_letters(stage: Stage) -> None:
    stage.services.phase = lambda _: "failing"
    stage.tell(storm(random.Random(1), ("x",))[0])
    stage.path.run_until_empty(4 * 3600.0)
    assert len(stage.path.dead()) == 1
    assert stage.path.runs == 40
    assert not stage.path.run_once()
