"""A pytest plugin for mutants: property tests try few examples, always the same ones, and never shrink; short tests
come first.

A mutant's test only has to fail; which example fails, and how small it is, does not matter. Tests carry their own
`@settings`, which beat a profile, so the settings of each test are replaced after collection.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = 25
DURATIONS = Path("mutmut-stats.json")
"""Written by mutmut when it has run the tests without any mutant, into the folder in which it runs them."""

SETTINGS_OF_A_TEST = "_hypothesis_internal_use_settings"


class Collected(Protocol):
    nodeid: str
    obj: object


def pytest_collection_modifyitems(items: list[Collected]) -> None:
    """Most mutants die of a test that takes milliseconds, and the first failure ends a mutant's run."""
    for item in items:
        given = _settings_of(item)
        if given is not None:
            setattr(_function_of(item), SETTINGS_OF_A_TEST, few(given))
    seconds = json.loads(DURATIONS.read_text(encoding="utf-8"))["duration_by_test"] if DURATIONS.exists() else {}
    items.sort(key=lambda item: seconds.get(item.nodeid, 0))


def _function_of(item: Collected) -> object:
    return getattr(item.obj, "__func__", item.obj)


def _settings_of(item: Collected) -> settings | None:
    given = getattr(_function_of(item), SETTINGS_OF_A_TEST, None)
    return given if isinstance(given, settings) else None


def few(given: settings) -> settings:
    return settings(
        given,
        max_examples=min(given.max_examples, EXAMPLES),
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=tuple(HealthCheck),
    )
