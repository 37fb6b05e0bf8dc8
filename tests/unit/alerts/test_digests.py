"""Many alerts in one message: all are named, and it fits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.forward_alerts.digest import digest_of, line_of, packs
from shared.chat_messages import discord_body, escaped_length, length, slack_body
from tests.integration.alerts.chat_services import slack_size
from tests.unit.alerts.test_message_limits import alerts
from trading.model.alerts import Alert, AlertKind, Severity

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def plain(number: int, severity: Severity = Severity.WARNING) -> Alert:
    return Alert(
        kind=AlertKind.STALE_DATA,
        severity=severity,
        subject=f"COIN{number:03d}",
        title="no candle",
        text="a long story",
        at=AT + timedelta(seconds=number),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(alerts, min_size=1, max_size=50))
def test_digests_hold_every_alert_within_the_limits(several: list[Alert]) -> None:
    parts = packs(several)
    assert [alert for part in parts for alert in part] == several
    for part in parts:
        digest = digest_of(part)
        slack, discord = slack_body(digest), discord_body(digest)["embeds"][0]
        assert slack_size(slack) <= 13_000
        assert length(slack["blocks"][1]["text"]["text"]) <= 3000
        assert length(discord["description"]) <= 4000
        shown = discord["description"].split("\n")
        assert shown == [line_of(each) for each in part]


def test_digest_names_subjects_kinds_and_worst_severity() -> None:
    digest = digest_of([plain(1, Severity.INFO), plain(2), plain(3, Severity.INFO)])
    assert (digest.severity, digest.at, digest.kind) == (Severity.WARNING, AT + timedelta(seconds=3), AlertKind.DIGEST)
    assert digest.title == "3 alerts at once: 3 stale_data"
    assert digest.text.split("\n")[1] == "warning stale_data COIN002: no candle"
    assert "COIN003" in slack_body(digest)["blocks"][1]["text"]["text"]


def test_full_batch_of_ordinary_alerts_takes_two_messages() -> None:
    assert len(packs([plain(number) for number in range(50)])) == 1
    wordy = [replace(plain(number), title="t" * 90) for number in range(50)]
    assert len(packs(wordy)) == 3


def test_escapes_count_as_they_are_written() -> None:
    assert escaped_length("a&<🚨") == 1 + 5 + 4 + 2
