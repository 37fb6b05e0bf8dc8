"""The scripts do what they are named for, and a process may die at any call of some of them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.simulation.crash_points import Outcome, Site, plan, run_scenario
from tests.simulation.defects import DEFECTS
from tests.simulation.faults import Mode
from tests.simulation.scenario_list import SCENARIOS, scenario_of
from tests.simulation.scenarios import Scenario


def problems(outcome: Outcome) -> list[str]:
    what = " and ".join(outcome.faults)
    found = [f"{what}: {each.name} {each.text}" for each in outcome.violations]
    if outcome.stands_too_long:
        found.append(f"{what}: {outcome.longest_naked_s:.1f} s without a full stop")
    return found


def sends(sites: tuple[Site, ...]) -> list[Mapping[int, Mode]]:
    return [{each.number: mode} for each in sites if each.name == "place" for mode in each.modes()]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each.name for each in SCENARIOS])
def test_script_without_faults_does_what_it_says(scenario: Scenario) -> None:
    planned = plan(scenario)
    assert not planned.missing
    assert not problems(planned.base)
    assert len(planned.single) > 4 * len(planned.base.sites)


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("entry filled in part", 150),
        ("stop refused while flat", 150),
        ("ghost opened by the owner", 60),
        ("stop cancelled by the owner", 150),
        ("stop cancelled, guards in one second", 150),
        ("ghost opened, guards in one second", 60),
    ],
)
def test_process_may_die_after_any_call(name: str, calls: int) -> None:
    scenario = scenario_of(name)
    sites = plan(scenario).base.sites
    found = [run_scenario(scenario, {each.number: Mode.KILLED_AFTER}) for each in sites]
    assert len(found) > calls
    assert [text for each in found for text in problems(each)] == []


@pytest.mark.parametrize(
    "name", ["entry filled whole", "target 1, break-even, stop", "short: target 1, break-even, stop"]
)
def test_any_send_may_fail_in_every_way(name: str) -> None:
    scenario = scenario_of(name)
    tries = sends(plan(scenario).base.sites)
    assert len(tries) >= 7
    assert [text for each in tries for text in problems(run_scenario(scenario, each))] == []


def test_fault_hits_the_call_that_was_counted() -> None:
    scenario = scenario_of("ghost opened by the owner")
    site = next(each for each in plan(scenario).base.sites if each.name == "place")
    outcome = run_scenario(scenario, {site.number: Mode.KILLED_AFTER})
    assert outcome.faults == (f"{site.told} killed after",)
    assert outcome.digest != plan(scenario).base.digest


def test_same_point_twice_is_the_same_run() -> None:
    scenario = scenario_of("entry filled in part")
    first, second = (run_scenario(scenario, {60: Mode.LOST}) for _ in range(2))
    assert first.digest == second.digest


def test_planted_defect_shows_at_some_send() -> None:
    defect = next(each for each in DEFECTS if each.name == "unknown entry is sent again under a new id")
    scenario = scenario_of("entry filled whole")
    with defect.plant():
        tries = [run_scenario(scenario, each) for each in sends(plan(scenario).base.sites)]
    assert any(each.violations for each in tries)


def test_pairs_are_drawn_from_the_modes_of_their_calls() -> None:
    planned = plan(scenario_of("entry expires"))
    pairs = planned.pairs(20, seed=1)
    assert pairs == planned.pairs(20, seed=1)
    assert pairs != planned.pairs(20, seed=2)
    for pair in pairs:
        assert len(pair) == 2
        assert all(mode in planned.base.sites[number].modes() for number, mode in pair.items())


def test_pairs_run_though_the_first_fault_changes_the_calls() -> None:
    """After a fault there may be no call of the second one's number, or one that cannot fail like that."""
    scenario = scenario_of("ghost opened by the owner")
    planned = plan(scenario)
    outcomes = [run_scenario(scenario, each) for each in planned.pairs(60, seed=1)]
    assert {len(each.faults) for each in outcomes} == {1, 2}
    assert [text for each in outcomes for text in problems(each)] == []
    beyond = run_scenario(scenario, {len(planned.base.sites) + 1000: Mode.KILLED_BEFORE})
    assert not beyond.faults
    assert beyond.digest == planned.base.digest
