"""The comparison with smartmoneyconcepts: every row is counted once, and every cause is what it says."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from infra.research import peer_causes as causes
from infra.research.peer_causes import CAUSES, Comparison, Difference, Evidence, Row
from infra.research.peer_differences import differences, main
from infra.research.peer_report import Report, as_markdown, as_record, counted
from infra.research.peer_rows import our_rows, read_prices, read_tables
from infra.research.peer_rules import PeerBreak, PeerSwing, Prices, breaks_of, single, swings_of
from tests.unit.smc.bars import CASES, NO_CASES

BREAKS, DELETED, CREATED = "BOS and CHoCH", "BOS and CHoCH the peer deleted", "order blocks ever created"
LISTED, SWINGS = "order blocks still listed", "swings"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason=NO_CASES)

# Bars as closes in ten-thousandths above 1; ^ is the wick above the close, _ the one below. Swing length 2.
HAND_MADE = {
    (BREAKS, causes.BOTH, causes.NAMED): "23 23 25_1 21_6 21^3 18_7 23 26_1",
    (BREAKS, causes.BOTH, causes.ROUNDED): "19 17 18 17 18 18 17 16",
    (BREAKS, causes.THEIRS, causes.ROUNDED): "23 23 25 27_5 26 27^3 25 22^8_4",
    (BREAKS, causes.THEIRS, causes.NEWER_LEVEL): "12 18^2 22_6 24^3 23 21 26^6 24 29",
    (BREAKS, causes.THEIRS, causes.ERASED_BETWEEN): "27 34 34 36 30 33_2 32 30 35_4 34^7_7 39_1 35",
    (BREAKS, causes.OURS, causes.ERASED_SWING): "11^3 2^5 1 1^7_2 5 8 12^8 15 12^3",
    (BREAKS, causes.OURS, causes.ERASED_ROW): "22 26 35 42 36 38 36 44 43 37 29",
    (BREAKS, causes.OURS, causes.NO_PATTERN): "15 13 13 9 13 10 5 9",
    (BREAKS, causes.OURS, causes.TOO_FEW): "20 20 17 16^7 17 20 23_5 24",
    (DELETED, causes.THEIRS, causes.NEWER_LEVEL): "16^2 25 18 12_5 16_7 20 12_8 9^1 15 17 9 2_6",
    (CREATED, causes.THEIRS, causes.INVENTED): "17 20 19 17 20 21 19 22",
    (CREATED, causes.THEIRS, causes.ERASED_BETWEEN): "21_4 22 24 25 20 25_4 23 25 24 27 22 16",
    (CREATED, causes.OURS, causes.ERASED_SWING): "11^3 2^5 1 1^7_2 5 8 12^8 15 12^3",
    (CREATED, causes.OURS, causes.SWING_AHEAD): "26 22^4_6 19 27^5_5 27_2 22^4 31^7 37_4 33_4",
    (LISTED, causes.OURS, causes.ERASED_BLOCK): "15 19 23 18 18 18 17 20 17",
    (LISTED, causes.OURS, causes.OVERWRITTEN): "19 19 21 21^1 22 20 20_3 21 22_7 20 21_2 18 20 22 23 23 24",
    (SWINGS, causes.THEIRS, causes.INVENTED): "23 15 9 18_7 20 15 22 18",
    (SWINGS, causes.OURS, causes.ERASED_SWING): "19 16 16 17 15 15 17^7_7 14 13",
}


def drawn(text: str) -> Prices:
    opens, highs, lows = [], [], []
    for bar in text.split():
        rest, _, below = bar.partition("_")
        close, _, above = rest.partition("^")
        opens.append(1 + int(close) / 10_000)
        highs.append(1 + (int(close) + int(above or 0)) / 10_000)
        lows.append(1 + (int(close) - int(below or 0)) / 10_000)
    return Prices(times=[str(bar) for bar in range(len(opens))], opens=opens, highs=highs, lows=lows, closes=opens)


def wandering(seed: int, count: int) -> Prices:
    generator = random.Random(seed)
    price, bars = 2_000, []
    for _ in range(count):
        price += generator.randint(-6, 6)
        bars.append(f"{price}^{generator.randint(0, 3)}_{generator.randint(0, 3)}")
    return drawn(" ".join(bars))


def table(report: Report, name: str) -> Comparison:
    return next(each for each in report.comparisons if each.name == name)


def found(comparison: Comparison, where: str, cause: str) -> list[Row]:
    return [each.row for each in comparison.of(where) if each.cause == cause]


def assert_sums(report: Report) -> None:
    for each in report.comparisons:
        figures = counted(each)
        assert figures["both"] + figures["only theirs"] == figures["theirs"]
        assert figures["both"] + figures["only ours"] == figures["ours"]
        assert figures["same"] + figures["differ"] == figures["both"]
        listed = next(row for row in as_record(report)["tables"] if row["table"] == each.name)["causes"]
        assert sum(row["count"] for row in listed) == len(each.differences)


def evidence_of(*swings: PeerSwing) -> Evidence:
    """Evidence of these swings of the peer and of nothing else."""
    return Evidence(
        prices=drawn("20 22 25 23 21 22 24 28"),
        scale=2,
        swings=swings,
        patterns={},
        blocks={},
        accepted={},
        superseded={},
        before={},
    )


@pytest.fixture(scope="module")
def euro() -> Report:
    return differences(read_prices(CASES), 5, read_tables(CASES))


@pytest.mark.parametrize(("name", "where", "cause"), HAND_MADE, ids=lambda word: word.replace(" ", "_"))
def test_every_cause_has_a_case_by_hand(name: str, where: str, cause: str) -> None:
    report = differences(drawn(HAND_MADE[name, where, cause]), 2)
    assert found(table(report, name), where, cause)
    assert [each for of in report.comparisons for each in of.differences if each.cause == causes.UNEXPLAINED] == []


def test_the_closed_set_has_no_untested_cause() -> None:
    assert {cause for _, _, cause in HAND_MADE} == set(CAUSES) - {causes.UNEXPLAINED}


@pytest.mark.parametrize("seed", range(4))
def test_sums_add_up_on_wandering_prices(seed: int) -> None:
    report = differences(wandering(seed, 1_500), 3)
    assert_sums(report)
    assert [each for of in report.comparisons for each in of.differences if each.cause == causes.UNEXPLAINED] == []
    assert len(table(report, BREAKS).differences) > 20


def test_an_erased_swing_was_broken_before_its_deletion() -> None:
    prices = drawn(HAND_MADE[BREAKS, causes.OURS, causes.ERASED_SWING])
    (row,) = found(table(differences(prices, 2), BREAKS), causes.OURS, causes.ERASED_SWING)
    assert (row.side, row.swing_bar) not in {(swing.side, swing.bar) for swing in swings_of(prices, 2)}
    assert row.known < our_rows(prices, 2).superseded[row.side, row.swing_bar]


def test_a_swing_ahead_is_unconfirmed_at_the_break() -> None:
    prices = drawn(HAND_MADE[CREATED, causes.OURS, causes.SWING_AHEAD])
    (row,) = found(table(differences(prices, 2), CREATED), causes.OURS, causes.SWING_AHEAD)
    newer = max(swing.bar for swing in swings_of(prices, 2) if swing.side == row.side and swing.bar < row.known)
    assert row.swing_bar < newer < row.known < newer + 2


def test_a_rounded_break_does_not_pass_its_level() -> None:
    prices = drawn(HAND_MADE[BREAKS, causes.THEIRS, causes.ROUNDED])
    (row,) = found(table(differences(prices, 2), BREAKS), causes.THEIRS, causes.ROUNDED)
    exact = (prices.highs if row.side > 0 else prices.lows)[row.swing_bar]
    assert prices.closes[row.known] == exact
    assert single(exact) * row.side < exact * row.side


def test_a_row_overlapped_by_later_one_is_erased() -> None:
    rows = breaks_of(swings_of(drawn(HAND_MADE[DELETED, causes.THEIRS, causes.NEWER_LEVEL]), 2), [])
    assert rows
    assert not any(row.listed for row in rows)
    prices = drawn(HAND_MADE[DELETED, causes.THEIRS, causes.NEWER_LEVEL])
    rows = breaks_of(swings_of(prices, 2), prices.closes)
    (gone,) = [row for row in rows if row.erased_by is not None]
    (cause,) = [row for row in rows if row.bar == gone.erased_by]
    assert gone.bar < cause.bar
    assert (cause.broken_at or 0) <= (gone.broken_at or 0)


def test_what_cannot_be_proved_stays_unexplained() -> None:
    evidence = evidence_of()
    row = Row(side=1, bar=2, swing_bar=2, known=7, kind="bos", top=1.0025, bottom=1.0025)
    moved = Row(side=1, bar=2, swing_bar=2, known=6, kind="choch", top=1.003, bottom=1.003)
    asked = (evidence.only_theirs, evidence.only_our_break, evidence.only_our_block, evidence.only_our_swing)
    assert {ask(row) for ask in asked} == {causes.UNEXPLAINED}
    assert evidence.unlike_breaks(row, moved) == [causes.UNEXPLAINED] * 3
    assert causes.unlike_zones(row, moved) == [causes.UNEXPLAINED]


def test_the_newest_of_several_deleted_swings_counts() -> None:
    # Swing 6 gives way to 9 before the break at 11, and 9 to 12 after it.
    prices = drawn("20_5 12^6 6 5_5 14_2 7 7^4 7 4 8^8_8 11 15 15^2 10 15_5")
    (row,) = found(table(differences(prices, 2), BREAKS), causes.THEIRS, causes.ERASED_BETWEEN)
    assert (row.swing_bar, row.known) == (4, 11)
    assert our_rows(prices, 2).superseded == {(1, 6): 11, (1, 9): 14}


def test_a_confirmed_newer_swing_is_not_ahead() -> None:
    row = Row(side=1, bar=3, swing_bar=2, known=7, kind="order_block", top=1.0025, bottom=1.0025)
    assert evidence_of(PeerSwing(side=1, bar=6, level=1.004)).only_our_block(row) == causes.SWING_AHEAD
    assert evidence_of(PeerSwing(side=1, bar=5, level=1.004)).only_our_block(row) == causes.UNEXPLAINED
    assert evidence_of(PeerSwing(side=-1, bar=6, level=1.004)).only_our_block(row) == causes.UNEXPLAINED


def test_a_name_is_only_proved_by_the_trend() -> None:
    pattern = PeerBreak(side=1, bar=2, kind="bos", level=1.0, exact=1.0, fourth=6)
    their = Row(side=1, bar=2, swing_bar=2, known=7, kind="bos", top=1.0, bottom=1.0)
    our = Row(side=1, bar=2, swing_bar=2, known=7, kind="choch", top=1.0, bottom=1.0)
    evidence = evidence_of(PeerSwing(side=1, bar=2, level=1.0))
    for before, cause in ((-1, causes.NAMED), (1, causes.UNEXPLAINED), (0, causes.UNEXPLAINED)):
        proof = replace(evidence, patterns={(1, 2): pattern}, before={(1, 2): before})
        assert proof.unlike_breaks(their, our) == [cause]


def test_the_first_break_has_none_before_it() -> None:
    rows = our_rows(wandering(1, 300), 3)
    sides = [rows.before[row.side, row.swing_bar] for row in rows.breaks]
    assert sides == [0, *(row.side for row in rows.breaks[:-1])]


def test_a_folder_without_cases_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["/nowhere/at/all"]) == 2
    assert "/nowhere/at/all cannot be read" in capsys.readouterr().err


@needs_cases
def test_the_peer_is_reproduced_row_for_row(euro: Report) -> None:
    assert euro.reproduced == {
        "swings": (2_708, 2_708),
        "BOS and CHoCH": (1_129, 1_129),
        "order blocks ever created": (1_085, 1_085),
        "order blocks still listed": (66, 66),
        "BOS and CHoCH deleted (BrokenIndex left)": (167, 167),
    }


@needs_cases
def test_all_rows_of_the_year_are_counted(euro: Report) -> None:
    assert_sums(euro)
    figures = {each.name: tuple(counted(each).values()) for each in euro.comparisons}
    assert figures == {
        BREAKS: (1_129, 1_210, 1_062, 796, 266, 67, 148, 0),
        DELETED: (167, 0, 0, 0, 0, 167, 0, 0),
        CREATED: (1_085, 1_210, 1_051, 1_051, 0, 34, 159, 0),
        LISTED: (66, 1_210, 63, 63, 0, 3, 1_147, 0),
        SWINGS: (2_708, 2_922, 2_706, 2_706, 0, 2, 216, 0),
        "fair value gaps with touch": (5_020, 5_020, 5_020, 5_020, 0, 0, 0, 0),
    }


@needs_cases
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            BREAKS,
            {
                (causes.BOTH, causes.NAMED): 255,
                (causes.BOTH, causes.ROUNDED): 15,
                (causes.THEIRS, causes.ERASED_BETWEEN): 31,
                (causes.THEIRS, causes.NEWER_LEVEL): 30,
                (causes.THEIRS, causes.ROUNDED): 6,
                (causes.OURS, causes.ERASED_SWING): 136,
                (causes.OURS, causes.NO_PATTERN): 12,
            },
        ),
        (DELETED, {(causes.THEIRS, causes.NEWER_LEVEL): 162, (causes.THEIRS, causes.ROUNDED): 5}),
        (
            LISTED,
            {
                (causes.THEIRS, causes.ERASED_BETWEEN): 3,
                (causes.OURS, causes.ERASED_SWING): 136,
                (causes.OURS, causes.SWING_AHEAD): 23,
                (causes.OURS, causes.ERASED_BLOCK): 988,
            },
        ),
    ],
)
def test_each_cause_occurs_as_often_as_counted(euro: Report, name: str, expected: dict[object, int]) -> None:
    record = next(each for each in as_record(euro)["tables"] if each["table"] == name)
    assert {(row["where"], row["cause"]): row["count"] for row in record["causes"]} == expected


@needs_cases
def test_look_ahead_rows_lie_before_their_break() -> None:
    tables = read_tables(CASES)
    closes = read_prices(CASES).closes
    assert all(row.bar < row.known for row in (*tables.breaks, *tables.created))
    # No close before the named one was beyond the level: the row could not have been known on its bar.
    for row in tables.breaks:
        before = max((close * row.side for close in closes[row.bar + 2 : row.known]), default=-9.0)
        assert before <= single(row.top) * row.side + 1e-7


@needs_cases
def test_look_ahead_is_counted_in_bars(euro: Report) -> None:
    waits = [(each.rows, each.ahead, each.median_bars, each.longest_bars) for each in euro.ahead]
    assert waits == [
        (1_129, 1_129, 12, 85),
        (1_129, 1_097, 9, 50),
        (1_085, 1_085, 5, 37),
        (2_706, 2_706, 5, 5),
        (5_020, 5_020, 1, 1),
    ]


@needs_cases
def test_the_command_prints_both_forms(capsys: pytest.CaptureFixture[str], euro: Report) -> None:
    assert main([str(CASES), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(as_record(euro)))
    assert main([str(CASES)]) == 0
    assert capsys.readouterr().out == as_markdown(euro) + "\n"


def test_an_unexplained_row_is_shown_as_such() -> None:
    row = Row(side=-1, bar=1, swing_bar=1, known=2, kind="bos", top=1.5, bottom=1.5)
    difference = Difference(where=causes.OURS, cause=causes.UNEXPLAINED, row=row)
    comparison = Comparison(name="x", theirs=0, ours=1, both=0, differences=(difference,))
    report = Report(times=["a", "b", "c"], comparisons=[comparison], ahead=[], reproduced={}, erased={})
    assert (
        "| x | ours | unexplained | none | 1 | bearish bos on bar 1 (b), 1.50000, swing 1, broken at 2 (c) |"
        in as_markdown(report)
    )
    assert counted(comparison)["unexplained"] == 1
