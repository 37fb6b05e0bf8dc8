"""A CloudWatch dashboard as far as a custom widget sees it: reads the HTML, fills in the form, presses a button."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

from functions.control_trading.handler import handler as control_trading
from tests.integration.operations.conftest import CONTROL_ARN

CONTEXT = SimpleNamespace(
    function_name="control_trading",
    memory_limit_in_mb=512,
    invoked_function_arn=CONTROL_ARN,
    aws_request_id="request-7",
)
ALLOWED = frozenset(
    [
        "a",
        "b",
        "div",
        "figcaption",
        "figure",
        "form",
        "h2",
        "input",
        "label",
        "li",
        "p",
        "span",
        "style",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)


@dataclass
class Button:
    title: str
    attributes: dict[str, str]
    content: str = ""

    @property
    def payload(self) -> dict[str, Any]:
        return dict(json.loads(self.content))


@dataclass
class Page(HTMLParser):
    """Buttons by their text, names of the form's fields, and the text of everything else."""

    html: str
    buttons: dict[str, Button] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._last = ""
        self._acting: Button | None = None
        self.feed(self.html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        assert not {"src", "href", "onclick", "style"} & given.keys() - {"style"}, given
        if tag == "cwdb-action":
            self._acting = Button(self._last, given)
            self.buttons[self._last] = self._acting
        else:
            assert tag in ALLOWED, tag
        if tag == "input":
            self.fields.append(given["name"])
        else:
            self._open.append(tag)
            self._last = ""

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "cwdb-action":
            self._acting = None

    def handle_data(self, data: str) -> None:
        if self._acting is not None:
            self._acting.content += data
            return
        self._last += data
        self.text += data

    def press(self, title: str, **form: str) -> Page:
        """What CloudWatch sends: the button's payload at the top, the form's fields inside the widget's context."""
        button = self.buttons[title]
        assert button.attributes["action"] == "call"
        assert button.attributes["endpoint"] == CONTROL_ARN
        assert button.attributes["confirmation"]
        filled = {name: form.get(name, "") for name in self.fields}
        event = {**button.payload, "widgetContext": {"forms": {"all": filled}, "params": {}, "theme": "light"}}
        answer = control_trading(event, CONTEXT)  # type: ignore[arg-type]
        assert isinstance(answer, str)
        return Page(answer)
