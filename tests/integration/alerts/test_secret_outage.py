"""Secrets Manager goes silent while a process runs: a server on loopback that speaks its protocol, or does not."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from shared import aws_clients
from shared.secrets import CACHED_SECONDS, SecretReader
from tests.fakes.http_service import QuietHandler, serving
from tests.integration.alerts.test_secret_reading import Elapsed, keys_text
from trading.errors import InvalidInput

VERDICTS = ("AccessDeniedException", "DecryptionFailure", "InvalidRequestException")


@dataclass
class Keeper:
    """Answers with `status`: the secret's value, or the error named `code`; 0 hangs up. `asked` counts requests."""

    key: str = "first"
    status: int = 200
    code: str = ""
    asked: int = 0


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keeper]:
    held = Keeper()

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["SecretId"]
            held.asked += 1
            if not held.status:
                self.close_connection = True
                return
            told = {"Name": name, "SecretString": keys_text(held.key)} if held.status == 200 else {"__type": held.code}
            body = json.dumps(told).encode()
            self.send_response(held.status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as url:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
        aws_clients.secrets_client.cache_clear()
        yield held
    aws_clients.secrets_client.cache_clear()


@pytest.fixture
def elapsed() -> Elapsed:
    return Elapsed()


@pytest.fixture
def reader(keeper: Keeper, elapsed: Elapsed) -> SecretReader:
    """It has read the first key, five minutes ago."""
    made = SecretReader(elapsed)
    assert made.trading_keys("trading").api_key == "first"
    elapsed.seconds = CACHED_SECONDS
    return made


@pytest.mark.parametrize(
    ("status", "code"), [(0, ""), (500, "InternalServiceError"), (503, ""), (400, "ThrottlingException")]
)
def test_key_in_memory_is_used_through_silence(
    reader: SecretReader, keeper: Keeper, caplog: pytest.LogCaptureFixture, status: int, code: str
) -> None:
    keeper.status, keeper.code = status, code
    with caplog.at_level(logging.WARNING, logger="shared.secrets"):
        assert reader.trading_keys("trading").api_key == "first"
    assert caplog.text.count("secret trading is used on as it was read last") == 1
    asked = keeper.asked
    assert reader.trading_keys("trading").api_key == "first"
    assert keeper.asked == asked


def test_rotated_key_counts_once_the_silence_ends(reader: SecretReader, keeper: Keeper, elapsed: Elapsed) -> None:
    keeper.status = 500
    assert reader.trading_keys("trading").api_key == "first"
    keeper.status, keeper.key = 200, "second"
    elapsed.seconds = 2 * CACHED_SECONDS
    assert reader.trading_keys("trading").api_key == "second"


@pytest.mark.parametrize("code", VERDICTS)
def test_what_is_said_of_the_secret_counts_at_once(reader: SecretReader, keeper: Keeper, code: str) -> None:
    keeper.status, keeper.code = 400, code
    for _ in range(2):
        with pytest.raises(ClientError, match=code):
            reader.trading_keys("trading")


def test_deleted_key_is_not_used_on(reader: SecretReader, keeper: Keeper, elapsed: Elapsed) -> None:
    keeper.status, keeper.code = 400, "ResourceNotFoundException"
    with pytest.raises(InvalidInput, match="secret trading has no value"):
        reader.trading_keys("trading")
    keeper.status, keeper.code, elapsed.seconds = 500, "InternalServiceError", 2 * CACHED_SECONDS
    with pytest.raises(ClientError):
        reader.trading_keys("trading")


@pytest.mark.parametrize("status", [0, 500])
def test_key_that_was_never_read_is_an_error(keeper: Keeper, status: int) -> None:
    keeper.status = status
    with pytest.raises((BotoCoreError, ClientError)):
        SecretReader().trading_keys("trading")
