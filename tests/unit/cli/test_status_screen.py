from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from functions.check_health.check import judge
from functions.check_health.look import Look
from infra.cli.status_screen import said, show_status, status_screen
from tests.unit.control.health_facts import (
    COINS,
    IDLE,
    LOOK,
    WELL,
    busy,
    control,
    facts,
    progress,
    queues,
    run,
    runs,
    seen,
)
from tests.unit.control.records import NOW, filled, position
from trading.model.control import KillLevel
from trading.model.times import to_text

MINUTE = timedelta(minutes=1)


def answer(found: Any = None, **changes: Any) -> dict[str, Any]:
    """As control_trading gives the record of these facts."""
    record = json.loads(judge(found or facts(replace(WELL, positions=(filled(position()),)))).to_json())
    return {"ok": True, **record, "changed_by": "anna (request 7)", **changes}


def shown(given: dict[str, Any], *, width: int = 80, colour: bool = False) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=colour, color_system="truecolor" if colour else None).print(
        status_screen(given)
    )
    return out.getvalue()


def line(text: str, start: str) -> str:
    """The one line that has these words, with single spaces."""
    lines = [" ".join(each.split()) for each in text.splitlines()]
    (found,) = [each for each in lines if start.strip() in each]
    return found


def test_healthy_system_is_ok_in_its_first_word() -> None:
    first, second, *rest = shown(answer()).splitlines()
    assert first.split() == ["OK", "live,", "as", "of", "2026-11-22", "12:00:00", "UTC"]
    assert second == "Kill level K0 (normal): all well (by anna)"
    text = "\n".join(rest)
    assert line(text, "Equity") == "Equity 10,012.50 USD"
    assert line(text, "Loss today") == "Loss today [#####---------------] 1.25 % of 5.00 % allowed"
    assert line(text, "At risk") == "At risk 0 positions without a stop, 0 orders of unknown fate"
    assert line(text, "BTC long") == "BTC long 0.5 100 105 14.29 +0.50 yes"
    assert line(text, "manage_exits") == "manage_exits 60 s dead letters 0"
    assert "unknown" not in text.replace("orders of unknown fate", "")
    assert len(rest) < 24


def test_reasons_of_a_degraded_system_come_first() -> None:
    stored = replace(
        WELL, control=control(KillLevel.NO_ENTRIES, "a pause"), positions=(replace(position(), intents=()),)
    )
    lines = shown(answer(facts(stored))).splitlines()
    assert lines[0].startswith(" DEGRADED ")
    assert lines[1:3] == ["  - kill level K1: a pause", "  - BTC stands without a stop"]
    assert lines[3] == "Kill level K1 (no new entries): a pause (by anna)"
    text = "\n".join(lines)
    assert line(text, "BTC long").endswith(" NO")
    assert "1 positions without a stop" in text


def test_unreachable_store_is_down_and_unknown() -> None:
    text = shown(answer(facts(None, look=Look())))
    assert text.startswith(" DOWN ")
    assert "  - store does not answer (no answer)" in text
    for words in ("Kill level unknown", "Equity unknown", "Positions: unknown", "dead letters unknown"):
        assert words in " ".join(text.split())
    assert "No open position" not in text


def test_record_that_is_missing_shows_what_is_known() -> None:
    switch = {"kill_level": 1, "kill_reason": "no control record yet", "changed_by": "system"}
    given = {
        "ok": True,
        "status": "down",
        "reasons": ["check_health does not run: there is no health record yet"],
        **switch,
    }
    lines = shown(given).splitlines()
    assert lines[0] == " DOWN  of an unknown time"
    assert lines[1] == "  - check_health does not run: there is no health record yet"
    assert lines[2].startswith("Kill level K1 (no new entries): no control record yet (by system)")


@pytest.mark.parametrize("nonsense", [None, 7, "text", [], {}, [1], {"a": 1}, {"a": {"waiting": "x"}}, True])
def test_facts_of_a_wrong_kind_are_unknown(nonsense: object) -> None:
    names = set(answer()) - {"ok"}
    for name in sorted(names):
        assert shown(answer(**{name: nonsense}))
    text = shown(dict.fromkeys(names, nonsense))
    assert "Kill level" in text
    assert "unknown" in text


def test_empty_answer_is_unknown_everywhere() -> None:
    text = shown({})
    assert text.startswith(" UNKNOWN ")
    assert text.count("unknown") >= 10


def test_system_without_positions_says_so() -> None:
    assert "No open position." in shown(answer(facts()))


def test_unreadable_positions_are_not_shown_as_none() -> None:
    text = shown(answer(facts(replace(WELL, unreadable=("ETH: no JSON",)))))
    assert "No open position" not in text
    assert line(text, "Positions:") == "Positions: 1 of 1 unknown"
    beside = shown(answer(facts(replace(WELL, positions=(filled(position()),), unreadable=("ETH: no JSON",)))))
    assert line(beside, "Positions:") == "Positions: 1 of 2 unknown"
    assert line(beside, "BTC long").endswith("yes")


