"""The local stack's reading of template.yaml."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from infra.local.template import TEMPLATE, LocalTemplate, Names, rate_of, read_template
from trading.errors import InvalidInput

NAMES = Names(stack="local", endpoint="http://127.0.0.1:5000")
PARAMETERS = {"SpotUrl": "http://127.0.0.1:6000", "FuturesUrl": "http://127.0.0.1:6000", "Mode": "live"}

TINY = """
Parameters: {Where: {Type: String, Default: here}}
Globals: {Function: {Environment: {Variables: {SMC_A: !Ref Where, SMC_B: global}}}}
Resources:
  Work:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}
  Dead: {Type: AWS::SQS::Queue}
  ScoreFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: functions.score_setups.handler.handler
      Timeout: 5
      MemorySize: 128
      Environment: {Variables: {SMC_B: own, SMC_C: VALUE}}
      Events:
        Every: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(5 minutes)}}
        Work: {Type: SQS, Properties: {Queue: !GetAtt Work.Arn, BatchSize: 4}}
"""


def tiny(tmp_path: Path, value: str = "plain", extra: str = "") -> LocalTemplate:
    path = tmp_path / "template.yaml"
    path.write_text(TINY.replace("VALUE", value) + extra, encoding="utf-8")
    return read_template(NAMES, {}, path)


@pytest.fixture(scope="module")
def real() -> LocalTemplate:
    return read_template(NAMES, PARAMETERS, TEMPLATE)


def test_every_function_folder_is_in_the_template(real: LocalTemplate) -> None:
    folders = {each.parent.name for each in (TEMPLATE.parent / "functions").glob("*/handler.py")}

    assert {each.name for each in real.functions} == folders
    assert len(folders) == 11


def test_schedules_are_those_of_the_architecture(real: LocalTemplate) -> None:
    minute, found = timedelta(minutes=1), {each.name: each.schedules for each in real.functions if each.schedules}

    assert found.pop("discover_markets") == (timedelta(hours=4),)
    assert found.pop("maintain_records") == (timedelta(hours=1),)
    assert set(found.values()) == {(minute,)}
    assert len(found) == 6


def test_addresses_resolve_to_the_local_emulator(real: LocalTemplate) -> None:
    environment = real.function("score_setups").environment

    assert environment["SMC_SIGNALS_QUEUE_URL"] == "http://127.0.0.1:5000/123456789012/local-SignalsQueue"
    assert environment["SMC_ALERTS_TOPIC_ARN"] == "arn:aws:sns:eu-west-1:123456789012:local-AlertsTopic"
    assert environment["SMC_LEDGER_TABLE"] == "local-ledger"
    assert environment["SMC_SPOT_URL" if "SMC_SPOT_URL" in environment else "SMC_FUTURES_URL"] == PARAMETERS["SpotUrl"]


def test_tables_come_from_the_nested_template(real: LocalTemplate) -> None:
    assert {each.name for each in real.tables} == {"local-market-data", "local-decisions", "local-ledger"}
    assert all(each.keys == (("pk", "HASH"), ("sk", "RANGE")) for each in real.tables)


def test_alerts_topic_feeds_the_queue_of_forward_alerts(real: LocalTemplate) -> None:
    [topic] = real.topics
    [source] = real.function("forward_alerts").queues
    [queue] = [each for each in real.queues if each.logical_id == source.queue]

    assert (topic.logical_id, topic.queues) == ("AlertsTopic", ("AlertsQueue",))
    assert (source.queue, queue.dead_letters) == ("AlertsQueue", "AlertsDeadLetterQueue")


def test_own_variables_win_over_global_ones(tmp_path: Path) -> None:
    assert tiny(tmp_path).functions[0].environment == {"SMC_A": "here", "SMC_B": "own", "SMC_C": "plain"}


def test_queue_source_and_redrive_policy_are_read(tmp_path: Path) -> None:
    template = tiny(tmp_path)
    source, work = template.functions[0].queues[0], template.queues[0]

    assert (source.queue, source.batch_size) == ("Work", 4)
    assert (work.dead_letters, work.receives) == ("Dead", 3)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("!Ref Nothing", "!Ref Nothing"),
        ("!GetAtt Work.Colour", "!GetAtt Work.Colour"),
        ("!Select [0, [a]]", "!Select"),
        ("!ImportValue other", "!ImportValue"),
    ],
)
def test_unknown_value_names_variable_and_tag(tmp_path: Path, value: str, named: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        tiny(tmp_path, value)

    assert named in str(caught.value)
    assert "ScoreFunction.Environment.SMC_C" in str(caught.value)


def test_unknown_event_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="event Stream of type DynamoDB"):
        tiny(tmp_path, extra="        Stream: {Type: DynamoDB, Properties: {}}\n")


def test_unknown_parameter_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no parameter Colour"):
        read_template(NAMES, {"Colour": "red"}, TEMPLATE)


def test_cron_schedule_is_refused_in_one_sentence() -> None:
    with pytest.raises(InvalidInput, match="cron"):
        rate_of("cron(0 * * * ? *)")


def test_template_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("Resources: [", encoding="utf-8")

    with pytest.raises(InvalidInput, match="is not YAML") as caught:
        read_template(NAMES, {}, path)
    assert "\n" not in str(caught.value)
