"""How a defect gets into the real code: an attribute of the product is replaced for a while, from the test tree."""

from __future__ import annotations

import inspect
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
    """Each replacement is (owner, name, function of the old value). ValueError where the new one cannot be called as
    the old one is: its own TypeError would be seen in the place of the defect."""

    @contextmanager
    def plant() -> Iterator[None]:
        with ExitStack() as stack:
            for owner, name, change in replacements:
                before = _value(owner, name)
                after = change(before)
                _check_calls(name, before, after)
                stack.enter_context(replaced(owner, name, after))
            yield

    return plant


def _check_calls(name: str, before: Any, after: Any) -> None:
    if not (inspect.isfunction(before) and inspect.isfunction(after)):
        return
    asked = inspect.signature(before).parameters.values()
    positional = [each.name for each in asked if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    named = {each.name: each.name for each in asked if each.kind is each.KEYWORD_ONLY}
    try:
        inspect.signature(after).bind(*positional, **named)
    except TypeError as error:
        raise ValueError(f"what is planted for {name}{inspect.signature(before)} does not fit: {error}") from error
