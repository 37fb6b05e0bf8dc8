"""What a campaign asks of its own faults: days without them prove nothing, however many they are."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation.campaign import FEWEST_FAULTS, LOST_REPLY, MIX_FROM_DAYS, DayResult, Summary, profile_of
from tests.simulation.options import draw_options
from tests.simulation.report import tell_summary

SENDS = 40


def day(seed: int, *, lost: int, others: int = FEWEST_FAULTS, profile: str = "swarm", sends: int = SENDS) -> DayResult:
    counts: dict[str, int] = dict.fromkeys(
        ("orders", "entries", "fills", "trades", "slots", "thinned", "invocations"), 0
    )
    faults = Counter({LOST_REPLY: lost, "slot late": others})
    empty: Counter[str] = Counter()
    return DayResult(
        seed=seed,
        profile=profile,
        options="",
        digest="",
        violations=(),
        faults=faults,
        counts=empty,
        examined=empty,
        naked_s=(),
        sends=sends,
        cpu_s=1.0,
        **counts,
    )


def campaign(*days: DayResult) -> Summary:
    return Summary(results=list(days))


def lossy(count: int, of: int = MIX_FROM_DAYS) -> list[DayResult]:
    """So many days of all lose two replies of forty, the others one."""
    return [day(seed, lost=2 if seed < count else 1) for seed in range(of)]


def test_half_of_days_with_lost_replies_suffices() -> None:
    assert campaign(*lossy(50)).missed() == []


def test_fewer_days_with_lost_replies_are_missed() -> None:
    found = campaign(*lossy(49)).missed()
    assert found == ["replies lost on 5% of the sends on 49 of 100 days; expected half"]


def test_day_without_a_send_loses_no_reply() -> None:
    assert campaign(day(0, lost=0, sends=0)).lossy_days() == 0


def test_quiet_day_of_a_mixed_campaign_is_missed() -> None:
    days = [*lossy(99, of=99), day(99, lost=2, others=FEWEST_FAULTS - 3)]
    assert campaign(*days).missed() == ["39 faults on a day; expected 40 or more"]


def test_calm_day_may_have_no_fault() -> None:
    assert campaign(*lossy(99, of=99), day(99, lost=0, others=0, profile="calm")).missed() == []


def test_nothing_is_asked_of_few_days() -> None:
    assert campaign(*lossy(0, of=MIX_FROM_DAYS - 1)).missed() == []


@pytest.mark.parametrize(("profile", "code"), [(None, 1), ("clock", 0)])
def test_only_a_mixed_campaign_fails_by_its_faults(
    profile: str | None, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell_summary(campaign(*lossy(0)), profile) == code
    assert ("TOO FEW FAULTS: replies lost" in capsys.readouterr().out) is bool(code)


def test_most_seeds_draw_lost_replies() -> None:
    drawn = [draw_options(seed, profile_of(seed, None)).send_lost for seed in range(1200)]
    assert 800 <= sum(share >= 0.08 for share in drawn) <= 880
    assert not any(0 < share < 0.08 for share in drawn)
