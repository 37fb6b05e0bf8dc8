"""What the local stack reads from `template.yaml`: functions, schedules, queues, topics, tables, secrets.

The template is the only place that says which handler runs when and with which environment; here it is turned into
typed values for one local stack, with names and addresses that exist on its AWS emulator.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from infra.local.cloudformation import Stack
from infra.local.deployments import statuses_of
from trading.errors import InvalidInput

ACCOUNT = "123456789012"
REGION = "eu-west-1"
ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_HANDLER = re.compile(r"functions\.([a-z_]+)\.handler\.handler")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSource:
    """A queue that feeds a function with up to `batch_size` messages at a time."""

    queue: str
    batch_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """One function of the template. `schedules` are the periods of its rate expressions; `on_failure` is the queue that
    takes an asynchronous invocation that failed; `deployments` are the statuses of its own stack that start it."""

    logical_id: str
    name: str
    handler: str
    environment: Mapping[str, str]
    timeout_seconds: int
    memory_megabytes: int
    schedules: tuple[timedelta, ...]
    queues: tuple[QueueSource, ...]
    on_failure: str | None
    deployments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSpec:
    """A queue; after `receives` unsuccessful receives a message goes to the queue `dead_letters`."""

    logical_id: str
    visibility_seconds: int
    dead_letters: str | None = None
    receives: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic and the queues that it feeds, by logical id."""

    logical_id: str
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    name: str
    keys: tuple[tuple[str, str], ...]
    attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Where the local stack's things are: everything on the emulator listening at `endpoint`."""

    stack: str
    endpoint: str

    def name(self, logical_id: str) -> str:
        return f"{self.stack}-{logical_id}"

    def queue_url(self, logical_id: str) -> str:
        return f"{self.endpoint}/{ACCOUNT}/{self.name(logical_id)}"

    def queue_arn(self, logical_id: str) -> str:
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name(logical_id)}"

    def topic_arn(self, logical_id: str) -> str:
        return f"arn:aws:sns:{REGION}:{ACCOUNT}:{self.name(logical_id)}"

    def queue_of_arn(self, arn: str) -> str:
        return arn.rsplit(":", 1)[1].removeprefix(f"{self.stack}-")

    def reference(self, kind: str, logical_id: str) -> str | None:
        if kind == "AWS::SQS::Queue":
            return self.queue_url(logical_id)
        if kind == "AWS::SNS::Topic":
            return self.topic_arn(logical_id)
        if kind in ("AWS::SecretsManager::Secret", "AWS::Serverless::Function", "AWS::Logs::LogGroup"):
            return self.name(logical_id)
        return None

    def attribute(self, kind: str, logical_id: str, attribute: str) -> str | None:
        known = {
            ("AWS::SQS::Queue", "Arn"): self.queue_arn(logical_id),
            ("AWS::SQS::Queue", "QueueName"): self.name(logical_id),
            ("AWS::SQS::Queue", "QueueUrl"): self.queue_url(logical_id),
            ("AWS::SNS::Topic", "TopicArn"): self.topic_arn(logical_id),
            ("AWS::SNS::Topic", "TopicName"): self.name(logical_id),
        }
        return known.get((kind, attribute))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTemplate:
    """The deployed system as the template describes it, in the template's own order."""

    names: Names
    functions: tuple[FunctionSpec, ...]
    queues: tuple[QueueSpec, ...]
    topics: tuple[Topic, ...]
    tables: tuple[TableSpec, ...]
    secrets: tuple[str, ...]

    def function(self, name: str) -> FunctionSpec:
        for each in self.functions:
            if each.name == name:
                return each
        known = [each.name for each in self.functions]
        raise InvalidInput(f"template has no function {name!r}; expected one of {known}")


def read_template(names: Names, parameters: Mapping[str, str], path: Path = TEMPLATE) -> LocalTemplate:
    """Read the template for one local stack. Raises InvalidInput with one sentence for what it cannot resolve."""
    pseudo = {"AWS::StackName": names.stack, "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws"}
    stack = Stack(path=path, parameters=parameters, pseudo=pseudo, reference=names.reference, attribute=names.attribute)
    of_kind = {kind: _of_kind(stack, kind) for kind in ("SQS::Queue", "SNS::Topic", "SecretsManager::Secret")}
    return LocalTemplate(
        names=names,
        functions=tuple(_function(stack, names, each) for each in _of_kind(stack, "Serverless::Function")),
        queues=tuple(_queue(stack, names, each) for each in of_kind["SQS::Queue"]),
        topics=tuple(_topic(stack, names, each) for each in of_kind["SNS::Topic"]),
        tables=_tables(stack),
        secrets=of_kind["SecretsManager::Secret"],
    )


