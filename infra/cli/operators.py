"""The operator's commands: the same `control_trading` function, in a local stack or deployed."""

from __future__ import annotations

import getpass
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.cli.deployed import invoke_deployed
from infra.local.attached import Attached
from trading.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The system that is meant: the deployed `stack`, or the local one in `state_dir` when that is empty."""

    state_dir: Path
    stack: str
    operator: str = ""

    def signed(self, action: str, reason: str) -> dict[str, Any]:
        return {"action": action, "operator": self.operator or getpass.getuser(), "reason": reason}


def ask(target: Target, payload: dict[str, Any]) -> dict[str, Any]:
    """Send one request to `control_trading`. Raises InvalidInput with its own sentence when it refuses."""
    if target.stack:
        answer = invoke_deployed(target.stack, payload)
    else:
        with Attached.open(target.state_dir) as local:
            answer = local.control(payload)
    if not answer.get("ok"):
        raise InvalidInput(str(answer.get("error", f"control_trading answered {answer!r}")))
    return answer


def in_two_steps(target: Target, request: dict[str, Any], question: str, *, confirmed: bool) -> dict[str, Any]:
    """Ask what would be done, have a person agree, and do it. One whose first answer has no token is done already."""
    preview = ask(target, request)
    if "token" not in preview:
        return preview
    if not confirmed:
        Console(stderr=True).print_json(json.dumps({name: each for name, each in preview.items() if name != "token"}))
        if not sys.stdin.isatty():
            raise InvalidInput("nothing was done: without a terminal to ask on, confirm with --yes")
        typer.confirm(question, abort=True, err=True)
    return ask(target, {**request, "token": preview["token"]})


def show_answer(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer, indent=2, sort_keys=True))
        return
    table = Table(show_header=False)
    for name, value in answer.items():
        table.add_row(name, Text(_shown(value)))
    Console().print(table)


def _shown(value: Any) -> str:
    """A value for a person: one line for each part of an object or a list."""
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_shown(each)}" for name, each in value.items())
    if isinstance(value, list):
        return "\n".join(_shown(each) for each in value)
    return "" if value is None else str(value)
