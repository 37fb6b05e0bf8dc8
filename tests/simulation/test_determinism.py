"""A seed is a day: two interpreters with different hashes simulate the same one."""

from __future__ import annotations

from tests.simulation.faults import Tape
from tests.simulation.options import draw_options
from tests.simulation.run import run_day
from tests.simulation.twice import HASH_SEEDS, compare, fingerprint, fingerprints


def test_four_seeds_are_the_same_in_two_interpreters() -> None:
    assert list(compare(range(1, 5), None)) == [(seed, True) for seed in range(1, 5)]


def test_fingerprints_tell_two_days_apart() -> None:
    found = dict(fingerprints(range(11, 13), "calm", HASH_SEEDS[0]))
    assert found.keys() == {11, 12}
    assert found[11] != found[12]


def test_one_fault_less_is_another_day() -> None:
    options = draw_options(5, "targeted")
    assert fingerprint(run_day(options, Tape())) != fingerprint(run_day(options, Tape(only=frozenset())))
