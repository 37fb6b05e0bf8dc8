"""What is looked at every five minutes only, because one look takes a dozen requests: queues, secrets, every coin.

What was found is kept in the health record, with its time, and the runs until the next look take it from there. A part
that could not be read says why, and is tried again a minute later; what was known of it is kept for that look.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from functions.check_health.coins import CoinsLook, CoinSources, look_at_coins
from shared.failures import FAILURES
from shared.queues import QueueDepth
from shared.storage.codec import from_json, to_json
from shared.storage.control import HEALTH_FUNCTION, RunRecord
from trading.errors import CorruptRecord

LOOK_EVERY = timedelta(minutes=5)
SEEN_LATELY = 2 * LOOK_EVERY
SHOWN_CHARACTERS = 200

QUEUES, SECRETS, COINS = "queues", "secrets", "coins"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLook:
    """`busy_since`: None when no message waited; else when it was last seen without one, or first seen with one. No
    message that waits is older than that if it was seen empty then."""

    name: str
    waiting: int
    taken: int
    busy_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuesLook:
    """`dead`: messages by dead-letter queue. `new_dead`: there are some that no published alert has named yet."""

    at: datetime
    queues: tuple[QueueLook, ...]
    dead: tuple[tuple[str, int], ...]
    new_dead: bool

    @property
    def dead_messages(self) -> int:
        return sum(count for _, count in self.dead)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsLook:
    """Which of the secrets that are needed have a value."""

    at: datetime
    present: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A part is None when it was never read. `problems` says, by part, why it could not be read now: what is there of
    it is then what was known before, to go on from and not to be shown."""

    queues: QueuesLook | None = None
    secrets: SecretsLook | None = None
    coins: CoinsLook | None = None
    problems: tuple[tuple[str, str], ...] = ()

    def to_object(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(to_json(self))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where to look. `secrets`: ids by name, only those that this mode needs. `depth` and `has_value` ask AWS."""

    queues: Mapping[str, str]
    dead_letters: Mapping[str, str]
    secrets: Mapping[str, str]
    depth: Callable[[str], QueueDepth]
    has_value: Callable[[str], bool]
    coins: CoinSources


def last_look(runs: Mapping[str, RunRecord]) -> Look:
    """What the health record before this one holds; nothing when there is none, or none that this code can read."""
    own = runs.get(HEALTH_FUNCTION)
    kept = own.proof.get("look") if own else None
    try:
        return from_json(Look, json.dumps(kept)) if isinstance(kept, dict) else Look()
    except CorruptRecord:
        return Look()


def look(places: Places, runs: Mapping[str, RunRecord] | None, now: datetime) -> Look:
    """Renew the parts that are due. `runs` is None when the store does not answer: then no coin is looked at."""
    known = replace(last_look(runs or {}), problems=())
    looked = known
    looked = _renewed(looked, QUEUES, now, lambda: _look_at_queues(places, known.queues, now))
    looked = _renewed(looked, SECRETS, now, lambda: _look_at_secrets(places, now))
    if runs is None:
        return looked
    return _renewed(looked, COINS, now, lambda: look_at_coins(places.coins, known.coins, runs, now))


def _renewed(looked: Look, part: str, now: datetime, renew: Callable[[], Any]) -> Look:
    before = getattr(looked, part)
    if before is not None and timedelta(0) <= now - before.at < LOOK_EVERY:
        return looked
    try:
        return replace(looked, **{part: renew()})
    except FAILURES as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())[:SHOWN_CHARACTERS]
        return replace(looked, problems=(*looked.problems, (part, why)))


def _look_at_queues(places: Places, before: QueuesLook | None, now: datetime) -> QueuesLook:
    known = {each.name: each for each in before.queues} if before else {}
    queues = []
    for name, url in places.queues.items():
        depth = places.depth(url)
        since = _busy_since(known.get(name), before, now) if depth.waiting else None
        queues.append(QueueLook(name=name, waiting=depth.waiting, taken=depth.taken, busy_since=since))
    dead = tuple((name, places.depth(url).waiting) for name, url in places.dead_letters.items())
    total = sum(count for _, count in dead)
    untold = before is not None and before.new_dead and total > 0
    more = total > (before.dead_messages if before else 0)
    return QueuesLook(at=now, queues=tuple(queues), dead=dead, new_dead=more or untold)


def _busy_since(queue: QueueLook | None, before: QueuesLook | None, now: datetime) -> datetime:
    if queue is None or before is None:
        return now
    # After looks that failed, "it was empty then" is too long ago to say that it has been busy since.
    seen_empty = before.at if now - before.at <= SEEN_LATELY else now
    return queue.busy_since or seen_empty


def _look_at_secrets(places: Places, now: datetime) -> SecretsLook:
    present = tuple((name, places.has_value(secret)) for name, secret in places.secrets.items())
    return SecretsLook(at=now, present=present)
