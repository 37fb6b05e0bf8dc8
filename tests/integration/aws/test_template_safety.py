"""Nothing asynchronous is lost in silence, nobody reads more than they need, and money's records stay."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.aws.template_reader import TOP, events, functions, read_template, resources, setting

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
    subscriptions = dict(events("SNS"))
    assert set(subscriptions) == {"forward_alerts"}
    target = subscriptions["forward_alerts"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert target in resources("AWS::SQS::Queue")


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
