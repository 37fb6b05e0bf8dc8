"""What `threading.local` is for threads, for the greenlets that stand for processes in one thread."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from greenlet import getcurrent, greenlet


class GreenletLocal:
    """Attributes are those of the running greenlet; one that it never set is missing."""

    def __init__(self) -> None:
        object.__setattr__(self, "_of", WeakKeyDictionary[greenlet, dict[str, Any]]())

    def __getattr__(self, name: str) -> Any:
        try:
            return object.__getattribute__(self, "_of")[getcurrent()][name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        object.__getattribute__(self, "_of").setdefault(getcurrent(), {})[name] = value
