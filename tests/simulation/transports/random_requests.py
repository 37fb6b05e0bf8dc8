"""Random requests through real PynamoDB models, the same for the same seed, whatever answers them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions import condition as conditions
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from tests.fakes.cloud import LEDGER, REGION

_MAP: Any = MapAttribute
size: Any = conditions.size
Outcome = tuple[Any, ...]
"""What became of one request: its name and what was read, or the error with the codes that our code looks at."""

PARTITIONS, SORTS = ("a", "b"), ("x#1", "x#2", "y#1", "é")
WORDS = ("", "x", "xy", "word", "Wort", "é")
NUMBERS = (-2, 0, 1, 2.5, 10, 9, 12345678901)
BYTES = (b"\x00", b"ab", b"\xff\xfe", b"abc")


class Thing(Model):
    """An item with an attribute of every type that we might store."""

    class Meta:
        table_name = LEDGER
        region = REGION

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    text = UnicodeAttribute(null=True)
    number = NumberAttribute(null=True)
    data = BinaryAttribute(null=True, legacy_encoding=False)
    tags = UnicodeSetAttribute(null=True)
    parts: Any = ListAttribute(null=True)
    tree: Any = _MAP(null=True)


class RandomRequests:
    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def play(self, count: int) -> Iterator[Outcome]:
        """Make so many requests one after the other. The choice of each depends on the seed only."""
        kinds = (self.save, self.save, self.update, self.update, self.delete, self.get, self.query, self.batch)
        for _ in range(count):
            kind: Callable[[], Callable[[], Any]] = self._random.choice((*kinds, self.transact))
            request = kind()
            try:
                outcome: Outcome = (kind.__name__, request())
            except PynamoDBException as error:
                reasons = error.cancellation_reasons if isinstance(error, TransactWriteError) else []
                codes = tuple(reason.code if reason else None for reason in reasons)
                outcome = (kind.__name__, type(error).__name__, error.cause_response_code, codes)
            yield outcome

    def save(self) -> Callable[[], Any]:
        thing, condition = self._thing(), self._maybe_condition()
        return lambda: _nothing(thing.save(condition=condition))

    def update(self) -> Callable[[], Any]:
        thing, actions, condition = self._empty_thing(), self._actions(), self._maybe_condition()

        def run() -> Any:
            thing.update(actions=actions, condition=condition)
            return shown(thing)

        return run

    def delete(self) -> Callable[[], Any]:
        thing, condition = self._empty_thing(), self._maybe_condition()
        return lambda: _nothing(thing.delete(condition=condition))

    def get(self) -> Callable[[], Any]:
        key, wanted = self._key(), self._random.choice((None, ["text", "number"], ["tags"]))
        return lambda: shown(Thing.get(*key, consistent_read=True, attributes_to_get=wanted))

    def query(self) -> Callable[[], Any]:
        random = self._random
        named: dict[str, Any] = {
            "range_key_condition": random.choice((None, *self._sort_conditions())),
            "filter_condition": self._maybe_condition(of_key=False),
            "limit": random.choice((None, 1, 2, 3)),
            "page_size": random.choice((None, 1, 2)),
            "scan_index_forward": random.choice((None, True, False)),
        }
        partition = random.choice(PARTITIONS)
        return lambda: [shown(each) for each in Thing.query(partition, consistent_read=True, **named)]

    def batch(self) -> Callable[[], Any]:
        keys = self._random.sample([(pk, sk) for pk in PARTITIONS for sk in SORTS], self._random.randint(1, 5))
        if self._random.random() < 0.5:
            return lambda: sorted((shown(each) for each in Thing.batch_get(keys, consistent_read=True)), key=repr)
        things = [self._thing(key) for key in keys]
        gone = self._random.random() < 0.3

        def run() -> None:
            with Thing.batch_write() as batch:
                for thing in things:
                    if gone:
                        batch.delete(thing)
                    else:
                        batch.save(thing)

        return run

    def transact(self) -> Callable[[], Any]:
        writes = [self._transact_one() for _ in range(self._random.randint(1, 3))]

        def run() -> None:
            with TransactWrite(connection=Thing._get_connection().connection) as transaction:
                for write in writes:
                    write(transaction)

        return run

    def _transact_one(self) -> Callable[[TransactWrite], None]:
        thing, condition, key = self._thing(), self._maybe_condition(), self._key()
        certain, actions, empty = self.condition(), self._actions(), self._empty_thing()
        return self._random.choice(
            (
                lambda transaction: transaction.save(thing, condition=condition),
                lambda transaction: transaction.delete(empty, condition=condition),
                lambda transaction: transaction.update(empty, actions, condition=condition),
                lambda transaction: transaction.condition_check(Thing, *key, condition=certain),
            )
        )

    # parts of requests

    def condition(self, depth: int = 2, *, of_key: bool = True) -> Condition:
        random = self._random
        if depth and random.random() < 0.4:
            left, right = self.condition(depth - 1, of_key=of_key), self.condition(depth - 1, of_key=of_key)
            joined: Condition = random.choice((left & right, left | right, ~left))
            return joined
        found: Condition = random.choice(self._conditions(of_key))
        return found

    def _maybe_condition(self, *, of_key: bool = True) -> Condition | None:
        return self.condition(of_key=of_key) if self._random.random() < 0.5 else None

    def _conditions(self, of_key: bool) -> list[Condition]:
        random = self._random
        word, number, data = random.choice(WORDS), random.choice(NUMBERS), random.choice(BYTES)
        low, high = sorted(random.sample(NUMBERS, 2))
        plain: list[Any] = [
            *(Thing.text == word, Thing.text != word, Thing.text < word, Thing.text >= word, Thing.data <= data),
            *(Thing.number == number, Thing.number != number, Thing.number > number, Thing.number <= number),
            *(Thing.number.between(low, high), Thing.number.is_in(low, high), Thing.data == data),
            *(Thing.text.startswith(word or "x"), Thing.text.contains(word or "x"), Thing.tags.contains(word or "x")),
            *(Thing.text.exists(), Thing.number.does_not_exist(), _is_text(Thing.text), Thing.parts.exists()),
            *(Thing.text.exists() & (size(Thing.text) > 1), Thing.data.exists() & (size(Thing.data) <= 2)),
            *(Thing.tags.exists() & (size(Thing.tags) == 1), Thing.parts.exists() & (size(Thing.parts) >= 1)),
            *(
                Thing.tree["leaf"] == word,
                Thing.parts[0] == number,
                Thing.text.exists() & (Thing.text == Thing.tree["leaf"]),
            ),
        ]
        return [*plain, Thing.pk.exists(), Thing.pk.does_not_exist()] if of_key else plain

    def _sort_conditions(self) -> tuple[Condition, ...]:
        low, high = sorted(self._random.sample(SORTS, 2))
        return (
            *(Thing.sk == low, Thing.sk < high, Thing.sk <= low, Thing.sk > low, Thing.sk >= high),
            *(Thing.sk.startswith("x"), Thing.sk.between(low, high)),
        )

    def _actions(self) -> list[Action]:
        random = self._random
        number = random.choice((1, 2, -3))
        groups: tuple[tuple[Action, ...], ...] = (
            (Thing.text.set(random.choice(WORDS)), Thing.text.remove()),
            (
                *(Thing.number.set(number), Thing.number.set(Thing.number + number), Thing.number.add(number)),
                *(Thing.number.set(Thing.number | 5), Thing.number.set(Thing.number - number)),
            ),
            (Thing.data.set(random.choice(BYTES)), Thing.data.remove()),
            (Thing.tags.add({"x", "new"}), Thing.tags.delete({"x"}), Thing.tags.set({"word"})),
            (
                *(Thing.parts.set([number, "x"]), Thing.parts.set(Thing.parts.append([number])), Thing.parts.remove()),
                *(Thing.parts[0].set(number), Thing.parts[0].remove()),
            ),
            (
                Thing.tree.set({"leaf": random.choice(WORDS)}),
                Thing.tree["leaf"].set("new"),
                Thing.tree["leaf"].remove(),
            ),
        )
        return [random.choice(group) for group in random.sample(groups, random.randint(1, 3))]

    def _key(self) -> tuple[str, str]:
        return self._random.choice(PARTITIONS), self._random.choice(SORTS)

    def _empty_thing(self) -> Thing:
        return Thing(*self._key())

    def _thing(self, key: tuple[str, str] | None = None) -> Thing:
        random = self._random
        choices: dict[str, Any] = {
            "text": random.choice(WORDS),
            "number": random.choice(NUMBERS),
            "data": random.choice(BYTES),
            "tags": set(random.sample(WORDS[1:], 2)),
            "parts": random.sample(NUMBERS, 2),
            "tree": {"leaf": random.choice(WORDS)},
        }
        return Thing(*(key or self._key()), **{name: choices[name] for name in random.sample(sorted(choices), 4)})


def shown(thing: Thing) -> dict[str, Any]:
    """The attributes of an item that has any, comparable."""
    found = {name: getattr(thing, name) for name in thing.get_attributes()}
    found["tree"] = found["tree"].as_dict() if found["tree"] is not None else None
    return {name: value for name, value in found.items() if value is not None}


def _is_text(attribute: Any) -> Any:
    return attribute.is_type()


def _nothing(_: object) -> None:
    return None
