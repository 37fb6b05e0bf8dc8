"""Each schedule of the template is stopped in turn on a running local stack: health names it, people are told once a
window, and it ends when the schedule is back. The virtual clock goes minute by minute, or as far as a period needs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.check_health.check import PERIODS
from infra.local.provision import client
from infra.local.runner import Runner
from infra.local.stack import LocalStack, StackParameters
from infra.local.template import Names, rate_of, read_template
from shared import aws_clients, queues, runtime, secrets
from shared.alerts import alerts_of
from shared.clock import SystemClock, install_clock
from shared.storage.tables import DecisionItem, LedgerItem, MarketDataItem
from tests.integration.aws.template_reader import events, resources
from tests.integration.aws.test_template_safety import MONITORING, own_metrics
from tests.integration.local.commands import smc_trader
from trading.model.times import from_text, to_text

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

MINUTE = timedelta(minutes=1)
HEALTH = "check_health"
SCHEDULES = {name: rate_of(body["ScheduleExpression"]) for name, body in events("ScheduleV2")}
NO_SIGNALS = json.dumps({"gates": {"adx_minimum": 90}})
"""An open position would make the loss of a guard worse than degraded; here everything is flat."""

DESCRIBED = read_template(Names(stack="drill", endpoint="http://127.0.0.1:9"), {})


class Drill(Runner):
    """A runner whose steps are as long as it is told, and whose schedules can be switched off."""

    step_length = MINUTE

    @property
    def next_stop(self) -> datetime:
        return self.now + self.step_length

    def go(self, length: timedelta) -> None:
        self.step_length = length
        self.step()

    def stop_schedule(self, name: str) -> None:
        functions = (replace(each, schedules=() if each.name == name else each.schedules) for each in self._whole)
        self.template = replace(self.template, functions=tuple(functions))

    def start_schedules(self) -> None:
        self.template = replace(self.template, functions=self._whole)

    @property
    def _whole(self) -> Any:
        return self.stack.template().functions

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.control({"action": "status"}).response
        return answer

    def posts(self, words: str) -> dict[str, int]:
        """How many messages with these words each chat service got."""
        found = {"slack": 0, "discord": 0}
        for line in self.stack.files.posts.read_text(encoding="utf-8").splitlines():
            post = json.loads(line)
            assert post["fault"] == "", post
            found[post["service"]] += words in post["body"]
        return found

    def metrics(self) -> list[dict[str, Any]]:
        """Every EMF line that the handlers printed so far."""
        lines = self.stack.files.logs.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if '"_aws"' in line]


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    environment, session = dict(os.environ), boto3.DEFAULT_SESSION
    forget()
    parameters = StackParameters(candles=None, seed=7, coins=2, rules_override=NO_SIGNALS)
    state = tmp_path_factory.mktemp("drill") / "state"
    with LocalStack.open(state, parameters) as stack, stack.files.logs.open("a", encoding="utf-8", buffering=1) as log:
        made = Drill(stack, log)
        made.begin()
        yield made
    forget()
    os.environ.clear()
    os.environ.update(environment)
    boto3.DEFAULT_SESSION = session
    install_clock(SystemClock())


def forget() -> None:
    cached = (aws_clients.topics_client, aws_clients.secrets_client, queues.queues_client, secrets.secret_reader)
    stores = (runtime.control_of, runtime.ledger_of, runtime.decisions_of, runtime.market_of, runtime.quality_of)
    for each in (*cached, *stores, alerts_of):
        each.cache_clear()
    for model in (LedgerItem, DecisionItem, MarketDataItem):
        model._connection = None


@pytest.fixture
def well(drill: Drill) -> Iterator[Drill]:
    """Everything runs, and no alert of the drill before mutes one of this."""
    for length in (15 * MINUTE, MINUTE, MINUTE):
        drill.go(length)
    assert drill.status()["reasons"] == []
    yield drill
    drill.start_schedules()


def test_every_schedule_but_our_own_is_watched() -> None:
    assert SCHEDULES == {**PERIODS, HEALTH: MINUTE}
    assert {each.name for each in DESCRIBED.functions if each.schedules} == set(SCHEDULES)


@pytest.mark.parametrize("function", [name for name in SCHEDULES if name != HEALTH])
def test_stopped_schedule_is_named_and_told(well: Drill, function: str) -> None:
    period, words = SCHEDULES[function], f"{function} last ran"
    last = from_text(well.status()["last_runs"][function])
    before = well.posts(words)
    well.stop_schedule(function)
    while well.now + period <= last + 2 * period:
        well.go(period)
        assert well.status()["status"] == "ok"
    well.go(last + 2 * period + MINUTE - well.now)
    answer = well.status()
    assert answer["status"] == "degraded"
    (reason,) = answer["reasons"]
    assert reason.startswith(words)
    first = {name: count + 1 for name, count in before.items()}
    assert well.posts(words) == first
    well.go(MINUTE)
    assert (well.status()["status"], well.posts(words)) == ("degraded", first)
    well.go(9 * MINUTE)
    assert well.posts(words) == {name: count + 2 for name, count in before.items()}
    well.start_schedules()
    well.go(MINUTE)
    assert (well.status()["status"], well.status()["reasons"]) == ("ok", [])


def heartbeats(drill: Drill) -> int:
    return sum(1 for each in drill.metrics() if each.get("service") == HEALTH and "Heartbeat" in each)


def test_silent_health_raises_the_alarm_outside(well: Drill) -> None:
    alarm = resources("AWS::CloudWatch::Alarm", MONITORING)["HeartbeatMissed"]
    assert (alarm["MetricName"], alarm["Dimensions"]) == ("Heartbeat", [{"Name": "service", "Value": HEALTH}])
    assert (alarm["TreatMissingData"], alarm["Period"], alarm["EvaluationPeriods"]) == ("breaching", 60, 3)
    sounding = heartbeats(well)
    well.go(MINUTE)
    assert heartbeats(well) == sounding + 1
    well.stop_schedule(HEALTH)
    for _ in range(6):
        well.go(MINUTE)
    assert heartbeats(well) == sounding + 1
    answer = well.status()
    assert answer["status"] == "down"
    assert answer["reasons"][0].startswith("check_health does not run")
    ring(well, alarm)
    assert well.posts("heartbeat-missed") == {"slack": 1, "discord": 1}
    well.start_schedules()
    well.go(MINUTE)
    assert well.status()["status"] == "ok"


def ring(drill: Drill, alarm: dict[str, Any]) -> None:
    """What CloudWatch publishes to the alarm's topic; moto does not watch metrics."""
    assert alarm["AlarmActions"] == [{"Ref": "AlertsTopicArn"}]
    text = {"AlarmName": "local-heartbeat-missed", "AlarmDescription": alarm["AlarmDescription"]}
    text |= {"NewStateValue": "ALARM", "NewStateReason": "no datapoints", "StateChangeTime": to_text(drill.now)}
    topic = drill.template.names.topic_arn("AlertsTopic")
    client("sns", drill.template.names.endpoint).publish(TopicArn=topic, Message=json.dumps(text))
    drill.deliveries._mark()
    drill.deliveries.drain()


def test_status_command_shows_the_running_stack(well: Drill) -> None:
    where = ("--state-dir", str(well.stack.files.directory))
    screen = smc_trader("status", *where)
    assert screen.returncode == 0, screen.stderr
    assert screen.stdout.startswith(" OK ")
    assert max(map(len, screen.stdout.splitlines())) <= 80
    for words in ("Kill level K0 (normal)", "No open position.", "dead letters 0", "oldest BTC", "manage_exits 0 s"):
        assert words in " ".join(screen.stdout.split()), words
    answer = json.loads(smc_trader("status", *where, "--json").stdout)
    assert (answer["status"], answer["dlq_messages"], answer["secrets"]) == (
        "ok",
        0,
        {"trading": True, "webhooks": True},
    )


@pytest.mark.parametrize(("function", "metric"), sorted(own_metrics()))
def test_watched_metric_came_from_a_real_run(drill: Drill, function: str, metric: str) -> None:
    """Under the namespace and the one dimension that alarms and dashboard read."""
    lines = [each for each in drill.metrics() if each.get("service") == function and metric in each]
    assert lines
    for each in lines:
        (directive,) = each["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == ("SmcTrader", [["service"]])
        assert metric in {named["Name"] for named in directive["Metrics"]}
