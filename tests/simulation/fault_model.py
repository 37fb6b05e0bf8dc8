"""Draws the fate of every call from the options of the day, the outages of the hour, and the process's own dice."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.simulation.faults import Mode, Tape, Verdict
from tests.simulation.kernel import Call, Process
from tests.simulation.options import DAY_MS, Options

LATENCIES_MS = {"store": (3.0, 12.0), "venue": (40.0, 250.0), "spot": (40.0, 250.0), "topic": (10.0, 40.0)}
SENDS = frozenset({"place"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of a day in which something is the case. `key` names it on the tape."""

    key: str
    kind: str
    start_ms: int
    end_ms: int

    def holds(self, now_ms: int) -> bool:
        return self.start_ms <= now_ms < self.end_ms


@dataclass
class FaultModel:
    """`quiet_from_ms`: from then on nothing goes wrong any more."""

    options: Options
    tape: Tape
    quiet_from_ms: int = DAY_MS
    windows: list[Window] = field(default_factory=list)
    tables: dict[tuple[str, bool], tuple[tuple[float, Mode], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        random = Random(f"{self.options.seed}:outages")
        for kind, count, longest_s in (
            ("venue outage", self.options.outages, self.options.outage_longest_s),
            ("store outage", self.options.store_outages, 600),
            ("key revoked", self.options.key_revoked, 3600),
        ):
            for number in range(count):
                start = random.randrange(0, DAY_MS)
                end = min(start + random.randint(10, max(longest_s, 11)) * 1000, self.quiet_from_ms)
                key = f"{kind} {number}"
                if start < end and self.tape.admit(key, kind, start):
                    self.windows.append(Window(key=key, kind=kind, start_ms=start, end_ms=end))
        self.tables = {(kind, writes): self._table(kind, writes) for kind in LATENCIES_MS for writes in (False, True)}
        self.tables["send", True] = self._sends()

    def _table(self, kind: str, writes: bool) -> tuple[tuple[float, Mode], ...]:
        options = self.options
        if kind == "topic":
            return ((options.topic_error, Mode.ERROR), (options.topic_error / 4, Mode.LOST))
        if kind == "store":
            lost = ((options.store_lost, Mode.LOST), (options.duplicate, Mode.DUPLICATE)) if writes else ()
            return (
                (options.store_killed, Mode.KILLED_BEFORE),
                (options.store_killed, Mode.KILLED_AFTER),
                (options.store_error, Mode.ERROR),
                *lost,
            )
        return (
            (options.venue_killed, Mode.KILLED_BEFORE),
            (options.venue_killed, Mode.KILLED_AFTER),
            (options.venue_error, Mode.ERROR),
            (options.venue_lost, Mode.LOST),
            (options.venue_garbled, Mode.GARBLED),
            (options.venue_slow, Mode.SLOW),
            (options.duplicate, Mode.DUPLICATE) if writes else (options.venue_stale, Mode.STALE),
        )

    def _sends(self) -> tuple[tuple[float, Mode], ...]:
        options = self.options
        return (
            (options.send_killed / 2, Mode.KILLED_BEFORE),
            (options.send_killed / 2, Mode.KILLED_AFTER),
            (options.send_lost, Mode.LOST),
            (options.send_late, Mode.LATE),
            *self._table("venue", True),
        )

    def holding(self, kind: str, now_ms: int) -> bool:
        return any(each.kind == kind and each.holds(now_ms) for each in self.windows)

    def decide(self, process: Process, call: Call) -> Verdict:
        random, now_ms = process.random, process.kernel.now_ms
        least, most = LATENCIES_MS[call.kind]
        latency = (least + (most - least) * random.random()) * process.invocation.slow_factor
        roll = random.random()
        if now_ms >= self.quiet_from_ms:
            return Verdict(Mode.FINE, latency / 2, latency)
        if self.windows:
            down = "store outage" if call.kind == "store" else "venue outage"
            if call.kind != "topic" and self.holding(down, now_ms):
                wait = call.timeout_ms if roll < 0.5 else latency
                return Verdict(Mode.DOWN, 0, wait)
        mode = self._draw("send" if call.name in SENDS else call.kind, call.writes, roll)
        if mode is Mode.FINE or (mode is Mode.STALE and call.stale is None):
            return Verdict(Mode.FINE, latency / 2, latency)
        key = f"{process.invocation.name}#{process.calls} {call.kind}.{call.name}"
        if not self.tape.admit(key, f"{call.kind}.{call.name} {mode}", now_ms):
            return Verdict(Mode.FINE, latency / 2, latency)
        return self._verdict(mode, call, latency, random)

    def _draw(self, table: str, writes: bool, roll: float) -> Mode:
        for share, mode in self.tables[table, writes]:
            if roll < share:
                return mode
            roll -= share
        return Mode.FINE

    def _verdict(self, mode: Mode, call: Call, latency: float, random: Random) -> Verdict:
        if mode is Mode.LOST:
            return Verdict(mode, latency / 2, call.timeout_ms)
        if mode is Mode.LATE:
            return Verdict(mode, call.timeout_ms + random.random() * 120_000, call.timeout_ms)
        if mode is Mode.SLOW:
            return Verdict(mode, latency / 2, 30_000)
        if mode is Mode.DUPLICATE:
            again = random.uniform(5, 2000)
            return Verdict(mode, latency / 2, latency + again, again, second_answer=random.random() < 0.5)
        if mode is Mode.STALE:
            return Verdict(mode, latency / 2, latency, stale_s=random.uniform(0.5, 5))
        return Verdict(mode, latency / 2, latency)
