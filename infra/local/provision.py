"""Creates on the emulator what the template describes: tables, queues, topics, secrets. Repeating it is harmless."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3

from infra.local.template import REGION, LocalTemplate

ACCESS_KEY = SECRET_KEY = "local"


def client(service: str, endpoint: str) -> Any:
    """A boto3 client of the emulator, whatever AWS settings the caller's shell has."""
    session: Any = boto3.session.Session(
        aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION
    )
    return session.client(service, endpoint_url=endpoint)


def provision(template: LocalTemplate, secrets: Mapping[str, Mapping[str, str]]) -> None:
    """Create everything. `secrets` by logical id; every secret of the template must be given a value."""
    endpoint = template.names.endpoint
    _create_tables(client("dynamodb", endpoint), template)
    queues = client("sqs", endpoint)
    for queue in sorted(template.queues, key=lambda each: each.dead_letters is not None):
        attributes = {"VisibilityTimeout": str(queue.visibility_seconds)}
        if queue.dead_letters is not None:
            attributes["RedrivePolicy"] = _redrive(template, queue.dead_letters, queue.receives or 1)
        queues.create_queue(QueueName=template.names.name(queue.logical_id), Attributes=attributes)
    _create_topics(client("sns", endpoint), template)
    _fill_secrets(client("secretsmanager", endpoint), template, secrets)


def _create_tables(tables: Any, template: LocalTemplate) -> None:
    existing = set(tables.list_tables()["TableNames"])
    for table in template.tables:
        if table.name not in existing:
            tables.create_table(
                TableName=table.name,
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in table.keys],
                AttributeDefinitions=[
                    {"AttributeName": name, "AttributeType": kind} for name, kind in table.attributes
                ],
                BillingMode="PAY_PER_REQUEST",
            )


def _create_topics(topics: Any, template: LocalTemplate) -> None:
    for topic in template.topics:
        arn = topics.create_topic(Name=template.names.name(topic.logical_id))["TopicArn"]
        for queue in topic.queues:
            topics.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=template.names.queue_arn(queue))


def _redrive(template: LocalTemplate, dead_letters: str, receives: int) -> str:
    return json.dumps({"deadLetterTargetArn": template.names.queue_arn(dead_letters), "maxReceiveCount": receives})


def _fill_secrets(store: Any, template: LocalTemplate, secrets: Mapping[str, Mapping[str, str]]) -> None:
    existing = {each["Name"] for each in store.list_secrets()["SecretList"]}
    for logical_id in template.secrets:
        name, text = template.names.name(logical_id), json.dumps(secrets[logical_id], sort_keys=True)
        if name in existing:
            store.put_secret_value(SecretId=name, SecretString=text)
        else:
            store.create_secret(Name=name, SecretString=text)
