"""Secrets that got into a text do not reach people."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from shared.redaction import scrubbed, scrubbed_alert
from trading.model.alerts import Alert, AlertKind, Severity

KEY = "pT9/kQ2+" + "aB3c" * 12
SECRET = "x1Y2/z+" * 12 + "Zw=="


@pytest.mark.parametrize(
    "text",
    [
        f"key {SECRET} refused",
        f"GET /?key={SECRET.rstrip('=')}&x=1",
        "url /?sig=" + quote(SECRET, safe=""),
        f"({SECRET})",
    ],
)
def test_known_value_is_hidden_in_every_form(text: str) -> None:
    assert "x1Y2" not in scrubbed(text, [SECRET])
    assert "[secret]" in scrubbed(text, [SECRET])


@pytest.mark.parametrize(
    "text",
    [
        "posting to https://hooks.slack.com/services/T0/B0/abc failed",
        "posting to https://discord.com/api/webhooks/1/abc failed",
        "posting to https://canary.discordapp.com/api/v10/webhooks/1/abc failed",
        f"posting to {KEY} failed",
    ],
)
def test_shape_of_a_secret_is_hidden_though_unknown(text: str) -> None:
    assert scrubbed(text, ()) == "posting to [secret] failed"


@pytest.mark.parametrize(
    "text",
    [
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "BTC-long-2026-11-22T12:00:00.000Z/attempt-000000000000000000000000001",
        "arn:aws:sns:eu-west-1:123456789012:smc-trader-AlertsTopic",
        "https://docs.slack.dev/reference/block-kit/blocks",
        "3.1415926535897932384626433832795028841971693993751",
        "short",
    ],
)
def test_hashes_names_and_numbers_stay_readable(text: str) -> None:
    assert scrubbed(text, ["hort"]) == text


def test_every_text_of_an_alert_is_scrubbed() -> None:
    alert = Alert(
        kind=AlertKind.HEALTH,
        severity=Severity.INFO,
        subject=f"s {SECRET}",
        title=f"t {SECRET}",
        text=f"x {SECRET}",
        at=datetime(2026, 11, 22, tzinfo=UTC),
        fields=((f"n {SECRET}", f"v {SECRET}"),),
    )
    shown = scrubbed_alert(alert, [SECRET])
    assert (shown.subject, shown.title, shown.text) == ("s [secret]", "t [secret]", "x [secret]")
    assert shown.fields == (("n [secret]", "v [secret]"),)
