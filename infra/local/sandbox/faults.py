"""Scripted faults: the next n requests to a path go wrong in a chosen way."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from infra.local.sandbox.rewriting import rewritten
from infra.local.sandbox.wire import Request, Response, json_response
from trading.errors import InvalidInput

HTML = b"<html><head><title>503 Service Temporarily Unavailable</title></head><body>nginx</body></html>"
HOLD_SECONDS = 15.0
DONE_BY_DEFAULT = {
    "html": False,
    "http_503": False,
    "timeout": False,
    "empty": True,
    "empty_object": True,
    "truncated": True,
    "lost_reply": True,
    "page": False,
    "short": True,
    "slow": True,
    "answer": False,
    "rewrite": True,
    "late": False,
}
"""Fault kinds, and whether the request is carried out all the same unless the script says otherwise.

`html`: a web page with HTTP 200; `page`: one with `status`. `truncated`: half of the body that was promised; `short`:
half of it, promised as such. `slow`: the true answer after `hold_seconds`. `answer`: `body`, `status` and `headers` as
given. `rewrite`: the true answer with `changes`, `removed`, `repeated` and `turned` places (see `rewriting`). `late`:
no answer, and the request arrives at the venue `delay_seconds` of venue time later (sends and cancels).
"""

LATE_PATHS = ("/sendorder", "/cancelorder")


@dataclass(slots=True, kw_only=True)
class Fault:
    """One script line. `path` is the end of a request path or `*`; `reject:<status>` answers sends with that status.

    `holding`: only requests whose query or body holds this text. `after`: so many matching requests pass before it.
    """

    path: str
    kind: str
    count: int = 1
    processed: bool | None = None
    method: str | None = None
    hold_seconds: float = HOLD_SECONDS
    holding: str = ""
    after: int = 0
    status: int = 200
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    turned: list[str] = field(default_factory=list)
    delay_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in DONE_BY_DEFAULT and not self.kind.startswith("reject:"):
            raise InvalidInput(f"fault kind is {self.kind!r}, expected {', '.join(DONE_BY_DEFAULT)} or reject:<status>")
        if self.count < 1:
            raise InvalidInput(f"fault count is {self.count}, expected at least 1")
        if self.kind == "late" and self.path not in LATE_PATHS:
            raise InvalidInput(f"path of a late fault is {self.path!r}, expected {' or '.join(LATE_PATHS)}")
        if self.kind == "late" and self.delay_seconds <= 0:
            raise InvalidInput(f"delay_seconds of a late fault is {self.delay_seconds}, expected above 0")
        if self.kind == "answer" and self.body is None:
            raise InvalidInput("an answer fault has no body, expected a JSON object")
        if not 200 <= self.status <= 599:
            raise InvalidInput(f"fault status is {self.status}, expected 200..599")

    @property
    def carries_out(self) -> bool:
        """True when the request takes effect although its answer is spoilt."""
        if self.processed is not None:
            return self.processed
        return DONE_BY_DEFAULT.get(self.kind, False)

    @property
    def reject_status(self) -> str | None:
        """Status word of a `reject:` fault."""
        return self.kind.removeprefix("reject:") if self.kind.startswith("reject:") else None

    def matches(self, request: Request) -> bool:
        """True when the fault is meant for this request."""
        here = self.path == "*" or request.path.endswith(self.path)
        there = self.holding in request.query or self.holding.encode() in request.body
        return here and there and self.method in (None, request.method)

    def spoil(self, real: Response) -> Response:
        """The answer that the client gets; `real` is the true one (empty when the request was not carried out)."""
        if self.kind in ("html", "http_503", "page"):
            status = {"html": 200, "http_503": 503}.get(self.kind, self.status)
            return Response(status=status, body=HTML, content_type="text/html", headers=dict(self.headers))
        if self.kind in ("truncated", "short"):
            return self._shortened(real)
        made = self._made(real)
        if made is not None:
            return made
        return Response(drop=True, hold_seconds=self.hold_seconds if self.kind == "timeout" else 0.0)

    def _shortened(self, real: Response) -> Response:
        body = real.body or b'{"result":"success","serverTime":"2024-01-01T00:00:00.000Z"}'
        half = len(body) // 2
        if self.kind == "short":
            return Response(status=real.status, body=body[:half])
        return Response(status=real.status, body=body, cut=half)

    def _made(self, real: Response) -> Response | None:
        """Answers that are documents, or at least look like an answer."""
        if self.kind == "empty":
            return Response()
        if self.kind == "empty_object":
            return Response(body=b"{}")
        if self.kind == "answer":
            return replace(json_response(self.body, self.status), headers=dict(self.headers))
        if self.kind == "slow":
            return replace(real, hold_seconds=self.hold_seconds)
        if self.kind == "rewrite":
            return rewritten(real, self.changes, self.removed, self.repeated, self.turned)
        return None


@dataclass(slots=True, kw_only=True)
class Held:
    """A request on its way to the venue. `due` is set when venue time moves for the first time after it was taken."""

    request: Request
    delay: timedelta
    due: datetime | None = None


@dataclass(slots=True)
class FaultPlan:
    """Faults still to happen, in the order in which they were scripted, and requests held on their way.

    What is on its way is lost when the process ends, like any packet: it is no part of the saved state.
    """

    faults: list[Fault] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    def take(self, request: Request) -> Fault | None:
        """The fault for this request, if any; it is used up."""
        for fault in self.faults:
            if not fault.matches(request):
                continue
            if fault.after > 0:
                fault.after -= 1
                return None
            fault.count -= 1
            if fault.count == 0:
                self.faults.remove(fault)
            if fault.kind == "late":
                self.held.append(Held(request=request, delay=timedelta(seconds=fault.delay_seconds)))
            return fault
        return None

    def arriving(self, now: datetime, until: datetime) -> list[Held]:
        """Held requests that arrive between `now` and `until`, in order; they are held no longer."""
        for each in self.held:
            each.due = each.due or now + each.delay
        due = sorted((each for each in self.held if each.due and each.due <= until), key=lambda each: each.due or now)
        self.held = [each for each in self.held if each not in due]
        return due
