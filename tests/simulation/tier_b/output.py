"""What handlers print: metrics and logs go through the real Powertools and end here."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOBase


class Output(TextIOBase):
    """Keeps nothing but what must never be printed: `leaks` are the lines in which one of `secrets` stands."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        self.leaks: list[str] = []
        self.written = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written += len(text)
        self.look(text)
        return len(text)

    def look(self, text: str) -> None:
        if any(each in text for each in self._secrets):
            self.leaks.append(text[:300])


@contextmanager
def captured(output: Output, loggers: Iterable[str]) -> Iterator[None]:
    """Standard output, the loggers of the functions and everybody else's warnings go to `output`."""
    handlers = [each for name in loggers for each in logging.getLogger(name).handlers]
    before = [(each, each.stream) for each in handlers if isinstance(each, logging.StreamHandler)]
    root, everybody, printed = logging.getLogger(), logging.StreamHandler(output), sys.stdout
    for handler, _ in before:
        handler.setStream(output)
    root.addHandler(everybody)
    sys.stdout = output
    try:
        yield
    finally:
        sys.stdout = printed
        root.removeHandler(everybody)
        for handler, stream in before:
            handler.setStream(stream)
