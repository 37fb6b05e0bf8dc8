"""Keys and webhook addresses from Secrets Manager. Their values never reach a log, an error or a `repr`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.aws_clients import secrets_client
from trading.errors import InvalidInput

CACHED_SECONDS = 300.0
"""A rotated key is in use everywhere after at most this time."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingKeys:
    """The venue's API key and its private part."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """Where alerts go; an empty address means that the service is not used."""

    slack: str = field(repr=False)
    discord: str = field(repr=False)


class _TradingBody(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    api_key: str
    api_secret: str


class _WebhooksBody(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    slack: str = ""
    discord: str = ""


Body = TypeVar("Body", bound=BaseModel)


class SecretReader:
    """Reads secrets, each at most once in `CACHED_SECONDS`. `elapsed` gives seconds that only ever rise."""

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._values: dict[str, tuple[float, str | None]] = {}
        self._known: dict[str, float] = {}

    def trading_keys(self, secret_id: str) -> TradingKeys:
        """Raises InvalidInput when the secret has no value or not the documented one."""
        body = _parsed(_TradingBody, secret_id, self._value(secret_id))
        if not body.api_key or not body.api_secret:
            raise InvalidInput(f"secret {secret_id} has an empty api_key or api_secret; expected both")
        return TradingKeys(api_key=body.api_key, api_secret=body.api_secret)

    def webhooks(self, secret_id: str) -> Webhooks:
        """A secret without any value means that no service is used. Raises InvalidInput for a wrong one."""
        value = self._value(secret_id)
        if value is None:
            return Webhooks(slack="", discord="")
        body = _parsed(_WebhooksBody, secret_id, value)
        return Webhooks(
            slack=_address("slack", secret_id, body.slack), discord=_address("discord", secret_id, body.discord)
        )

    def has_value(self, secret_id: str) -> bool:
        """Whether the secret has a current value, without reading it. Only a positive answer is remembered."""
        seen = self._known.get(secret_id)
        if seen is not None and self._elapsed() - seen < CACHED_SECONDS:
            return True
        try:
            described = secrets_client().describe_secret(SecretId=secret_id)
        except ClientError as error:
            if _is_missing(error):
                return False
            raise
        present = any("AWSCURRENT" in stages for stages in described.get("VersionIdsToStages", {}).values())
        if present:
            self._known[secret_id] = self._elapsed()
        return present

    def _value(self, secret_id: str) -> str | None:
        read_at, value = self._values.get(secret_id, (0.0, None))
        if value is None or self._elapsed() - read_at >= CACHED_SECONDS:
            value = _fetched(secret_id)
            self._values[secret_id] = (self._elapsed(), value)
        return value


@cache
def secret_reader() -> SecretReader:
    return SecretReader()


def trading_keys(secret_id: str) -> TradingKeys:
    return secret_reader().trading_keys(secret_id)


def webhooks(secret_id: str) -> Webhooks:
    return secret_reader().webhooks(secret_id)


def _fetched(secret_id: str) -> str | None:
    try:
        return secrets_client().get_secret_value(SecretId=secret_id)["SecretString"]
    except ClientError as error:
        if _is_missing(error):
            return None
        raise


def _is_missing(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") == "ResourceNotFoundException"


def _parsed(kind: type[Body], secret_id: str, value: str | None) -> Body:
    names = ", ".join(kind.model_fields)
    if value is None:
        raise InvalidInput(f"secret {secret_id} has no value; expected a JSON object with {names}")
    problem = "no valid JSON object"
    try:
        return kind.model_validate_json(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        # A key of the object may be the secret itself when somebody mixed the two up: only our own names are shown.
        if first["type"] == "missing" or (first["loc"] and first["loc"][0] in kind.model_fields):
            problem = f"{first['loc'][0]}: {first['msg'].lower()}"
        elif first["type"] == "extra_forbidden":
            problem = "a name that is not known here"
    # Raised outside of the handler, so that the parser's error (it quotes the value) is not even its context.
    raise InvalidInput(f"secret {secret_id} holds {problem}; expected a JSON object with {names}")


def _address(service: str, secret_id: str, url: str) -> str:
    if url and not _is_address(url):
        raise InvalidInput(f"the {service} address in secret {secret_id} is no https address; expected one or nothing")
    return url


def _is_address(url: str) -> bool:
    """Plain http is for a receiver on this machine only: the path of a webhook is a credential."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
