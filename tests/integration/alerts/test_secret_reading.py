from __future__ import annotations

import json

import boto3
import pytest

from shared.secrets import SecretReader, TradingKeys, Webhooks
from tests.integration.alerts.conftest import REGION, Cloud
from trading.errors import InvalidInput

CANARY = "canary-3f9a"


class Elapsed:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def rotate(name: str, text: str) -> None:
    boto3.client("secretsmanager", region_name=REGION).put_secret_value(SecretId=name, SecretString=text)


def keys_text(key: str) -> str:
    return json.dumps({"api_key": key, "api_secret": "s"})


def test_rotated_key_is_used_within_five_minutes(cloud: Cloud) -> None:
    elapsed = Elapsed()
    reader = SecretReader(elapsed)
    cloud.keep_secret("trading", keys_text("old"))
    assert reader.trading_keys("trading").api_key == "old"
    rotate("trading", keys_text("new"))
    elapsed.seconds = 299
    assert reader.trading_keys("trading").api_key == "old"
    elapsed.seconds = 300
    assert reader.trading_keys("trading").api_key == "new"


def test_keys_never_show_in_their_text(cloud: Cloud) -> None:
    keys = TradingKeys(api_key=CANARY, api_secret=CANARY)
    hooks = Webhooks(slack=CANARY, discord=CANARY)
    assert CANARY not in f"{keys} {keys!r} {hooks} {hooks!r}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{CANARY} is no JSON", "no valid JSON object"),
        (f'["{CANARY}"]', "no valid JSON object"),
        (json.dumps({CANARY: "x", "api_key": "k", "api_secret": "s"}), "a name that is not known here"),
        (json.dumps({"api_secret": CANARY}), "api_key: field required"),
        (json.dumps({"api_key": CANARY, "api_secret": 7}), "api_secret: input should be a valid string"),
        (json.dumps({"api_key": CANARY, "api_secret": ""}), "an empty api_key or api_secret"),
    ],
)
def test_wrong_secret_is_named_without_its_value(cloud: Cloud, text: str, problem: str) -> None:
    cloud.keep_secret("trading", text)
    with pytest.raises(InvalidInput) as caught:
        SecretReader().trading_keys("trading")
    assert problem in str(caught.value)
    assert CANARY not in repr(caught.value)
    assert caught.value.__context__ is None


def test_missing_trading_secret_is_an_error_in_words(cloud: Cloud) -> None:
    with pytest.raises(InvalidInput, match="secret nowhere has no value; expected a JSON object with api_key"):
        SecretReader().trading_keys("nowhere")


def test_unfilled_webhooks_mean_no_service(cloud: Cloud) -> None:
    assert SecretReader().webhooks("nowhere") == Webhooks(slack="", discord="")
    cloud.keep_secret("half", json.dumps({"slack": "https://hooks.slack.com/x"}))
    assert SecretReader().webhooks("half") == Webhooks(slack="https://hooks.slack.com/x", discord="")


@pytest.mark.parametrize(
    "url", [f"http://example.com/{CANARY}", f"{CANARY}", "https://", f"https://[{CANARY}", "ftp://x/y"]
)
def test_webhook_without_encryption_is_refused_unseen(cloud: Cloud, url: str) -> None:
    cloud.keep_secret("hooks", json.dumps({"discord": url}))
    with pytest.raises(InvalidInput, match="the discord address in secret hooks is no https address") as caught:
        SecretReader().webhooks("hooks")
    assert CANARY not in str(caught.value)


def test_presence_is_known_without_reading_the_value(cloud: Cloud) -> None:
    boto3.client("secretsmanager", region_name=REGION).create_secret(Name="empty")
    cloud.keep_secret("filled", "{}")
    reader = SecretReader()
    assert [reader.has_value(name) for name in ("filled", "empty", "nowhere")] == [True, False, False]
    rotate("empty", "{}")
    assert reader.has_value("empty")


def test_address_of_one_severity_is_checked_like_the_others(cloud: Cloud) -> None:
    cloud.keep_secret("hooks", json.dumps({"slack_critical": f"http://example.com/{CANARY}"}))
    with pytest.raises(InvalidInput, match="the slack_critical address in secret hooks is no https address") as caught:
        SecretReader().webhooks("hooks")
    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (json.dumps({"critical": False}), "a name that is not known here"),
        (json.dumps({"info": "no"}), "info: input should be a valid boolean"),
        (json.dumps({"slack": None}), "slack: input should be a valid string"),
    ],
)
def test_wrong_routing_is_named_without_its_value(cloud: Cloud, text: str, problem: str) -> None:
    cloud.keep_secret("hooks", text)
    with pytest.raises(InvalidInput, match=problem):
        SecretReader().webhooks("hooks")


def test_routing_by_severity_is_read(cloud: Cloud) -> None:
    routes = {"slack": "https://a/1", "slack_critical": "https://b/1", "discord_info": "https://c/1", "info": False}
    cloud.keep_secret("hooks", json.dumps(routes))
    expected = Webhooks(discord="", **routes)  # type: ignore[arg-type]
    assert SecretReader().webhooks("hooks") == expected


def test_all_that_was_read_is_known_as_secret(cloud: Cloud) -> None:
    reader = SecretReader()
    assert reader.values() == frozenset()
    cloud.keep_secret("trading", keys_text(CANARY))
    cloud.keep_secret("hooks", json.dumps({"slack": "https://hooks.example/services/T0/token-1", "info": True}))
    reader.trading_keys("trading")
    reader.webhooks("hooks")
    address = "https://hooks.example/services/T0/token-1"
    assert reader.values() == {CANARY, "s", address, "/services/T0/token-1", "token-1"}


@pytest.mark.parametrize("text", [f"{CANARY} is no JSON", json.dumps([CANARY]), json.dumps(CANARY)])
def test_malformed_secret_is_a_secret_as_a_whole(cloud: Cloud, text: str) -> None:
    cloud.keep_secret("trading", text)
    reader = SecretReader()
    with pytest.raises(InvalidInput):
        reader.trading_keys("trading")
    assert reader.values() == {text}