def test_late_function_is_marked_by_a_word() -> None:
    found = {name: each for name, each in runs().items() if name != "score_setups"}
    found["manage_exits"] = run("manage_exits", NOW - 3 * MINUTE)
    found["maintain_records"] = run("maintain_records", NOW - 119 * MINUTE)
    found["forward_alerts"] = run("forward_alerts", NOW - timedelta(days=3))
    text = shown(answer(facts(replace(WELL, runs=found)))).partition("Last runs")[2]
    assert line(text, "manage_exits  ").startswith("manage_exits 3 min LATE")
    assert line(text, "maintain_records  ").startswith("maintain_records 119 min ")
    assert line(text, "score_setups  ").startswith("score_setups never")
    assert line(text, "forward_alerts  ") == "forward_alerts 3 days"
    assert "check_health" not in text


@pytest.mark.parametrize(
    ("loss", "limit", "expected"),
    [
        ("0", "5", "[--------------------] 0.00 % of 5.00 % allowed"),
        ("3.6", "5", "[##############------] 3.60 % of 5.00 % allowed"),
        ("9", "5", "[####################] 9.00 % of 5.00 % allowed"),
        ("-1", "5", "[--------------------] -1.00 % of 5.00 % allowed"),
        ("1", None, "1.00 % (limit unknown or off)"),
        (None, "5", "unknown"),
        ("NaN", "5", "unknown"),
    ],
)
def test_loss_bar_fills_up_to_the_limit(loss: str | None, limit: str | None, expected: str) -> None:
    text = shown(answer(day_loss_pct=loss, day_loss_limit_pct=limit))
    assert line(text, "Loss today") == f"Loss today {expected}"


@pytest.mark.parametrize(("loss", "colour"), [("3.49", 32), ("3.5", 33), ("4.99", 33), ("5", 31)])
def test_loss_bar_turns_red_at_the_limit(loss: str, colour: int) -> None:
    (text,) = [each for each in shown(answer(day_loss_pct=loss), colour=True).splitlines() if "Loss today" in each]
    assert f"\x1b[{colour}m#" in text


def test_halt_of_the_day_is_said_beside_the_loss() -> None:
    assert "entries are halted" in line(shown(answer(halted=True)), "Loss today")
    assert "halted" not in shown(answer(halted=False))


def test_waiting_messages_and_dead_letters_are_named() -> None:
    text = shown(answer(facts(look=seen(queues=queues(busy(4), IDLE, runs=2, alerts=0)))))
    assert line(text, "queues").endswith("queues bars 3 for 4 min (seen 0 s ago)")
    assert line(text, "dead letters: runs") == "- 2 messages were given up (dead letters: runs 2)"
    assert "dead letters 2 (runs 2)" in " ".join(text.split())


def test_worst_coins_are_named() -> None:
    coins = replace(COINS, candles=progress(0, ("XRP", 45)), decisions=progress(70))
    words = " ".join(shown(answer(facts(look=replace(LOOK, coins=coins)))).split())
    assert "candles oldest XRP, 45 min" in words
    assert "decisions oldest BTC, 70 min" in words


def test_paper_needs_no_trading_key() -> None:
    words = " ".join(shown(answer(mode="paper", secrets={"webhooks": False})).split())
    assert "secrets webhooks no value, trading not needed" in words


def test_venue_that_is_gone_is_said() -> None:
    words = " ".join(shown(answer(facts(quotes=None, venue_problem="HTTP 503"))).split())
    assert "venue no answer" in words


def test_time_of_the_switch_is_shown_where_known() -> None:
    given = answer(changed_at=to_text(NOW - MINUTE))
    assert "(by anna, 2026-11-22 11:59 UTC)" in shown(given)


@pytest.mark.parametrize("width", [80, 100, 132])
def test_screen_fits_its_terminal(width: int) -> None:
    many = tuple(filled(position(code)) for code in ("BTC", "ETH", "LONGNAME"))
    stored = replace(WELL, positions=many, control=control(KillLevel.LOCK, "a reason " * 20))
    found = facts(stored, look=seen(queues=queues(busy(20), runs=12_345)))
    assert max(map(len, shown(answer(found), width=width).splitlines())) <= width


def test_colour_only_repeats_the_words() -> None:
    given = answer(status="down", reasons=["gone"])
    coloured = shown(given, colour=True)
    assert "\x1b[" in coloured
    assert "\x1b[" not in shown(given)
    assert "41m DOWN " in coloured


def test_words_of_others_are_no_markup() -> None:
    given = answer(status="degraded", reasons=["[red]not[/red] \x1b[31mred\nsecond"], kill_reason="[bold]x[/bold]")
    text = shown(given)
    assert "[red]not[/red]" in text
    assert "[bold]x[/bold]" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "120 min"), (7_200, "2.0 h"), (172_800, "2 days")],
)
def test_ages_are_said_in_their_own_unit(seconds: float, words: str) -> None:
    assert said(seconds) == words


def test_json_is_the_answer_as_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    given = answer()
    show_status(given, as_json=True)
    assert json.loads(capsys.readouterr().out) == given


def test_screen_without_a_terminal_is_plain(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    show_status(answer(status="degraded", reasons=["a reason " * 20]), as_json=False)
    out = capsys.readouterr().out
    assert out.startswith(" DEGRADED ")
    assert "\x1b[" not in out
    assert max(map(len, out.splitlines())) <= 80
