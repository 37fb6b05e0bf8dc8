"""About 3,000 cases of every kind, and every case that ever failed. All of them: `make fuzz`."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.fuzz.corpus import Case, case_of
from tests.fuzz.handlers import Handlers
from tests.fuzz.kinds import SHARES, kinds, numbers_of
from tests.fuzz.running import kept_cases, line_of, run

COUNT, SEED = 3_000, 7
KEPT = kept_cases()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True, scope="module")
def stage_is_taken_down() -> Iterator[None]:
    yield
    handlers = kinds()["handlers"]
    assert isinstance(handlers, Handlers)
    handlers.close()


@pytest.mark.parametrize("name", SHARES)
def test_no_mutated_text_does_what_it_must_not(name: str) -> None:
    tally = run(kinds()[name], SEED, numbers_of(name, COUNT))
    told = [f"{line_of(case, SEED, why)} | {count} like it" for count, case, why in tally.failures.values()]
    assert not told, "\n".join(told)
    assert len(tally.outcomes) > 1, f"all cases end alike: {tally.outcomes}"


@pytest.mark.parametrize("case", [each for _, each in KEPT], ids=[name for name, _ in KEPT])
def test_case_that_failed_before_fails_no_more(case: Case) -> None:
    kinds()[case.kind].judge(case.entry, case.given)


@pytest.mark.parametrize("name", SHARES)
def test_same_seed_and_number_give_the_same_case(name: str) -> None:
    kind = kinds()[name]
    assert case_of(kind, SEED, 11) == case_of(kind, SEED, 11)
    assert case_of(kind, SEED, 11).given != case_of(kind, SEED + 1, 11).given
