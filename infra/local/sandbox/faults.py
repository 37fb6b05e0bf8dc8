"""Scripted faults: the next n requests to a path go wrong in a chosen way."""

from dataclasses import dataclass, field

from infra.local.sandbox.wire import Request, Response
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
}
"""Fault kinds, and whether the request is carried out all the same unless the script says otherwise."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One script line. `path` is the end of a request path or `*`; `reject:<status>` answers sends with that status."""

    path: str
    kind: str
    count: int = 1
    processed: bool | None = None
    method: str | None = None
    hold_seconds: float = HOLD_SECONDS

    def __post_init__(self) -> None:
        if self.kind not in DONE_BY_DEFAULT and not self.kind.startswith("reject:"):
            raise InvalidInput(f"fault kind is {self.kind!r}, expected {', '.join(DONE_BY_DEFAULT)} or reject:<status>")
        if self.count < 1:
            raise InvalidInput(f"fault count is {self.count}, expected at least 1")

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
        return here and self.method in (None, request.method)

    def spoil(self, real: Response) -> Response:
        """The answer that the client gets; `real` is the true one (empty when the request was not carried out)."""
        if self.kind == "html":
            return Response(body=HTML, content_type="text/html")
        if self.kind == "http_503":
            return Response(status=503, body=HTML, content_type="text/html")
        if self.kind == "empty":
            return Response()
        if self.kind == "empty_object":
            return Response(body=b"{}")
        if self.kind == "truncated":
            body = real.body or b'{"result":"success","serverTime":"2024-01-01T00:00:00.000Z"}'
            return Response(status=real.status, body=body, cut=len(body) // 2)
        return Response(drop=True, hold_seconds=self.hold_seconds if self.kind == "timeout" else 0.0)


@dataclass(slots=True)
class FaultPlan:
    """Faults still to happen, in the order in which they were scripted."""

    faults: list[Fault] = field(default_factory=list)

    def take(self, request: Request) -> Fault | None:
        """The fault for this request, if any; it is used up."""
        for fault in self.faults:
            if fault.matches(request):
                fault.count -= 1
                if fault.count == 0:
                    self.faults.remove(fault)
                return fault
        return None
