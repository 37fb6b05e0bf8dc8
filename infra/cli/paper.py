"""`smc-trader paper`: the whole system on this machine at live public prices, with a simulated account."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from infra.local.paper import PaperOptions, trade_on_paper
from infra.local.stack import KRAKEN
from trading.errors import InvalidInput

SANDBOX_MINUTES = 4 * 24 * 60
DEFAULT_STATE = Path("out/paper")


def paper(  # noqa: PLR0913 - one parameter an option, as typer wants them
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Prices and time of the venue sandbox.")] = False,
    prices: Annotated[str, typer.Option(help="Address of another venue with Kraken's public API.")] = "",
    minutes: Annotated[
        int | None, typer.Option(help="How long; without, four days of the sandbox, or until Ctrl-C.")
    ] = None,
    balance: Annotated[str, typer.Option(help="USD that a new paper account opens with; 10000 without.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the sandbox's prices.")] = 1,
    coins: Annotated[int, typer.Option(help="How many coins the sandbox lists.")] = 20,
    rules_override: Annotated[str, typer.Option(help='Rules laid over rules.toml: {"section": {"key": value}}.')] = "",
    state_dir: Annotated[Path, typer.Option(help="Folder of the local stack.")] = DEFAULT_STATE,
) -> None:
    """Trade on paper: live public prices, simulated orders and fills. Needs no key and sends no order anywhere.

    The paper account lives in the local stack, which stays alive: started again, trading goes on with it.
    """
    if sandbox and prices:
        raise InvalidInput(f"--sandbox and --prices {prices} were given; expected one source of prices")
    options = PaperOptions(
        prices="" if sandbox else prices or KRAKEN,
        state_dir=state_dir,
        minutes=SANDBOX_MINUTES if sandbox and minutes is None else minutes,
        balance=_usd(balance) if balance else None,
        seed=seed,
        coins=coins,
        rules_override=rules_override,
    )
    trade_on_paper(options, lambda line: print(line, flush=True))
    print(f"The paper account stays in {state_dir}: look with smc-trader status --state-dir {state_dir}, ", end="")
    print(f"go on with the same command, end it with smc-trader stop --state-dir {state_dir}.")


def _usd(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InvalidInput(f"--balance is {text!r}; expected an amount of USD such as 10000") from None
