from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.chat_messages import discord_body, length, shorten, slack_body
from trading.model.alerts import Alert, AlertKind, Severity

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

# Long, short, empty, blank, astral, surrogate and markup texts: sizes are drawn, content repeats.
pieces = st.sampled_from(["a", " ", "🚨", "&", "<!channel>", "\ud800", "é", "\n", "@everyone "])
texts = st.builds(lambda piece, count: piece * count, pieces, st.integers(0, 9000))
alerts = st.builds(
    Alert,
    kind=st.sampled_from(AlertKind),
    severity=st.sampled_from(Severity),
    subject=texts,
    title=texts,
    text=texts,
    at=st.just(AT),
    fields=st.lists(st.tuples(texts, texts), max_size=40).map(tuple),
)


def slack_texts(body: dict[str, Any]) -> list[tuple[str, int]]:
    found = [(body["text"], 3000)]
    for block in body["blocks"]:
        limit = {"header": 150, "section": 3000, "context": 3000}[block["type"]]
        found += [(block["text"]["text"], limit)] if "text" in block else []
        found += [(part["text"], 2000) for part in block.get("fields", ())]
        found += [(part["text"], 2000) for part in block.get("elements", ())]
    return found


@settings(max_examples=60, deadline=None)
@given(alerts)
def test_every_slack_message_fits_slack_limits(alert: Alert) -> None:
    body = slack_body(alert)
    assert 1 <= len(body["blocks"]) <= 50
    assert all(1 <= length(text) <= limit for text, limit in slack_texts(body))
    assert all(len(block.get("fields", ())) <= 10 for block in body["blocks"])
    # Not in Slack's pages: it refuses more than about 13,200 in all blocks (slackapi/bolt-js issue 2509).
    assert sum(length(text) for text, _ in slack_texts(body)[1:]) <= 13_000
    json.dumps(body, ensure_ascii=False).encode("utf-8")


@settings(max_examples=60, deadline=None)
@given(alerts)
def test_every_discord_message_fits_discord_limits(alert: Alert) -> None:
    (embed,) = discord_body(alert)["embeds"]
    parts = [embed["title"], embed["description"], embed["footer"]["text"]]
    assert 1 <= length(embed["title"]) <= 256
    assert 1 <= length(embed["description"]) <= 4096
    assert len(embed["fields"]) <= 25
    for field in embed["fields"]:
        assert 1 <= length(field["name"]) <= 256
        assert 1 <= length(field["value"]) <= 1024
        assert field["name"].strip()
        assert field["value"].strip()
        parts += [field["name"], field["value"]]
    assert sum(map(length, parts)) <= 6000
    json.dumps(embed, ensure_ascii=False).encode("utf-8")


def alert(text: str = "stop is missing", fields: tuple[tuple[str, str], ...] = ()) -> Alert:
    return Alert(
        kind=AlertKind.NAKED_POSITION,
        severity=Severity.CRITICAL,
        subject="BTC",
        title="BTC is naked",
        text=text,
        at=AT,
        fields=fields,
    )


def test_alert_text_never_mentions_a_channel() -> None:
    body = alert("<!channel> @everyone")
    assert "<!channel>" not in json.dumps(slack_body(body))
    assert discord_body(body)["allowed_mentions"] == {"parse": []}


def test_escape_sequences_are_never_cut_apart() -> None:
    shown = slack_body(alert("&" * 4000))["blocks"][1]["text"]["text"]
    assert shown.removesuffix("…").replace("&amp;", "") == ""


def test_left_out_fields_are_counted_in_words() -> None:
    many = tuple((f"name {number}", "x" * 900) for number in range(30))
    fields = discord_body(alert(fields=many))["embeds"][0]["fields"]
    assert fields[-1]["value"] == f"{30 - (len(fields) - 1)} more fields"
    slack = [part for block in slack_body(alert(fields=many))["blocks"] for part in block.get("fields", ())]
    assert f"{30 - (len(slack) - 1)} more fields" in slack[-1]["text"]


def test_ordinary_fields_are_all_shown() -> None:
    few = tuple((f"name {number}", "value") for number in range(24))
    slack = [part for block in slack_body(alert(fields=few))["blocks"] for part in block.get("fields", ())]
    assert [part["text"] for part in slack] == [f"*name {number}*\nvalue" for number in range(24)]
    assert len(discord_body(alert(fields=few))["embeds"][0]["fields"]) == 24


def test_short_text_is_left_as_it_is() -> None:
    assert shorten("BTC 🚨", 10) == "BTC 🚨"
    assert shorten("  ", 10) == "-"
    assert shorten("🚨🚨🚨", 5) == "🚨🚨…"
