"""The core scenarios: every way a position begins, is protected, changes and ends, and what people do meanwhile."""

from __future__ import annotations

from dataclasses import replace

from tests.simulation.scenarios import TOGETHER_S, Act, Idea, Knots, Scenario, ScriptedWorkload, ladder
from trading.model.instruments import Side

LONG = ladder(Side.LONG, "99.5 98.5 98.7 100.5 102.0")
SHORT = ladder(Side.SHORT, "100.5 101.5 101.3 99.5 98.0")
SECOND = ladder(Side.LONG, "29850 29550 29610 30150 30600")

FLAT: Knots = ((0, "100"),)
FILLED: Knots = ((0, "100"), (2, "100"), (3, "99.2"))
"""The entry of LONG rests from minute 1 on and is filled whole within minute 2."""

STOPPED: Knots = (*FILLED, (4, "99.2"), (6, "98.2"))
UP: Knots = (*FILLED, (4, "99.4"), (5, "100.8"))
SECOND_FILLED: Knots = ((0, "30000"), (2, "30000"), (3, "29750"))

BOUGHT = "position OPENING -> PROTECTED"
ENDED = "booked trade"


def _owner_cancels(people: ScriptedWorkload) -> None:
    people.owner_cancels_stop()


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(name="entry filled whole", minutes=6, prices=(FILLED,), ideas=(Idea(levels=LONG),), expects=(BOUGHT,)),
    Scenario(
        name="entry filled in part",
        minutes=7,
        prices=(((0, "100"), (2, "100"), (3, "99.4"), (4, "99.4"), (5, "99.9")),),
        ideas=(Idea(levels=LONG),),
        expects=("entry LIVE -> PARTIAL", "entry CANCEL_PENDING -> CANCELLED"),
    ),
    Scenario(
        name="entry expires",
        minutes=6,
        prices=(FLAT,),
        ideas=(Idea(levels=LONG, life_minutes=4),),
        expects=("entry LIVE -> CANCEL_PENDING", "booked without a trade"),
    ),
    Scenario(
        name="entry invalidated",
        minutes=18,
        prices=(FLAT,),
        index=(((0, "100"), (13, "100"), (14, "99.3"), (16, "99.3"), (17, "100")),),
        ideas=(Idea(minute=12, levels=ladder(Side.LONG, "99.5 98.5 99.4 100.5 102.0")),),
        expects=("entry LIVE -> CANCEL_PENDING", "booked without a trade"),
    ),
    Scenario(name="stop hit", minutes=8, prices=(STOPPED,), ideas=(Idea(levels=LONG),), expects=(BOUGHT, ENDED)),
    Scenario(
        name="target 1, break-even, stop",
        minutes=12,
        prices=((*UP, (7, "100.8"), (9, "99.0")),),
        ideas=(Idea(levels=LONG),),
        expects=(BOUGHT, "exit break_even", ENDED),
    ),
    Scenario(
        name="both targets",
        minutes=10,
        prices=((*UP, (6, "100.8"), (8, "102.4")),),
        ideas=(Idea(levels=LONG),),
        expects=(BOUGHT, "exit break_even"),
    ),
    Scenario(
        name="time exit",
        minutes=21,
        prices=(FILLED,),
        ideas=(Idea(levels=LONG),),
        rules={"exits": {"time_exit_bars": 1}},
        expects=(BOUGHT, "exit time_exit", ENDED),
    ),
    Scenario(
        name="stop cancelled by the owner",
        minutes=8,
        prices=(FILLED,),
        ideas=(Idea(levels=LONG),),
        acts=(Act(minute=5.0, do=_owner_cancels),),
        expects=(BOUGHT, "repaired stop"),
    ),
    Scenario(
        name="ghost opened by the owner",
        minutes=5,
        prices=(FLAT,),
        acts=(Act(minute=1.5, do=lambda people: people.owner_buys(0, 2_000)),),
        expects=("repaired stop",),
    ),
    Scenario(
        name="dip bought by the owner after our stop",
        minutes=9,
        prices=(STOPPED,),
        ideas=(Idea(levels=LONG),),
        acts=(Act(minute=6.05, do=lambda people: people.owner_buys(0, 2_000)),),
        expects=(BOUGHT, "position PROTECTED -> CLOSED", ENDED, "repaired stop"),
    ),
    Scenario(
        name="stop cancelled, guards in one second",
        minutes=8,
        prices=(FILLED,),
        ideas=(Idea(levels=LONG),),
        acts=(Act(minute=5.2, do=_owner_cancels),),
        slots_s=TOGETHER_S,
        expects=(BOUGHT, "repaired stop"),
    ),
    Scenario(
        name="ghost opened, guards in one second",
        minutes=5,
        prices=(FLAT,),
        acts=(Act(minute=1.2, do=lambda people: people.owner_buys(0, 2_000)),),
        slots_s=TOGETHER_S,
        expects=("repaired stop",),
    ),
    Scenario(
        name="pause K1 with a resting entry",
        minutes=7,
        prices=(((0, "100"), (4, "100"), (5, "99.2")),),
        ideas=(Idea(levels=LONG),),
        acts=(Act(minute=2.8, do=lambda people: people.pauses()),),
        expects=(BOUGHT,),
    ),
    Scenario(
        name="pause K2 with a resting entry",
        minutes=6,
        prices=(FLAT,),
        ideas=(Idea(levels=LONG),),
        acts=(Act(minute=2.8, do=lambda people: people.raises_k2()),),
        expects=("entry LIVE -> CANCEL_PENDING",),
    ),
    Scenario(
        name="flatten with a position",
        minutes=8,
        prices=(FILLED,),
        ideas=(Idea(levels=LONG),),
        acts=(Act(minute=4.6, do=lambda people: people.flattens()),),
        expects=(BOUGHT, ENDED),
    ),
    Scenario(
        name="daily-loss halt",
        minutes=9,
        prices=(FLAT, ((0, "30000"), (4, "30000"), (7, "28800"))),
        ideas=(Idea(levels=LONG), Idea(minute=7.5, levels=ladder(Side.LONG, "99.6 98.6 98.8 100.6 102.1"))),
        acts=(Act(minute=1.5, do=lambda people: people.owner_buys(1, 9_000)),),
        rules={"risk": {"daily_loss_pct": 2}},
        expects=("repaired stop", "entry LIVE -> CANCEL_PENDING", "limit daily_loss:refused"),
    ),
    Scenario(
        name="stop refused while flat",
        minutes=7,
        prices=(FILLED,),
        ideas=(Idea(levels=LONG),),
        stop_when_flat=False,
        expects=("protective SENDING -> REJECTED", "position OPENING -> UNPROTECTED", "entry LIVE -> FILLED"),
    ),
    Scenario(
        name="owner sells what we watch",
        minutes=8,
        prices=(((0, "100"), (4, "100"), (6, "99.2")),),
        ideas=(Idea(levels=LONG),),
        acts=(Act(minute=2.3, do=lambda people: people.owner_sells(0, 300)),),
        stop_when_flat=False,
        expects=("entry PLANNED -> ABANDONED", "repaired stop", "booked without a trade"),
    ),
    Scenario(
        name="short: target 1, break-even, stop",
        minutes=12,
        prices=(
            (
                (0, "100"),
                (2, "100"),
                (3, "100.8"),
                (4, "100.6"),
                (5, "99.2"),
                (7, "99.2"),
                (9, "101.0"),
            ),
        ),
        ideas=(Idea(levels=SHORT),),
        expects=(BOUGHT, "exit break_even", ENDED),
    ),
    Scenario(
        name="two coins at once",
        minutes=9,
        prices=((*STOPPED,), (*SECOND_FILLED, (4, "29850"), (5, "30250"))),
        ideas=(Idea(levels=LONG), Idea(levels=SECOND, coin=1)),
        expects=(BOUGHT, "exit break_even", ENDED),
    ),
)


TIER_B = "B: "
"""Begins the name of a scenario that is played on tier B."""


def scenario_of(name: str) -> Scenario:
    if name.startswith(TIER_B):
        return replace(scenario_of(name.removeprefix(TIER_B)), name=name, tier="B")
    found = {each.name: each for each in SCENARIOS}
    if name not in found:
        raise ValueError(f"no scenario {name!r}; expected one of {', '.join(found)}")
    return found[name]
