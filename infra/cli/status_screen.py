"""`smc-trader status` as a screen that a person reads in five seconds: what is wrong comes first.

Everything shown is in the answer of `control_trading`; what is missing there, or is not what it should be, is shown as
unknown. Words carry the meaning, colour only repeats it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.cli.operators import show_answer
from trading.errors import InvalidInput
from trading.model.times import from_text

Answer = Mapping[str, Any]

UNKNOWN = "unknown"
NARROW = 80
"""Columns where no terminal says how wide it is."""

COLOURS = {"ok": "black on green", "degraded": "black on yellow", "down": "bold white on red"}
LEVELS = ("normal", "no new entries", "entries cancelled", "closing everything", "locked")
BAR_CELLS = 20
LOSS_NEAR, LOSS_REACHED = 70, 100
PERIODS_ALLOWED = 2
SECONDS_SHOWN, MINUTES_SHOWN, HOURS_SHOWN = 120, 7_200, 172_800


def show_status(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_answer(answer, as_json=True)
        return
    console = Console()
    (console if console.is_terminal else Console(width=NARROW)).print(status_screen(answer))


def status_screen(answer: Answer) -> RenderableType:
    """The screen for an answer with the keys of the health record; any of them may be missing."""
    parts: list[RenderableType] = [_headline(answer), *_reasons(answer), _kill_level(answer), Text("")]
    parts += [_figures(answer), *_positions(answer), _machinery(answer)]
    return Group(*parts)


def _headline(answer: Answer) -> Text:
    status = str(answer.get("status", UNKNOWN))
    at = _time(answer.get("at"))
    line = Text.assemble((f" {status.upper()} ", COLOURS.get(status, COLOURS["down"])), " ")
    line.append(
        f"{answer.get('mode', 'mode unknown')}, as of {at:%Y-%m-%d %H:%M:%S} UTC" if at else "of an unknown time"
    )
    return line


def _reasons(answer: Answer) -> Iterator[Text]:
    reasons = answer.get("reasons")
    if answer.get("status") == "ok" and not reasons:
        return
    colour = "red" if answer.get("status") == "down" else "yellow"
    given = [str(each) for each in reasons] if isinstance(reasons, list | tuple) and reasons else ["no reason is known"]
    for reason in given:
        yield Text.assemble(("  - ", colour), _words(reason))


def _kill_level(answer: Answer) -> Text:
    level = answer.get("kill_level")
    if not isinstance(level, int) or not 0 <= level < len(LEVELS):
        return Text(f"Kill level {UNKNOWN}", style="red")
    line = Text(f"Kill level K{level} ({LEVELS[level]})", style="red" if level else "green")
    by = str(answer.get("changed_by") or answer.get("kill_by") or UNKNOWN).partition(" (request ")[0]
    since = _time(answer.get("changed_at"))
    when = f", {since:%Y-%m-%d %H:%M} UTC" if since else ""
    reason = _words(answer.get("kill_reason") or UNKNOWN)
    return line.append(f": {reason} (by {_words(by)}{when})", style="none")


def _figures(answer: Answer) -> Table:
    table = _plain_table()
    equity = _number(answer.get("equity"))
    table.add_row("Equity", _figure(equity, "{:,.2f} USD"))
    table.add_row("Loss today", _loss(answer))
    naked, unknown = answer.get("naked_positions"), answer.get("unknown_intents")
    exposed = Text.assemble(_bad_count(naked, "positions without a stop"), ", ")
    table.add_row("At risk", exposed + _bad_count(unknown, "orders of unknown fate"))
    return table


def _loss(answer: Answer) -> Text:
    """Today's loss as a bar up to the limit, behind which entries are halted."""
    loss, limit = _number(answer.get("day_loss_pct")), _number(answer.get("day_loss_limit_pct"))
    halted = Text("  entries are halted", style="red") if answer.get("halted") is True else Text()
    if loss is None:
        return Text(UNKNOWN, style="red") + halted
    if limit is None or limit <= 0:
        return Text(f"{loss:.2f} % (limit {UNKNOWN} or off)", style="yellow") + halted
    share = max(Decimal(0), 100 * loss / limit)
    colour = "red" if share >= LOSS_REACHED else "yellow" if share >= LOSS_NEAR else "green"
    filled = min(BAR_CELLS, int(share * BAR_CELLS / 100))
    bar = Text.assemble("[", ("#" * filled, colour), "-" * (BAR_CELLS - filled), "] ")
    return bar.append(f"{loss:.2f} % of {limit:.2f} % allowed", style=colour) + halted


