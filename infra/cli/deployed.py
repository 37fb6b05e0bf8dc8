"""Reaches the deployed system with the AWS credentials of whoever runs the command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.storage.decisions import DecisionStore
from trading.errors import InvalidInput

CONTROL_OUTPUT = "ControlTradingFunctionName"
ONCE = Config(read_timeout=75, retries={"total_max_attempts": 1})
"""Longer than the function may run, and never by itself a second time: a repeated confirmation finds its token spent,
and that refusal would be shown for what the first one has carried out."""


def invoke_deployed(stack: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Invoke the stack's `control_trading`. Raises InvalidInput with one sentence when that is not possible."""
    try:
        name = _output(boto3.client("cloudformation"), stack, CONTROL_OUTPUT)
        answer = boto3.client("lambda", config=ONCE).invoke(FunctionName=name, Payload=json.dumps(payload).encode())
        body = json.loads(answer["Payload"].read())
    except (BotoCoreError, ClientError) as error:
        raise InvalidInput(f"stack {stack} cannot be reached: {error}") from None
    if "FunctionError" in answer or not isinstance(body, dict):
        raise InvalidInput(f"{name} failed: {body.get('errorMessage') if isinstance(body, dict) else body!r}")
    return body


def deployed_decisions(stack: str) -> DecisionStore:
    """The stack's decision traces; infra/aws/tables.yaml names the table after the stack."""
    return DecisionStore(f"{stack}-decisions")


def deployed_rules_override(stack: str) -> str:
    """The rules override the stack was deployed with. Raises InvalidInput with one sentence."""
    try:
        described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise InvalidInput(f"stack {stack} cannot be reached: {error}") from None
    given = {each["ParameterKey"]: each.get("ParameterValue", "") for each in described.get("Parameters", [])}
    return str(given.get("RulesOverride", ""))


def _output(formation: Any, stack: str, name: str) -> str:
    described = formation.describe_stacks(StackName=stack)["Stacks"][0]
    for each in described.get("Outputs", []):
        if each["OutputKey"] == name:
            return str(each["OutputValue"])
    raise InvalidInput(f"stack {stack} has no output {name}; expected a stack of this project's template.yaml")
