"""The sandbox behind its socket, with what the internet does to answers on the way: late, old, changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from infra.local.sandbox.application import Application
from infra.local.sandbox.wire import Request, Response

Document = Any
Change = Callable[[Document], None]


@dataclass(slots=True)
class Wire:
    """Stands where the server calls the application. Paths are ends of request paths.

    `late`: seconds of the venue's time that the next answer takes. `bent`: changes the JSON of every answer.
    `sent`: the parameters of every order that arrived, in order.
    """

    application: Application
    late: dict[str, float] = field(default_factory=dict)
    bent: dict[str, Change] = field(default_factory=dict)
    sent: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        if request.path.endswith("/sendorder"):
            self.sent.append({name: values[-1] for name, values in request.parameters().items()})
        if (seconds := self._taken(request)) is not None:
            venue = self.application.venue
            venue.advance(venue.now + timedelta(seconds=seconds))
        return self._changed(request, self.application(request))

    def _taken(self, request: Request) -> float | None:
        path = next((each for each in self.late if request.path.endswith(each)), None)
        return None if path is None else self.late.pop(path)

    def _changed(self, request: Request, response: Response) -> Response:
        for path, change in self.bent.items():
            if request.path.endswith(path):
                document = json.loads(response.body)
                change(document)
                response = replace(response, body=json.dumps(document).encode())
        return response
