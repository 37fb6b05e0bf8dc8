"""A real HTTP receiver for what `forward_alerts` posts: checks the shapes Slack and Discord accept, keeps every body.

`python -m infra.local.receiver --posts FILE` prints one JSON line with its port. `POST /slack`, `POST /discord`,
`GET /counts`. Posts are appended to FILE as JSON lines, so that counts outlive the process.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import Any

from waitress import create_server

from trading.errors import InvalidInput

SERVICES = ("slack", "discord")

# https://docs.slack.dev/reference/block-kit/blocks and https://docs.discord.com/developers/resources/message
SLACK_BLOCKS, SLACK_TEXT, SLACK_HEADER, SLACK_FIELDS = 50, 3000, 150, 10
DISCORD_EMBEDS, DISCORD_TITLE, DISCORD_DESCRIPTION, DISCORD_FIELDS, DISCORD_TOTAL = 10, 256, 4096, 25, 6000

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Receiver:
    """A WSGI application; every post is on disk before it is answered."""

    def __init__(self, posts: Path) -> None:
        self._posts = posts
        self._lock = Lock()
        self._counts = count_posts(posts)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        service = str(environ["PATH_INFO"]).strip("/").split("/")[0]
        if environ["REQUEST_METHOD"] == "GET" and service == "counts":
            return _answer(start_response, "200 OK", json.dumps(self._counts, sort_keys=True))
        if environ["REQUEST_METHOD"] != "POST" or service not in SERVICES:
            return _answer(start_response, "404 Not Found", "expected POST /slack, POST /discord or GET /counts")
        return self._take(service, environ["wsgi.input"].read().decode("utf-8", errors="replace"), start_response)

    def _take(self, service: str, text: str, start_response: StartResponse) -> Iterable[bytes]:
        try:
            check_post(service, text)
        except InvalidInput as error:
            self._keep(service, text, str(error))
            return _answer(start_response, "400 Bad Request", str(error))
        self._keep(service, text, "")
        if service == "slack":
            return _answer(start_response, "200 OK", "ok")
        return _answer(start_response, "204 No Content", "")

    def _keep(self, service: str, text: str, fault: str) -> None:
        with self._lock:
            with self._posts.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"service": service, "fault": fault, "body": text}) + "\n")
            self._counts["rejected" if fault else service] += 1


def count_posts(posts: Path) -> dict[str, int]:
    """Accepted posts by service and rejected ones, as kept in the file."""
    counts = {**dict.fromkeys(SERVICES, 0), "rejected": 0}
    if posts.exists():
        for line in posts.read_text(encoding="utf-8").splitlines():
            post = json.loads(line)
            counts["rejected" if post["fault"] else post["service"]] += 1
    return counts


def check_post(service: str, text: str) -> None:
    """Raise InvalidInput for a body that the service itself would refuse."""
    try:
        body = json.loads(text)
    except json.JSONDecodeError:
        raise InvalidInput(f"{service} post is not JSON") from None
    if not isinstance(body, dict):
        raise InvalidInput(f"{service} post is not a JSON object")
    if service == "slack":
        _check_slack(body)
    else:
        _check_discord(body)


def _check_slack(body: dict[str, Any]) -> None:
    blocks = body.get("blocks")
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= SLACK_BLOCKS:
        raise InvalidInput(f"slack post needs 1 to {SLACK_BLOCKS} blocks")
    for block in blocks:
        if not isinstance(block, dict) or "type" not in block:
            raise InvalidInput("slack block needs a type")
        limit = SLACK_HEADER if block["type"] == "header" else SLACK_TEXT
        texts = [block["text"]] if "text" in block else []
        fields = block.get("fields", [])
        if len(fields) > SLACK_FIELDS:
            raise InvalidInput(f"slack section has {len(fields)} fields; expected at most {SLACK_FIELDS}")
        for length in (len(part["text"]) for part in (*texts, *fields)):
            if not 1 <= length <= limit:
                raise InvalidInput(f"slack {block['type']} text has {length} characters; expected 1 to {limit}")


def _check_discord(body: dict[str, Any]) -> None:
    embeds = body.get("embeds")
    if not isinstance(embeds, list) or not 1 <= len(embeds) <= DISCORD_EMBEDS:
        raise InvalidInput(f"discord post needs 1 to {DISCORD_EMBEDS} embeds")
    total = 0
    for embed in embeds:
        title, description, fields = embed.get("title", ""), embed.get("description", ""), embed.get("fields", [])
        if len(title) > DISCORD_TITLE or len(description) > DISCORD_DESCRIPTION or len(fields) > DISCORD_FIELDS:
            raise InvalidInput("discord embed is larger than Discord accepts")
        total += len(title) + len(description) + sum(len(each["name"]) + len(each["value"]) for each in fields)
    if not 0 < total <= DISCORD_TOTAL:
        raise InvalidInput(f"discord embeds have {total} characters; expected 1 to {DISCORD_TOTAL}")


def _answer(start_response: StartResponse, status: str, text: str) -> Iterable[bytes]:
    body = text.encode()
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]


def main() -> None:
    parser = argparse.ArgumentParser(description="Receives Slack- and Discord-shaped posts on 127.0.0.1.")
    parser.add_argument("--posts", type=Path, required=True, help="file that keeps every post")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    arguments = parser.parse_args()
    server = create_server(Receiver(arguments.posts), host="127.0.0.1", port=arguments.port, threads=2)
    print(json.dumps({"ready": True, "port": int(server.effective_port)}), flush=True)
    server.run()


if __name__ == "__main__":
    main()
