"""An alert as a Slack (Block Kit) and as a Discord (embed) message, cut to fit what each service accepts.

Limits: https://docs.slack.dev/reference/block-kit/blocks (50 blocks; header 150, section 3000, field 2000 characters,
10 fields a section) and https://docs.discord.com/developers/resources/message (embed limits). Slack also refuses blocks
of about 13,200 characters in all (`msg_blocks_too_long`, https://github.com/slackapi/bolt-js/issues/2509), which its
pages do not tell. Both count characters; UTF-16 units are counted here, which is never fewer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from trading.model.alerts import Alert, Severity
from trading.model.times import to_text

SLACK_HEADER, SLACK_TEXT, SLACK_FIELD, SLACK_FIELDS_A_SECTION, SLACK_FALLBACK = 150, 3000, 2000, 10, 3000
SLACK_TOTAL = 11_000
DISCORD_TITLE, DISCORD_DESCRIPTION, DISCORD_NAME, DISCORD_VALUE, DISCORD_FOOTER = 256, 4096, 256, 1024, 2048
DISCORD_TOTAL, DISCORD_FIELDS = 6000, 25
FIELDS = 24
"""Fields shown of one alert: with the line that says how many were left out it fits Discord's 25."""

ICONS = {Severity.INFO: "ℹ️", Severity.WARNING: "⚠️", Severity.CRITICAL: "🚨"}
COLOURS = {Severity.INFO: 0x2F6FDE, Severity.WARNING: 0xE0A100, Severity.CRITICAL: 0xC62828}
EMPTY = "-"
"""Both services refuse an empty text."""
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def length(text: str) -> int:
    """UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def shorten(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, with an ellipsis where something was cut; never empty."""
    # A lone surrogate half has no UTF-8 form and would make the whole message unsendable.
    text = text.encode("utf-8", errors="replace").decode("utf-8").strip() or EMPTY
    if length(text) <= limit:
        return text
    return _cut(text, limit)


def slack_body(alert: Alert) -> dict[str, Any]:
    """The JSON body for a Slack incoming webhook."""
    title = f"{ICONS[alert.severity]} {alert.title}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": shorten(title, SLACK_HEADER), "emoji": True}},
        {"type": "section", "text": {"type": "mrkdwn", "text": _slack_text(alert.text, SLACK_TEXT)}},
    ]
    footer = _slack_text(_footer(alert), SLACK_FIELD)
    fields = _slack_fields(alert.fields, SLACK_TOTAL - sum(map(length, _texts_of(blocks))) - length(footer))
    for start in range(0, len(fields), SLACK_FIELDS_A_SECTION):
        blocks.append({"type": "section", "fields": fields[start : start + SLACK_FIELDS_A_SECTION]})
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": footer}]})
    return {"text": _slack_text(f"{title}: {alert.text}", SLACK_FALLBACK), "blocks": blocks}


def _texts_of(blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(block["text"]["text"]) for block in blocks]


def _slack_fields(fields: Sequence[tuple[str, str]], left: int) -> list[dict[str, str]]:
    shown = []
    left -= length(_slack_field(*_left_out(10**6)))
    for name, value in fields[:FIELDS]:
        text = _slack_field(name, value)
        left -= length(text)
        if left < 0:
            break
        shown.append(text)
    if len(shown) < len(fields):
        shown.append(_slack_field(*_left_out(len(fields) - len(shown))))
    return [{"type": "mrkdwn", "text": text} for text in shown]


def _slack_field(name: str, value: str) -> str:
    return f"*{_slack_text(name, SLACK_FIELD // 4)}*\n{_slack_text(value, SLACK_FIELD // 2)}"


def discord_body(alert: Alert) -> dict[str, Any]:
    """The JSON body for a Discord webhook. Nobody can be mentioned through the text of an alert."""
    embed: dict[str, Any] = {
        "title": shorten(f"{ICONS[alert.severity]} {alert.title}", DISCORD_TITLE),
        "color": COLOURS[alert.severity],
        "timestamp": to_text(alert.at),
        "footer": {"text": shorten(_footer(alert), DISCORD_FOOTER // 4)},
    }
    # The text may take two thirds of what is allowed in all: the fields are the facts and must have their share.
    embed["description"] = shorten(alert.text, min(DISCORD_DESCRIPTION, DISCORD_TOTAL * 2 // 3))
    left = DISCORD_TOTAL - sum(map(length, (embed["title"], embed["description"], embed["footer"]["text"])))
    embed["fields"] = _discord_fields(alert.fields, left)
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _discord_fields(fields: Sequence[tuple[str, str]], left: int) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    left -= length(_left_out(10**6)[0]) + length(_left_out(10**6)[1])
    for name, value in fields[:FIELDS]:
        field = {"name": shorten(name, DISCORD_NAME), "value": shorten(value, DISCORD_VALUE), "inline": True}
        left -= length(str(field["name"])) + length(str(field["value"]))
        if left < 0:
            break
        shown.append(field)
    if len(shown) < len(fields):
        name, value = _left_out(len(fields) - len(shown))
        shown.append({"name": name, "value": value, "inline": False})
    return shown


def _left_out(count: int) -> tuple[str, str]:
    return ("left out", f"{count} more fields")


def _footer(alert: Alert) -> str:
    return f"{alert.severity} · {alert.kind} · {alert.subject} · {to_text(alert.at)}"


def escaped_length(text: str) -> int:
    """UTF-16 units of a text in which Slack's escapes are written out."""
    return sum(length(ESCAPES.get(character, character)) for character in text)


def _slack_text(text: str, limit: int) -> str:
    """Escaped for mrkdwn, so that no text can mention a channel; an escape sequence is never cut in two."""
    plain = shorten(text, limit)
    pieces = [ESCAPES.get(character, character) for character in plain]
    if sum(map(length, pieces)) <= limit:
        return "".join(pieces)
    return _cut(pieces, limit)


def _cut(pieces: Sequence[str], limit: int) -> str:
    """The first pieces, as many as leave room for an ellipsis, and it."""
    ends = accumulate(map(length, pieces))
    return "".join(piece for piece, end in zip(pieces, ends, strict=True) if end < limit) + "…"