def rate_of(expression: str) -> timedelta:
    """Period of a `rate(...)` expression. Raises InvalidInput for anything else."""
    match = _RATE.fullmatch(expression)
    if match is None:
        raise InvalidInput(f"schedule is {expression!r}; the local stack fires rate(n minutes|hours|days) only")
    return timedelta(**{match[2] + "s": int(match[1])})


def _of_kind(stack: Stack, kind: str) -> tuple[str, ...]:
    return tuple(name for name, each in stack.resources.items() if each["Type"] == f"AWS::{kind}")


def _function(stack: Stack, names: Names, logical_id: str) -> FunctionSpec:
    shared = stack.document.get("Globals", {}).get("Function", {})
    properties = {**shared, **stack.resources[logical_id]["Properties"]}
    handler = str(properties["Handler"])
    match = _HANDLER.fullmatch(handler)
    if match is None:
        raise InvalidInput(f"{logical_id} has the handler {handler!r}; expected functions.<name>.handler.handler")
    events = [(name, each["Type"], each["Properties"]) for name, each in properties.get("Events", {}).items()]
    invoke = properties.get("EventInvokeConfig", {})
    failure = invoke.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    on_failure = None if failure is None else names.queue_of_arn(stack.resolve(failure, f"{logical_id}.OnFailure"))
    for name, kind, _ in events:
        if kind not in ("ScheduleV2", "SQS", "EventBridgeRule"):
            raise InvalidInput(f"{logical_id} has the event {name} of type {kind}, which the local stack cannot fire")
    return FunctionSpec(
        logical_id=logical_id,
        name=match[1],
        handler=handler,
        environment=_environment(stack, logical_id, shared, properties),
        timeout_seconds=int(properties["Timeout"]),
        memory_megabytes=int(properties["MemorySize"]),
        schedules=tuple(rate_of(str(each["ScheduleExpression"])) for _, kind, each in events if kind == "ScheduleV2"),
        queues=tuple(_source(stack, names, logical_id, each) for _, kind, each in events if kind == "SQS"),
        on_failure=on_failure,
        deployments=tuple(
            status
            for name, kind, each in events
            if kind == "EventBridgeRule"
            for status in statuses_of(each["Pattern"], f"{logical_id}.{name}")
        ),
    )


def _environment(stack: Stack, logical_id: str, *levels: Mapping[str, Any]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for level in levels:
        variables = level.get("Environment", {}).get("Variables", {})
        resolved = stack.resolve(variables, f"{logical_id}.Environment")
        merged |= {name: str(value) for name, value in resolved.items()}
    return merged


def _source(stack: Stack, names: Names, logical_id: str, event: Mapping[str, Any]) -> QueueSource:
    arn = str(stack.resolve(event["Queue"], f"{logical_id}.Events"))
    return QueueSource(queue=names.queue_of_arn(arn), batch_size=int(event.get("BatchSize", 10)))


def _topic(stack: Stack, names: Names, logical_id: str) -> Topic:
    found = [stack.resources[each]["Properties"] for each in _of_kind(stack, "SNS::Subscription")]
    read = [stack.resolve(each, f"subscription of {logical_id}") for each in found if each["Protocol"] == "sqs"]
    queues = [str(each["Endpoint"]) for each in read if each["TopicArn"] == names.topic_arn(logical_id)]
    return Topic(logical_id=logical_id, queues=tuple(map(names.queue_of_arn, queues)))


def _queue(stack: Stack, names: Names, logical_id: str) -> QueueSpec:
    properties = stack.resources[logical_id].get("Properties", {})
    visibility = int(properties.get("VisibilityTimeout", 30))
    redrive = properties.get("RedrivePolicy")
    if redrive is None:
        return QueueSpec(logical_id=logical_id, visibility_seconds=visibility)
    arn = str(stack.resolve(redrive["deadLetterTargetArn"], f"{logical_id}.RedrivePolicy"))
    return QueueSpec(
        logical_id=logical_id,
        visibility_seconds=visibility,
        dead_letters=names.queue_of_arn(arn),
        receives=int(redrive["maxReceiveCount"]),
    )


def _tables(stack: Stack) -> tuple[TableSpec, ...]:
    inner = [stack] + [
        stack.nested(name)
        for name in _of_kind(stack, "CloudFormation::Stack")
        if str(stack.resources[name]["Properties"]["TemplateURL"]).endswith("tables.yaml")
    ]
    return tuple(_table(each, name) for each in inner for name in _of_kind(each, "DynamoDB::Table"))


def _table(stack: Stack, logical_id: str) -> TableSpec:
    properties = stack.resolve(stack.resources[logical_id]["Properties"], logical_id)
    return TableSpec(
        name=str(properties["TableName"]),
        keys=tuple((each["AttributeName"], each["KeyType"]) for each in properties["KeySchema"]),
        attributes=tuple((each["AttributeName"], each["AttributeType"]) for each in properties["AttributeDefinitions"]),
    )
