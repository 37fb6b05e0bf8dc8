"""Nothing asynchronous is lost in silence, nobody reads more than they need, and money's records stay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from functions.forward_alerts.forward import RETURNS_WITHIN
from shared.queues import named_queues
from shared.webhooks import RUN_SECONDS
from tests.integration.aws.template_reader import (
    TOP,
    environment,
    events,
    functions,
    read_template,
    resources,
    setting,
)
from trading.rules import load_rules

PERMISSIONS = "infra/aws/permissions.yaml"
MONITORING = "infra/aws/monitoring.yaml"
TABLES = "infra/aws/tables.yaml"
TRADING_KEY_READERS = {"execute_signals", "manage_exits", "reconcile_positions", "control_trading"}
TRADE_PATH = {"ingest_candles", "score_setups", *TRADING_KEY_READERS}
ALARMS = resources("AWS::CloudWatch::Alarm", MONITORING)


def policies_of(function: str) -> set[str]:
    role = functions()[function]["Role"]["Fn::GetAtt"][1].removeprefix("Outputs.")
    target = read_template(PERMISSIONS)["Outputs"][role]["Value"]["Fn::GetAtt"][0]
    return {item["Ref"] for item in resources("AWS::IAM::Role", PERMISSIONS)[target]["ManagedPolicyArns"]}


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, body in resources("AWS::IAM::ManagedPolicy", PERMISSIONS).items():
        for statement in body["PolicyDocument"]["Statement"]:
            yield name, statement


def policies_with(action: str, resource: str) -> set[str]:
    return {name for name, body in statements() if action in body["Action"] and {"Ref": resource} == body["Resource"]}


def dashboard() -> dict[str, Any]:
    body = resources("AWS::CloudWatch::Dashboard", MONITORING)["Dashboard"]["DashboardBody"]["Fn::Sub"]
    loaded: dict[str, Any] = json.loads(body)
    return loaded


def metrics_of(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "MetricName" in alarm:
        yield alarm
    for query in alarm.get("Metrics", []):
        if "MetricStat" in query:
            yield query["MetricStat"]["Metric"]


def own_metrics() -> set[tuple[str, str]]:
    """(function, metric) of every SmcTrader metric that an alarm or the dashboard shows."""
    alarmed = [each for alarm in ALARMS.values() for each in metrics_of(alarm) if each["Namespace"] == "SmcTrader"]
    found = {(each["Dimensions"][0]["Value"], each["MetricName"]) for each in alarmed}
    shown = [row for widget in dashboard()["widgets"] for row in widget["properties"].get("metrics", [])]
    return found | {(row[3], row[1]) for row in shown if row[0] == "SmcTrader"}


def test_read_queues_give_up_into_dead_letters() -> None:
    queues = resources("AWS::SQS::Queue")
    for function, body in events("SQS"):
        redrive = queues[body["Queue"]["Fn::GetAtt"][0]]["RedrivePolicy"]
        assert redrive["deadLetterTargetArn"]["Fn::GetAtt"][0] in queues, function


def test_every_schedule_has_a_dead_letter_queue() -> None:
    queues = resources("AWS::SQS::Queue")
    for function, body in events("ScheduleV2"):
        assert body["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] in queues, function


def test_alert_subscription_has_a_dead_letter_queue() -> None:
    subscription = resources("AWS::SNS::Subscription")["AlertsQueueSubscription"]
    [read] = [body for function, body in events("SQS") if function == "forward_alerts"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("sqs", read["Queue"])
    target = subscription["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert target in resources("AWS::SQS::Queue")


def test_only_the_topic_may_fill_the_alert_queues() -> None:
    found = resources("AWS::SQS::QueuePolicy")
    policies = [found[name] for name in ("AlertsQueuePolicy", "AlertsDeadLetterQueuePolicy")]
    for [statement] in (each["PolicyDocument"]["Statement"] for each in policies):
        assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
        assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "AlertsTopic"}}}


def test_alert_storm_cannot_take_the_accounts_concurrency() -> None:
    [read] = [body for function, body in events("SQS") if function == "forward_alerts"]
    assert read["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert list(events("SNS")) == []


def test_alert_is_tried_again_for_two_hours() -> None:
    queue = resources("AWS::SQS::Queue")["AlertsQueue"]
    seconds = queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"]
    assert 7200 <= seconds < queue["MessageRetentionPeriod"]


def test_delivery_alarm_stays_on_between_two_tries() -> None:
    alarm, queue = ALARMS["AlertDeliveryFailing"], resources("AWS::SQS::Queue")["AlertsQueue"]
    between_tries = queue["VisibilityTimeout"] + setting("forward_alerts", "Timeout")
    periods = {query["MetricStat"]["Period"] for query in alarm["Metrics"] if "MetricStat" in query}
    assert min(periods) > between_tries
    # A single failed try is in one period only: nobody's business, the next one comes by itself.
    assert (alarm["EvaluationPeriods"], alarm.get("DatapointsToAlarm", 2)) == (2, 2)


def test_undelivered_message_is_known_until_it_is_back() -> None:
    queue = resources("AWS::SQS::Queue")["AlertsQueue"]
    assert 2 * queue["VisibilityTimeout"] <= RETURNS_WITHIN.total_seconds()


def test_full_run_of_alerts_is_not_too_long() -> None:
    ringing = setting("forward_alerts", "Timeout") * ALARMS["RunTooLong"]["Threshold"] / 100
    assert ringing > RUN_SECONDS + 2


def test_every_failed_run_is_kept_for_inspection() -> None:
    for function in functions():
        target = setting(function, "EventInvokeConfig")["DestinationConfig"]["OnFailure"]
        assert target["Destination"]["Fn::GetAtt"][0] in resources("AWS::SQS::Queue"), function


@pytest.mark.parametrize("function", sorted(TRADE_PATH))
def test_trade_path_never_repeats_a_failed_run(function: str) -> None:
    config = setting(function, "EventInvokeConfig")
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)


def test_every_queue_is_encrypted() -> None:
    assert all(queue["SqsManagedSseEnabled"] is True for queue in resources("AWS::SQS::Queue").values())


def test_only_four_functions_read_the_trading_key() -> None:
    readers = policies_with("secretsmanager:GetSecretValue", "TradingSecretArn")
    assert readers
    assert {name for name in functions() if policies_of(name) & readers} == TRADING_KEY_READERS


def test_only_alert_forwarding_reads_the_webhooks() -> None:
    readers = policies_with("secretsmanager:GetSecretValue", "WebhooksSecretArn")
    assert {name for name in functions() if policies_of(name) & readers} == {"forward_alerts"}


def test_no_policy_allows_more_than_named_resources() -> None:
    for name, statement in statements():
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        assert all(action == "kms:GenerateDataKey*" or "*" not in action for action in actions), name
        # X-Ray is the one service here without resource-level permissions.
        assert statement["Resource"] != "*" or all(action.startswith("xray:") for action in actions), name


def test_every_function_has_a_role_of_its_own() -> None:
    roles = [body["Role"]["Fn::GetAtt"][1] for body in functions().values()]
    assert len(set(roles)) == len(roles) == 11


def test_functions_that_read_a_queue_may_consume_it() -> None:
    for function, body in events("SQS"):
        queue = body["Queue"]["Fn::GetAtt"][0]
        assert policies_of(function) & policies_with("sqs:ReceiveMessage", f"{queue}Arn"), function


def test_every_table_outlives_its_stack() -> None:
    tables = {name: body for name, body in read_template(TABLES)["Resources"].items()}
    assert set(tables) == {"MarketData", "Decisions", "Ledger"}
    for name, body in tables.items():
        assert body["DeletionPolicy"] == body["UpdateReplacePolicy"] == "Retain", name
        assert body["Properties"]["DeletionProtectionEnabled"] is True, name
        assert body["Properties"]["TimeToLiveSpecification"]["AttributeName"] == "expires_at", name


def test_ledger_can_be_restored_to_any_second() -> None:
    ledger = resources("AWS::DynamoDB::Table", TABLES)["Ledger"]
    assert ledger["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


def test_silence_of_the_guards_raises_an_alarm() -> None:
    assert ALARMS["HeartbeatMissed"]["TreatMissingData"] == "breaching"
    assert ALARMS["GuardNotRunning"]["TreatMissingData"] == "breaching"


def test_dashboard_shows_every_alarm() -> None:
    [widget] = [each for each in dashboard()["widgets"] if each["type"] == "alarm"]
    assert {re.findall(r"\w+", arn)[0] for arn in widget["properties"]["alarms"]} == set(ALARMS)


@pytest.mark.parametrize(("function", "metric"), sorted(own_metrics()))
def test_every_watched_metric_is_really_emitted(function: str, metric: str) -> None:
    places = [*(TOP / "functions" / function).glob("*.py"), TOP / "shared/observability.py"]
    assert any(f'"{metric}"' in path.read_text() for path in places)


def test_dead_letter_alarm_counts_every_dead_letter_queue() -> None:
    queues = {name for name in resources("AWS::SQS::Queue") if name.endswith("DeadLetterQueue")}
    counted = {each["Dimensions"][0]["Value"]["Ref"] for each in metrics_of(ALARMS["DeadLettersWaiting"])}
    assert counted == {f"{name}Name" for name in queues}


def lambda_metrics(name: str, alarms: tuple[str, ...] = tuple(ALARMS)) -> set[str]:
    """Functions whose AWS/Lambda metric of this name one of the alarms reads."""
    found = [each for alarm in alarms for each in metrics_of(ALARMS[alarm]) if each["Namespace"] == "AWS/Lambda"]
    named = [each["Dimensions"][0]["Value"]["Fn::Sub"] for each in found if each["MetricName"] == name]
    return {each.removeprefix("${StackPrefix}-") for each in named}


@pytest.mark.parametrize("metric", ["Errors", "Throttles", "Duration"])
def test_every_function_is_watched_for_failure_and_slowness(metric: str) -> None:
    assert lambda_metrics(metric) == set(functions())


def test_run_alarms_ring_at_half_the_time_limit() -> None:
    guards = lambda_metrics("Duration", ("GuardSlow",))
    assert {1000 * setting(each, "Timeout") / 2 for each in guards} == {ALARMS["GuardSlow"]["Threshold"]}
    share, *measured = ALARMS["RunTooLong"]["Metrics"]
    divisors = dict(re.findall(r"FILL\((m\d+), 0\) / (\d+)", share["Expression"]))
    assert ALARMS["RunTooLong"]["Threshold"] == 50
    assert len(divisors) == len(measured) == len(functions()) - len(guards)
    for each in measured:
        name = each["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Fn::Sub"].removeprefix("${StackPrefix}-")
        # Milliseconds, in percent of the limit.
        assert int(divisors[each["Id"]]) == 1000 * setting(name, "Timeout") / 100, name


def test_no_alarm_reads_more_metrics_than_cloudwatch_allows() -> None:
    assert max(len(list(metrics_of(alarm))) for alarm in ALARMS.values()) <= 10


def test_day_loss_alarms_ring_where_the_rules_say() -> None:
    share = load_rules().risk.daily_loss_warning_share
    assert (ALARMS["DailyLossNear"]["Threshold"], ALARMS["DailyLossReached"]["Threshold"]) == (100 * share, 100)


def test_alarms_and_dashboard_read_at_most_twelve_own_metrics() -> None:
    assert 0 < len(own_metrics()) <= 12


def test_every_alarm_reaches_people_and_says_when_it_ends() -> None:
    for name, alarm in ALARMS.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlertsTopicArn"}], name


def health_queues(variable: str) -> set[str]:
    """Logical ids of the queues that one of check_health's variables names."""
    return {url.strip("${}") for url in named_queues(environment("check_health")[variable]["Fn::Sub"]).values()}


def test_health_looks_at_every_queue() -> None:
    queues = set(resources("AWS::SQS::Queue"))
    dead = {name for name in queues if name.endswith("DeadLetterQueue")}
    assert health_queues("SMC_DEAD_LETTER_QUEUE_URLS") == dead
    assert health_queues("SMC_QUEUE_URLS") == queues - dead


def test_health_may_count_the_messages_it_looks_at() -> None:
    seen = {resource["Ref"] for name, body in statements() if name == "SeeQueueDepths" for resource in body["Resource"]}
    assert seen == {f"{queue}Arn" for queue in resources("AWS::SQS::Queue")}
    assert "SeeQueueDepths" in policies_of("check_health")
    assert {body["Action"] for name, body in statements() if name == "SeeQueueDepths"} == {"sqs:GetQueueAttributes"}
