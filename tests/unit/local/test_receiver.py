"""The receiver refuses what Slack and Discord would refuse, and keeps its counts on disk."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.receiver import Receiver, check_post, count_posts
from trading.errors import InvalidInput

SLACK = {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]}
DISCORD = {"embeds": [{"title": "hello", "description": "you"}]}


def post(receiver: Receiver, path: str, body: Any) -> str:
    """The status line that the receiver answers with."""
    seen: list[str] = []
    text = json.dumps(body).encode()
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(text)}
    list(receiver(environ, lambda status, _: seen.append(status)))
    return seen[0]


def test_slack_and_discord_posts_are_counted_apart(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path / "posts.jsonl")

    assert post(receiver, "/slack", SLACK) == "200 OK"
    assert post(receiver, "/discord", DISCORD) == "204 No Content"
    assert count_posts(tmp_path / "posts.jsonl") == {"slack": 1, "discord": 1, "rejected": 0}


def test_counts_outlive_the_receiver(tmp_path: Path) -> None:
    post(Receiver(tmp_path / "posts.jsonl"), "/slack", SLACK)
    second = Receiver(tmp_path / "posts.jsonl")
    post(second, "/slack", SLACK)

    assert count_posts(tmp_path / "posts.jsonl")["slack"] == 2


def test_refused_post_is_kept_and_counted(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path / "posts.jsonl")

    assert post(receiver, "/slack", DISCORD) == "400 Bad Request"
    assert count_posts(tmp_path / "posts.jsonl") == {"slack": 0, "discord": 0, "rejected": 1}


def test_unknown_service_is_not_found(tmp_path: Path) -> None:
    assert post(Receiver(tmp_path / "posts.jsonl"), "/teams", SLACK) == "404 Not Found"


@pytest.mark.parametrize(
    ("service", "body"),
    [
        ("slack", {"blocks": []}),
        ("slack", {"blocks": [{"text": {"text": "no type"}}]}),
        ("slack", {"blocks": [{"type": "section", "text": {"text": "x" * 3001}}]}),
        ("slack", {"blocks": [{"type": "header", "text": {"text": "x" * 151}}]}),
        ("slack", {"blocks": [{"type": "section", "fields": [{"text": "x"}] * 11}]}),
        ("discord", {"content": "no embed"}),
        ("discord", {"embeds": [{"title": "x" * 257}]}),
        ("discord", {"embeds": [{"title": "x", "description": "x" * 4097}]}),
        ("discord", {"embeds": [{}]}),
        ("discord", []),
    ],
)
def test_shape_that_the_service_refuses_is_refused(service: str, body: Any) -> None:
    with pytest.raises(InvalidInput, match=service):
        check_post(service, json.dumps(body))
