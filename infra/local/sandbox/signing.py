"""Verification of Kraken Futures signatures, exactly as section 3 of the contract describes them.

Authent = base64(HMAC-SHA512(base64decode(secret), SHA256(query + body + nonce + path without /derivatives))).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from infra.local.sandbox.wire import Request
from trading.errors import InvalidInput


class Permission(StrEnum):
    """What a key may do."""

    FULL = "full"
    READ = "read"


class Verdict(StrEnum):
    """Outcome of a check; the values of the refusals are Kraken's error words."""

    FULL = "full"
    READ = "read"
    REFUSED = "authenticationError"
    NONCE_LOW = "nonceBelowThreshold"
    NONCE_USED = "nonceDuplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key pair; the secret is base64 text."""

    key: str
    secret: str
    permission: Permission = Permission.FULL

    def __post_init__(self) -> None:
        try:
            base64.b64decode(self.secret, validate=True)
        except ValueError as error:
            raise InvalidInput(f"secret of key {self.key!r} is not base64, expected base64 text") from error


@dataclass(slots=True)
class KeyRing:
    """The keys the sandbox accepts, and the last nonce each has used."""

    keys: Mapping[str, ApiKey]
    nonces: dict[str, int] = field(default_factory=dict)

    def check(self, request: Request) -> Verdict:
        """Whether the request is signed by a known key, and what that key may do."""
        key = self.keys.get(request.headers.get("apikey", ""))
        given = request.headers.get("authent", "")
        if key is None or not given.isascii() or not hmac.compare_digest(sign(key.secret, request), given):
            return Verdict.REFUSED
        nonce = request.headers.get("nonce", "")
        if nonce:
            return self._check_nonce(key, nonce)
        return Verdict(key.permission.value)

    def _check_nonce(self, key: ApiKey, nonce: str) -> Verdict:
        if not nonce.isdigit():
            return Verdict.REFUSED
        last = self.nonces.get(key.key, -1)
        if int(nonce) <= last:
            return Verdict.NONCE_USED if int(nonce) == last else Verdict.NONCE_LOW
        self.nonces[key.key] = int(nonce)
        return Verdict(key.permission.value)


def sign(secret: str, request: Request) -> str:
    """The `Authent` header that this request must carry."""
    path = request.path.removeprefix("/derivatives")
    nonce = request.headers.get("nonce", "")
    message = request.query.encode() + request.body + nonce.encode() + path.encode()
    digest = hmac.new(base64.b64decode(secret), hashlib.sha256(message).digest(), hashlib.sha512).digest()
    return base64.b64encode(digest).decode()
