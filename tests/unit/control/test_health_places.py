"""How queues and secrets are looked at, and what the next run takes over from the record."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from functions.check_health.look import LOOK_EVERY, Look, Places, last_look, look
from shared.queues import QueueDepth, named_queues
from shared.storage.control import HEALTH_FUNCTION, RunRecord
from tests.unit.control.health_facts import COINS, LOOK, MINUTE
from tests.unit.control.records import NOW
from trading.errors import InvalidInput

REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetQueueAttributes")


@dataclass
class Account:
    """Queues and secrets of an account that can be out of reach."""

    waiting: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, bool] = field(default_factory=lambda: {"trading-id": True})
    broken: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def depth(self, url: str) -> QueueDepth:
        self.asked.append(url)
        if self.broken:
            raise self.broken
        return QueueDepth(waiting=self.waiting.get(url, 0), taken=2)

    def has_value(self, secret: str) -> bool:
        self.asked.append(secret)
        if self.broken:
            raise self.broken
        return self.secrets[secret]

    @property
    def places(self) -> Places:
        return Places(
            queues={"bars": "bars-url", "signals": "signals-url"},
            dead_letters={"runs": "runs-url"},
            secrets={"trading": "trading-id"},
            depth=self.depth,
            has_value=self.has_value,
            coins=cast(Any, None),
        )


def recorded(found: Look, at: datetime) -> dict[str, RunRecord]:
    """As the health record of that run holds it; coins looked at just now, so that nobody asks for them."""
    kept = replace(found, coins=replace(COINS, at=at))
    proof = json.loads(json.dumps({"look": kept.to_object()}))
    return {HEALTH_FUNCTION: RunRecord(function=HEALTH_FUNCTION, at=at, proof=proof)}


def looked(account: Account, before: Look = LOOK, now: datetime = NOW) -> Look:
    return look(account.places, recorded(before, now), now)


def fresh() -> Look:
    return replace(LOOK, queues=None, secrets=None)


def test_record_gives_back_what_was_looked_at() -> None:
    assert last_look(recorded(LOOK, NOW)) == LOOK


@pytest.mark.parametrize("kept", [None, 7, "text", {"queues": {"at": "yesterday"}}, {"other": 1}])
def test_unreadable_look_is_looked_at_anew(kept: object) -> None:
    own = RunRecord(function=HEALTH_FUNCTION, at=NOW, proof={"look": kept})
    assert last_look({HEALTH_FUNCTION: own}) == Look()
    assert last_look({}) == Look()


@pytest.mark.parametrize(("age", "asks"), [(timedelta(0), 0), (LOOK_EVERY - MINUTE, 0), (LOOK_EVERY, 4)])
def test_look_is_renewed_after_five_minutes(age: timedelta, asks: int) -> None:
    account = Account()
    found = looked(account, now=NOW + age)
    assert len(account.asked) == asks
    assert found.queues is not None
    assert found.queues.at == (NOW + age if asks else NOW)


def test_look_of_the_future_is_not_believed() -> None:
    account = Account()
    found = look(account.places, None, NOW)
    assert found.queues is not None
    own = recorded(replace(LOOK, queues=replace(found.queues, at=NOW + MINUTE)), NOW)
    again = look(account.places, own, NOW)
    assert again.queues is not None
    assert again.queues.at == NOW


def test_first_look_counts_every_queue() -> None:
    account = Account(waiting={"bars-url": 3, "runs-url": 1})
    found = looked(account, fresh()).queues
    assert found is not None
    assert [(each.name, each.waiting, each.taken, each.busy_since) for each in found.queues] == [
        ("bars", 3, 2, NOW),
        ("signals", 0, 2, None),
    ]
    assert (found.dead, found.dead_messages, found.new_dead) == ((("runs", 1),), 1, True)


def test_queue_is_busy_since_it_was_last_seen_empty() -> None:
    account = Account()
    first = looked(account, fresh())
    account.waiting["bars-url"] = 1
    second = looked(account, first, NOW + LOOK_EVERY)
    third = looked(account, second, NOW + 2 * LOOK_EVERY)
    for found in (second, third):
        assert found.queues is not None
        assert found.queues.queues[0].busy_since == NOW
    account.waiting.clear()
    last = looked(account, third, NOW + 3 * LOOK_EVERY).queues
    assert last is not None
    assert last.queues[0].busy_since is None


def test_queue_that_is_new_is_busy_from_now() -> None:
    account = Account(waiting={"signals-url": 1})
    first = looked(account, fresh())
    assert first.queues is not None
    known = replace(first, queues=replace(first.queues, queues=first.queues.queues[:1]))
    later = looked(account, known, NOW + LOOK_EVERY).queues
    assert later is not None
    assert later.queues[1].busy_since == NOW + LOOK_EVERY


@pytest.mark.parametrize(("before", "after", "new"), [(0, 1, True), (1, 1, False), (2, 1, False), (1, 2, True)])
def test_dead_letters_are_new_when_there_are_more(before: int, after: int, new: bool) -> None:
    account = Account(waiting={"runs-url": before})
    first = looked(account, fresh())
    first = replace(first, queues=replace(first.queues, new_dead=False)) if first.queues else first
    account.waiting["runs-url"] = after
    found = looked(account, first, NOW + LOOK_EVERY).queues
    assert found is not None
    assert found.new_dead is new


def test_dead_letters_stay_new_until_they_are_gone() -> None:
    account = Account(waiting={"runs-url": 1})
    first = looked(account, fresh())
    again = looked(account, first, NOW + LOOK_EVERY)
    account.waiting.clear()
    gone = looked(account, again, NOW + 2 * LOOK_EVERY)
    assert [each.queues.new_dead for each in (first, again, gone) if each.queues] == [True, True, False]


@pytest.mark.parametrize("error", [REFUSED, ReadTimeoutError(endpoint_url="http://sqs")])
def test_part_that_cannot_be_read_is_unknown(error: Exception) -> None:
    account = Account(broken=error)
    found = looked(account, fresh())
    assert (found.queues, found.secrets) == (None, None)
    assert [(part, why.partition(":")[0]) for part, why in found.problems] == [
        ("queues", type(error).__name__),
        ("secrets", type(error).__name__),
    ]
    # One refusal is enough: the others would only take the run's time.
    assert account.asked == ["bars-url", "trading-id"]


def test_failed_look_forgets_nothing() -> None:
    account = Account(waiting={"bars-url": 1, "runs-url": 1})
    first = looked(account, fresh())
    known = replace(first, queues=replace(first.queues, new_dead=False)) if first.queues else first
    account.broken = REFUSED
    failed = looked(account, known, NOW + LOOK_EVERY)
    assert (failed.queues, len(failed.problems)) == (known.queues, 2)
    account.broken = None
    found = looked(account, failed, NOW + LOOK_EVERY + MINUTE).queues
    assert found is not None
    assert (found.at, found.queues[0].busy_since, found.new_dead) == (NOW + LOOK_EVERY + MINUTE, NOW, False)


def test_queue_seen_empty_long_ago_is_busy_from_now() -> None:
    account = Account()
    first = looked(account, fresh())
    account.waiting["bars-url"] = 1
    for age, since in ((10 * MINUTE, NOW), (11 * MINUTE, NOW + 11 * MINUTE)):
        found = looked(account, first, NOW + age).queues
        assert found is not None
        assert found.queues[0].busy_since == since


def test_unknown_part_is_tried_again_a_minute_later() -> None:
    account = Account(broken=REFUSED)
    first = looked(account, fresh())
    account.broken = None
    found = looked(account, first, NOW + MINUTE)
    assert found.problems == ()
    assert found.queues is not None
    assert found.secrets is not None


@pytest.mark.parametrize("present", [True, False])
def test_secret_without_a_value_is_seen(present: bool) -> None:
    found = looked(Account(secrets={"trading-id": present}), fresh()).secrets
    assert found is not None
    assert found.present == (("trading", present),)


def test_coins_are_not_looked_at_without_the_store() -> None:
    found = look(Account().places, None, NOW)
    assert (found.coins, found.problems) == (None, ())
    assert found.queues is not None


def test_queue_lists_are_read_by_name() -> None:
    assert named_queues("bars=http://q/1,runs=http://q/2") == {"bars": "http://q/1", "runs": "http://q/2"}
    for wrong in ("", "bars", "=url", "bars=", "bars=url,"):
        with pytest.raises(InvalidInput, match="expected name=url, separated by commas"):
            named_queues(wrong)
