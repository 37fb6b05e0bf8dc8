"""How a defect gets into the real code: an attribute of the product is replaced for a while, from the test tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

Plant = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """`story`: where it has really happened. `profiles`: the days on which it is looked for, in turn."""

    name: str
    story: str
    plant: Plant
    profiles: tuple[str, ...] = ("swarm", "targeted", "storm", "human")


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Another value for `owner.name`; the old one comes back whatever happens."""
    before = _value(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _value(owner: Any, name: str) -> Any:
    """As it stands in a class or module, so that nothing is bound to anything."""
    return vars(owner)[name] if name in vars(owner) else getattr(owner, name)


def planted(*replacements: tuple[Any, str, Callable[[Any], Any]]) -> Plant:
    """Each replacement is (owner, name, function of the old value)."""

    @contextmanager
    def plant() -> Iterator[None]:
        with ExitStack() as stack:
            for owner, name, change in replacements:
                stack.enter_context(replaced(owner, name, change(_value(owner, name))))
            yield

    return plant