def _positions(answer: Answer) -> Iterator[RenderableType]:
    positions, unreadable = answer.get("positions"), answer.get("unreadable_positions")
    if not isinstance(positions, list | tuple):
        yield Text(f"\nPositions: {UNKNOWN}\n", style="red")
        return
    if isinstance(unreadable, int) and unreadable:
        yield Text(f"\nPositions: {unreadable} of {len(positions) + unreadable} {UNKNOWN}", style="red")
    elif not positions:
        yield Text("\nNo open position.\n")
    if not positions:
        return
    yield Text(f"\n{len(positions)} open", style="bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("coin", "side"):
        table.add_column(name)
    for name in ("quantity", "entry", "mark", "stop %", "R"):
        table.add_column(name, justify="right")
    table.add_column("protected")
    for each in positions:
        table.add_row(*_position(each if isinstance(each, Mapping) else {}))
    yield table


def _position(line: Mapping[str, Any]) -> Sequence[Text]:
    plain = [_cell(line.get(name)) for name in ("instrument", "side")]
    plain += [_price(line.get(name)) for name in ("quantity", "entry", "mark", "stop_distance_pct")]
    result = _number(line.get("r"))
    shown = _figure(result, "{:+.2f}")
    shown.stylize("green" if result is not None and result >= 0 else "red")
    protected = line.get("protected")
    word = "yes" if protected is True else "NO" if protected is False else UNKNOWN
    return [*plain, shown, Text(word, style="green" if protected is True else "bold red")]


def _machinery(answer: Answer) -> Table:
    """Runs on the left, what they work on at the right."""
    table = Table.grid(padding=(0, 3))
    table.add_row(_runs(answer), _works(answer))
    return table


def _runs(answer: Answer) -> Table:
    runs, periods = answer.get("last_runs"), answer.get("run_periods_seconds")
    runs = runs if isinstance(runs, Mapping) else {}
    periods = periods if isinstance(periods, Mapping) else {}
    table = _plain_table("Last runs")
    for name in [*periods, *sorted(set(runs) - {*periods, "check_health"})]:
        age, period = _age(answer, runs.get(name)), periods.get(name)
        table.add_row(str(name), _lateness(age, period, ran=name in runs))
    if not runs and not periods:
        table.add_row(UNKNOWN, "")
    return table


def _lateness(age: float | None, period: Any, *, ran: bool) -> Text:
    if not ran:
        return Text("never", style="red")
    if age is None:
        return Text(UNKNOWN, style="red")
    if not isinstance(period, int):
        return Text(said(age), style="dim")
    late = age > PERIODS_ALLOWED * period
    return Text(f"{said(age)} LATE" if late else said(age), style="red" if late else "green")


def _works(answer: Answer) -> Table:
    table = _plain_table("Works")
    skew, seconds = _number(answer.get("clock_skew_seconds")), _number(answer.get("venue_seconds"))
    reached = answer.get("venue_reachable")
    venue = f"{_figure(seconds, '{:.1f} s')}, clock {_figure(skew, '{:+.1f} s')}" if reached is True else "no answer"
    table.add_row("venue", Text(UNKNOWN if reached is None else venue, style="none" if reached is True else "red"))
    for name, key in (("candles", "worst_candle"), ("decisions", "worst_decision")):
        table.add_row(name, _worst(answer.get(key)))
    table.add_row("queues", _queues(answer))
    table.add_row("dead letters", _dead_letters(answer))
    table.add_row("secrets", _secrets(answer))
    return table


def _worst(found: Any) -> Text:
    age = _number(found.get("age_seconds")) if isinstance(found, Mapping) else None
    return (
        Text(UNKNOWN, style="red")
        if age is None
        else Text(f"oldest {_words(found.get('instrument'))}, {said(float(age))}")
    )


def _queues(answer: Answer) -> Text:
    queues = answer.get("queues")
    if not isinstance(queues, Mapping):
        return Text(UNKNOWN, style="red")
    waiting = [f"{name} {each.get('waiting')} for {said(each.get('busy_seconds') or 0)}"
               for name, each in queues.items() if isinstance(each, Mapping) and each.get("waiting")]  # fmt: skip
    looked = _looked(answer, "queues")
    return Text(f"{', '.join(waiting)}{looked}", style="yellow") if waiting else Text(f"empty{looked}", style="green")


def _dead_letters(answer: Answer) -> Text:
    count, named = answer.get("dlq_messages"), answer.get("dead_letters")
    if not isinstance(count, int):
        return Text(UNKNOWN, style="red")
    where = [f"{name} {each}" for name, each in named.items() if each] if isinstance(named, Mapping) else []
    return Text(f"{count} ({', '.join(where)})" if where else str(count), style="red" if count else "green")


def _secrets(answer: Answer) -> Text:
    secrets = answer.get("secrets")
    if not isinstance(secrets, Mapping):
        return Text(UNKNOWN, style="red")
    found = [f"{name} {'yes' if each is True else 'no value'}" for name, each in sorted(secrets.items())]
    return Text(", ".join(found if "trading" in secrets else [*found, "trading not needed"]))


def _looked(answer: Answer, part: str) -> str:
    looked = answer.get("looked_at")
    age = _age(answer, looked.get(part)) if isinstance(looked, Mapping) else None
    return "" if age is None else f" (seen {said(age)} ago)"


def _age(answer: Answer, text: Any) -> float | None:
    """How old it was when the health record was written: that is the moment the whole screen shows."""
    at, then = _time(answer.get("at")), _time(text)
    return None if at is None or then is None else (at - then).total_seconds()


def said(seconds: float) -> str:
    seconds = max(0.0, float(seconds))
    if seconds < SECONDS_SHOWN:
        return f"{seconds:.0f} s"
    if seconds < MINUTES_SHOWN:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.1f} h" if seconds < HOURS_SHOWN else f"{seconds / 86_400:.0f} days"


def _plain_table(title: str = "") -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    if title:
        table.add_row(Text(title, style="bold"))
    return table


def _bad_count(count: Any, what: str) -> Text:
    if not isinstance(count, int):
        return Text(f"{UNKNOWN} {what}", style="red")
    return Text(f"{count} {what}", style="bold red" if count else "green")


def _figure(value: Decimal | None, form: str) -> Text:
    return Text(UNKNOWN, style="red") if value is None else Text(form.format(value))


def _price(value: Any) -> Text:
    """Without the zeros that say nothing: the width is for what does."""
    number = _number(value)
    text = "?" if number is None else f"{number:,f}"
    return Text(text.rstrip("0").rstrip(".") if "." in text else text)


def _cell(value: Any) -> Text:
    return Text("?" if value in (None, "") else _words(value))


def _words(value: Any) -> str:
    """One line without what could steer the terminal: reasons quote the venue, and people."""
    return " ".join("".join(each if each.isprintable() else " " for each in str(value)).split())


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _time(value: Any) -> datetime | None:
    try:
        return from_text(value) if isinstance(value, str) else None
    except InvalidInput:
        return None
