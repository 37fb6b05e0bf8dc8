"""Keys and webhook addresses from Secrets Manager. Their values never reach a log, an error or a `repr`."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnected
from pydantic import BaseModel, ConfigDict, StrictBool, ValidationError

from shared.aws_clients import secrets_client
from trading.errors import InvalidInput
from trading.model.alerts import Severity

logger = logging.getLogger(__name__)

CACHED_SECONDS = 300.0
"""A rotated key is in use everywhere after at most this time, while Secrets Manager answers."""

THROTTLED = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingKeys:
    """The venue's API key and its private part."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """Where alerts go, by service and, where wanted, by severity; an empty address means "none of its own".

    `info`: False switches alerts of severity INFO off. Nothing here can switch a critical one off: see `address`.
    """

    slack: str = field(repr=False)
    discord: str = field(repr=False)
    slack_critical: str = field(repr=False, default="")
    slack_warning: str = field(repr=False, default="")
    slack_info: str = field(repr=False, default="")
    discord_critical: str = field(repr=False, default="")
    discord_warning: str = field(repr=False, default="")
    discord_info: str = field(repr=False, default="")
    info: bool = True

    def address(self, service: str, severity: Severity) -> str:
        """The severity's own address, else the service's general one; empty when alerts of it do not go there.

        A critical alert goes to every service that has any address.
        """
        if severity is Severity.INFO and not self.info:
            return ""
        wanted = [self._of(service, severity), self._of(service)]
        if severity is Severity.CRITICAL:
            wanted += [self._of(service, Severity.WARNING), self._of(service, Severity.INFO)]
        return next(filter(None, wanted), "")

    def uses(self, service: str) -> bool:
        """Whether the service has an address for anything."""
        return any((self._of(service), *(self._of(service, each) for each in Severity)))

    def _of(self, service: str, severity: Severity | None = None) -> str:
        return str(getattr(self, service if severity is None else f"{service}_{severity}"))


class _TradingBody(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    api_key: str
    api_secret: str


class _WebhooksBody(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    slack: str = ""
    discord: str = ""
    slack_critical: str = ""
    slack_warning: str = ""
    slack_info: str = ""
    discord_critical: str = ""
    discord_warning: str = ""
    discord_info: str = ""
    info: StrictBool = True


Body = TypeVar("Body", bound=BaseModel)


class SecretReader:
    """Reads secrets, each at most once in `CACHED_SECONDS`. `elapsed` gives seconds that only ever rise.

    While Secrets Manager does not answer at all, what was read last is used on, and asked for again after that time:
    a position must not go without its guard for a key that is in memory. A key that was taken back is refused by the
    venue; every answer that says so here (gone, not allowed, not decrypted) counts at once.
    """

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._values: dict[str, tuple[float, str | None]] = {}
        self._known: dict[str, float] = {}
        self._seen: frozenset[str] = frozenset()

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
        addresses = body.model_dump(exclude={"info"})
        return Webhooks(info=body.info, **{name: _address(name, secret_id, url) for name, url in addresses.items()})

    def values(self) -> frozenset[str]:
        """Every text inside of a secret that this process has read, and the parts of an address that are secret."""
        return self._seen

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
            value = self._asked_again(secret_id, value)
            self._seen |= _texts_of(value)
            self._values[secret_id] = (self._elapsed(), value)
        return value

    def _asked_again(self, secret_id: str, last: str | None) -> str | None:
        try:
            return _fetched(secret_id)
        except (BotoCoreError, ClientError) as error:
            if last is None or not _is_silence(error):
                raise
            logger.warning("secret %s is used on as it was read last: %s", secret_id, error)
            return last


@cache
def secret_reader() -> SecretReader:
    return SecretReader()


def trading_keys(secret_id: str) -> TradingKeys:
    return secret_reader().trading_keys(secret_id)


def webhooks(secret_id: str) -> Webhooks:
    return secret_reader().webhooks(secret_id)


def _texts_of(value: str | None) -> frozenset[str]:
    """A text that is no JSON object is one as a whole."""
    if not value:
        return frozenset()
    try:
        document = json.loads(value)
    except ValueError:
        document = value
    found = document.values() if isinstance(document, dict) else (value,)
    texts = {each for each in found if isinstance(each, str) and each}
    return frozenset(texts | {part for each in texts for part in _secret_parts(each)})


def _secret_parts(text: str) -> tuple[str, ...]:
    """Of the address of a webhook: its path, and the token that ends it."""
    if not _is_address(text):
        return ()
    path = urlsplit(text).path
    return tuple(each for each in (path, path.rstrip("/").rpartition("/")[2]) if len(each) > 1)


def _fetched(secret_id: str) -> str | None:
    try:
        return secrets_client().get_secret_value(SecretId=secret_id)["SecretString"]
    except ClientError as error:
        if _is_missing(error):
            return None
        raise


def _is_silence(error: BotoCoreError | ClientError) -> bool:
    """No answer, one of a broken service, or "not now": nothing that was said about the secret."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error.response.get("Error", {}).get("Code") in THROTTLED
    return isinstance(error, NotConnected | HTTPClientError)


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
