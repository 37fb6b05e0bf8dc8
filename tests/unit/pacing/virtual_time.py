"""Seconds that pass only while somebody waits."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class VirtualTime:
    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        assert seconds >= 0, f"a wait of {seconds} s"
        self.waits.append(seconds)
        self.seconds += seconds
