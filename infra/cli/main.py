"""`smc-trader`: the demo, the venue sandbox, and the operator's commands for a local or a deployed system."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.data import backfill, data
from infra.cli.demo_view import show_demo
from infra.cli.events import events
from infra.cli.operators import Target, ask, in_two_steps, show_answer
from infra.cli.paper import paper
from infra.cli.recorded_funnel import funnel
from infra.cli.status_screen import show_status
from infra.local.demo import DemoOptions
from infra.local.stack import LocalStack
from trading.errors import InvalidInput, TradingError

app = typer.Typer(
    name="smc-trader",
    help="Plays, serves and operates the Smart Money Concepts trader. Trading can lose all the money you put in.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DEFAULT_STATE = Path("out/demo")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
StateDir = Annotated[Path, typer.Option(help="Folder of the local stack.")]
Stack = Annotated[str, typer.Option(help="Name of the deployed CloudFormation stack; empty for the local stack.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit record: one line.")]
Operator = Annotated[str, typer.Option(help="Who asks, for the audit record; empty for your login name.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: do what the first answer names.")]
Candles = Annotated[
    Path | None,
    typer.Option(help="Folder of recorded candles (csv.gz, or Kraken's OHLCVT export); generated prices without."),
]
Symbol = Annotated[str, typer.Argument(help="Code of the coin, such as BTC.")]
At = Annotated[str, typer.Option(help="A time (UTC), such as 2024-05-01T10:00; the newest decision without.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random: the same seed gives the same run.")]
Coins = Annotated[int, typer.Option(help="How many coins to trade.")]


@app.command()
def demo(  # noqa: PLR0913 - one parameter an option, as typer wants them
    candles: Candles = None,
    seed: Seed = 1,
    coins: Coins = 20,
    days: Annotated[int, typer.Option(help="Simulated days to play at least.")] = 4,
    trades: Annotated[int, typer.Option(help="Then go on until so many trades have closed, 40 days at most.")] = 3,
    state_dir: StateDir = DEFAULT_STATE,
    rules_override: Annotated[str, typer.Option(help='Rules laid over rules.toml: {"section": {"key": value}}.')] = "",
    keep: Annotated[bool, typer.Option("--keep", help="Leave the local stack running for status, flatten ...")] = False,
    profile: Annotated[bool, typer.Option("--profile", help="Also print the seconds spent by function.")] = False,
    as_json: Json = False,
) -> None:
    """Play the whole system for several simulated days on this machine. Needs no account and no network.

    Writes summary.json and report.html to the state folder. A demo that was killed goes on when started again with
    the same options. Exit code 1 when something that must hold did not.
    """
    options = DemoOptions(
        candles=candles,
        seed=seed,
        coins=coins,
        days=days,
        trades=trades,
        state_dir=state_dir,
        rules_override=rules_override,
        keep=keep,
    )
    raise typer.Exit(show_demo(options, as_json=as_json, profile=profile))


@app.command()
def sandbox(  # noqa: PLR0913 - one parameter an option, as typer wants them
    candles: Candles = None,
    seed: Seed = 1,
    coins: Coins = 20,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    real_time: Annotated[bool, typer.Option("--real-time", help="Let its time follow the clock.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Accepted everywhere; its first line is JSON anyway.")] = True,
) -> None:
    """Serve the venue sandbox: Kraken's spot and derivatives APIs on loopback, until Ctrl-C.

    Prints one JSON line with its address; POST /sandbox/advance {"to": time} moves its time.
    """
    del as_json
    from infra.local.sandbox.__main__ import main

    arguments = ["--seed", str(seed), "--coins", str(coins), "--port", str(port)]
    arguments += ["--candles", str(candles)] if candles else []
    arguments += ["--real-time"] if real_time else []
    raise typer.Exit(1 if main(arguments) else 0)


@app.command()
def stop(state_dir: StateDir = DEFAULT_STATE, as_json: Json = False) -> None:
    """End the local stack that a demo with --keep left running."""
    LocalStack.end(state_dir)
    show_answer({"ok": True, "stopped": str(state_dir)}, as_json=as_json)


@app.command()
def status(state_dir: StateDir = DEFAULT_STATE, stack: Stack = "", as_json: Json = False) -> None:
    """What is wrong first; then kill level, equity, today's loss, positions, last runs and queues."""
    show_status(ask(Target(state_dir=state_dir, stack=stack), {"action": "status"}), as_json=as_json)


@app.command()
def pause(  # noqa: PLR0913 - one parameter an option, as typer wants them
    reason: Reason,
    level: Annotated[int, typer.Option(help="1: no new entries; 2: entries that rest are cancelled too.")] = 1,
    operator: Operator = "",
    state_dir: StateDir = DEFAULT_STATE,
    stack: Stack = "",
    as_json: Json = False,
) -> None:
    """Stop new entries. Open positions stay protected and managed."""
    target = Target(state_dir=state_dir, stack=stack, operator=operator)
    show_answer(ask(target, {**target.signed("pause", reason), "level": level}), as_json=as_json)


