"""The boto3 clients of this process, made once, with limits that fit a Lambda that must be done in seconds.

boto3 is imported by the first client: most runs tell nobody anything, and PynamoDB speaks to DynamoDB without it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient

# boto3's own defaults wait a minute for one connection: longer than most of our functions may run.
LIMITS = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 3, "mode": "standard"})


@cache
def topics_client() -> SNSClient:
    import boto3

    return boto3.client("sns", config=LIMITS)


@cache
def secrets_client() -> SecretsManagerClient:
    import boto3

    return boto3.client("secretsmanager", config=LIMITS)
