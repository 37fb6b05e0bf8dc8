"""An alert as a Slack (Block Kit) and as a Discord (embed) message, cut to fit what each service accepts.

Limits: https://docs.slack.dev/reference/block-kit/blocks and https://docs.discord.com/developers/resources/message
(embed limits). Both count characters; UTF-16 units are counted here, which is never fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trading.model.alerts import Alert, Severity
from trading.model.times import to_text

SLACK_HEADER, SLACK_TEXT, SLACK_FIELD, SLACK_FIELDS_A_SECTION, SLACK_FALLBACK = 150, 3000, 2000, 10, 3000
DISCORD_TITLE, DISCORD_DESCRIPTION, DISCORD_NAME, DISCORD_VALUE, DISCORD_FOOTER = 256, 4096, 256, 1024, 2048
DISCORD_TOTAL, DISCORD_FIELDS = 6000, 25
FIELDS = 24
"""Fields shown of one alert: with the line that says how many were left out it fits Discord's 25."""

ICONS = {Severity.INFO: "ℹ️", Severity.WARNING: "⚠️", Severity.CRITICAL: "🚨"}
COLOURS = {Severity.INFO: 0x2F6FDE, Severity.WARNING: 0xE0A100, Severity.CRITICAL: 0xC62828}
EMPTY = "-"
"""Both services refuse an empty text."""


def length(text: str) -> int:
    """UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def shorten(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, with an ellipsis where something was cut; never empty."""
    # A lone surrogate half has no UTF-8 form and would make the whole message unsendable.
    text = text.encode("utf-8", errors="replace").decode("utf-8").strip() or EMPTY
    if length(text) <= limit:
        return text
    kept, units = [], 1
    for character in text:
        units += length(character)
        if units > limit:
            break
        kept.append(character)
    return "".join(kept) + "…"


def slack_body(alert: Alert) -> dict[str, Any]:
    """The JSON body for a Slack incoming webhook."""
    title = f"{ICONS[alert.severity]} {alert.title}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": shorten(title, SLACK_HEADER), "emoji": True}},
        {"type": "section", "text": {"type": "mrkdwn", "text": _slack_text(alert.text, SLACK_TEXT)}},
    ]
    fields = [
        {"type": "mrkdwn", "text": f"*{_slack_text(name, SLACK_FIELD // 4)}*\n{_slack_text(value, SLACK_FIELD // 2)}"}
        for name, value in _shown(alert.fields)
    ]
    for start in range(0, len(fields), SLACK_FIELDS_A_SECTION):
        blocks.append({"type": "section", "fields": fields[start : start + SLACK_FIELDS_A_SECTION]})
    blocks.append(
        {"type": "context", "elements": [{"type": "mrkdwn", "text": _slack_text(_footer(alert), SLACK_FIELD)}]}
    )
    return {"text": _slack_text(f"{title}: {alert.text}", SLACK_FALLBACK), "blocks": blocks}


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


def _shown(fields: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    if len(fields) <= FIELDS:
        return tuple(fields)
    return (*fields[:FIELDS], _left_out(len(fields) - FIELDS))


def _left_out(count: int) -> tuple[str, str]:
    return ("left out", f"{count} more fields")


def _footer(alert: Alert) -> str:
    return f"{alert.severity} · {alert.kind} · {alert.subject} · {to_text(alert.at)}"


def _slack_text(text: str, limit: int) -> str:
    """Escaped for mrkdwn, so that no text can mention a channel; an escape sequence is never cut in two."""
    escapes = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
    plain = shorten(text, limit)
    pieces = [escapes.get(character, character) for character in plain]
    if sum(map(length, pieces)) <= limit:
        return "".join(pieces)
    kept, units = [], 1
    for piece in pieces:
        units += length(piece)
        if units > limit:
            break
        kept.append(piece)
    return "".join(kept) + "…"