@app.command()
def resume(  # noqa: PLR0913 - one parameter an option, as typer wants them
    reason: Reason,
    operator: Operator = "",
    yes: Yes = False,
    state_dir: StateDir = DEFAULT_STATE,
    stack: Stack = "",
    as_json: Json = False,
) -> None:
    """Allow entries again; above K1 in two steps. A daily loss halt ends only on a later day, a lock leads to K1."""
    target = Target(state_dir=state_dir, stack=stack, operator=operator)
    request = target.signed("resume", reason)
    show_answer(in_two_steps(target, request, "Let trading go on?", confirmed=yes), as_json=as_json)


@app.command()
def flatten(  # noqa: PLR0913 - one parameter an option, as typer wants them
    reason: Reason,
    scope: Annotated[str, typer.Argument(help="ALL or the code of one coin, such as BTC.")] = "ALL",
    operator: Operator = "",
    yes: Yes = False,
    state_dir: StateDir = DEFAULT_STATE,
    stack: Stack = "",
    as_json: Json = False,
) -> None:
    """Close open positions at the market, in two steps: shows what would be closed, asks, then closes it."""
    target = Target(state_dir=state_dir, stack=stack, operator=operator)
    request = {**target.signed("flatten", reason), "scope": scope}
    show_answer(in_two_steps(target, request, "Close this now?", confirmed=yes), as_json=as_json)


@app.command()
def lock(  # noqa: PLR0913 - one parameter an option, as typer wants them
    reason: Reason,
    operator: Operator = "",
    yes: Yes = False,
    state_dir: StateDir = DEFAULT_STATE,
    stack: Stack = "",
    as_json: Json = False,
) -> None:
    """Close everything like flatten ALL, and lock: trading begins again only after two resumes."""
    target = Target(state_dir=state_dir, stack=stack, operator=operator)
    request = target.signed("lock", reason)
    show_answer(in_two_steps(target, request, "Close everything and lock?", confirmed=yes), as_json=as_json)


@app.command()
def traces(  # noqa: PLR0913 - one parameter an option, as typer wants them
    symbol: Annotated[str, typer.Argument(help="Code of the coin, such as BTC; every coin, for the funnel.")] = "",
    bars: Annotated[
        int | None, typer.Option(help="How many of the newest decision bars; 24, or all of a funnel.", min=1, max=720)
    ] = None,
    funnel: Annotated[
        bool, typer.Option("--funnel", help="Count decisions by outcome, gate, setup and regime.")
    ] = False,
    state_dir: StateDir = DEFAULT_STATE,
    stack: Stack = "",
    as_json: Json = False,
) -> None:
    """What was decided about one coin, bar by bar, and why; or the funnel of all decisions that are stored.

    With --json, one whole trace per line, or the funnel's counts.
    """
    from infra.cli.traces import show_funnel, show_traces

    if not funnel and not symbol:
        raise InvalidInput("expected the code of a coin, such as BTC, or --funnel")
    show = show_funnel if funnel else show_traces
    show(Target(state_dir=state_dir, stack=stack), symbol, bars, as_json=as_json)


@app.command()
def explain(
    symbol: Symbol,
    at: At = "",
    state_dir: StateDir = DEFAULT_STATE,
    stack: Stack = "",
    as_json: Json = False,
) -> None:
    """Why one decision came out as it did: every gate with value and limit, the score's parts, the levels.

    The decision is made again from what its trace carries and the stored candles, and compared. That works as long as
    the store holds its candles: for at least 30 hours after the decision.
    """
    from infra.cli.explain import show_explanation

    show_explanation(Target(state_dir=state_dir, stack=stack), symbol, at, as_json=as_json)


@app.command()
def chart(  # noqa: PLR0913 - one parameter an option, as typer wants them
    source: Annotated[str, typer.Argument(help="Code of a coin, such as BTC, or a file of candles (see events).")],
    at: At = "",
    out: Annotated[Path | None, typer.Option(help="File to write: .html, or .svg for the picture alone.")] = None,
    timeframe: Annotated[str, typer.Option(help="Length of a file's bars: 15m, 1h, 4h or 1d.")] = "15m",
    from_bar: Annotated[int | None, typer.Option(help="First bar of a file that is drawn (from 0).", min=0)] = None,
    to_bar: Annotated[int | None, typer.Option(help="Last bar of a file that is read and drawn.", min=0)] = None,
    state_dir: StateDir = DEFAULT_STATE,
    stack: Stack = "",
    as_json: Json = False,
) -> None:
    """Draw a decision, or a file of candles: bars, swings, breaks, zones, and the decision's levels.

    Nothing later than the decision's bar, or --to-bar, is used. Prints the name of the file it wrote.
    """
    from infra.cli.chart import ChartWanted, draw

    wanted = ChartWanted(source=source, at=at, out=out, timeframe=timeframe, from_bar=from_bar, to_bar=to_bar)
    written = draw(wanted, Target(state_dir=state_dir, stack=stack))
    print(json.dumps({"written": str(written)}) if as_json else written)


app.command()(events)
app.command()(data)
app.command()(backfill)
app.command()(funnel)
app.command()(paper)


def run() -> None:
    """Entry point. A wrong input is one plain sentence and exit code 1."""
    try:
        app()
    except TradingError as error:
        print(f"smc-trader: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("smc-trader: stopped", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    run()
