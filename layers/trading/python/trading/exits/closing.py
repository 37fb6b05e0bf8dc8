"""The rules that close a position."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from trading.exits.case import Answer, Close, ExitCase, NoInput, Silent
from trading.model.decisions import Bias
from trading.model.instruments import Side
from trading.model.times import Timeframe, to_text

_AGAINST = {Side.LONG: Bias.DOWN, Side.SHORT: Bias.UP}


def basis_after_fill(case: ExitCase) -> Answer:
    """Soon after the fill: the contract has left the spot price that the idea was found on and is judged on.

    One look is enough, as before the entry: the venue's mark is an average over time and its index one over
    exchanges, so a single trade tears neither; but only a fresh quote counts, as an old one says nothing of now.
    """
    opened, quote, rules = case.position.opened_at, case.fresh_quote, case.rules
    if opened is None:
        return NoInput(missing="when it was opened")
    minutes = rules.exits.basis_after_fill_minutes
    if case.now - opened > timedelta(minutes=minutes):
        return Silent(saw=f"filled more than {minutes} minutes ago")
    if quote is None or (torn := quote.basis_pct) is None:
        return NoInput(missing="a fresh quote with its index")
    apart = f"mark {quote.mark} is {torn:.2f} % from its index {quote.index}"
    if torn <= rules.risk.basis_maximum_pct:
        return Silent(saw=apart)
    return Close(why=f"{apart} soon after the fill")


def premise(case: ExitCase) -> Answer:
    """A 15m spot close beyond the invalidation says that the idea was wrong."""
    if case.last_close is None:
        return NoInput(missing="the close of the newest 15m bar")
    level = case.position.spot_invalidation
    if (Decimal(repr(case.last_close)) - level) * case.position.side.sign >= 0:
        return Silent(saw=f"closed at {case.last_close}, invalidation {level}")
    return Close(why=f"closed at {case.last_close} beyond the invalidation {level}")


def abandon_ship(case: ExitCase) -> Answer:
    """A decision after the one it was opened on finds the higher timeframes against it: the daily bias, or the 4h
    structure where the daily bias is neutral. Scoring would not open on this side."""
    trace, hours = case.trace, case.rules.exits.abandon_ship_hours
    if not case.rules.bias.enabled:
        return Silent(saw="the bias is switched off")
    if trace is None or case.now - trace.decision_bar >= timedelta(hours=hours):
        return NoInput(missing=f"a decision of the last {hours} hours")
    if trace.daily_bias is None or trace.structure_trend is None:
        return NoInput(missing=f"the bias: the decision at {to_text(trace.decision_bar)} was {trace.outcome}")
    against = _AGAINST[case.position.side]
    structure_decides = trace.daily_bias is Bias.NEUTRAL and trace.structure_trend is against
    bias = f"daily bias {trace.daily_bias}, 4h structure {trace.structure_trend} at {to_text(trace.decision_bar)}"
    if trace.decision_bar <= Timeframe.H1.floor(case.position.planned_at):
        return Silent(saw=f"{bias}, when it was planned")
    if trace.daily_bias is against or structure_decides:
        return Close(why=f"{bias}: turned against the {case.position.side}")
    return Silent(saw=bias)


def funding(case: ExitCase) -> Answer:
    """What the position would pay at the funding of now is too much."""
    quote, rules = case.fresh_quote, case.rules.exits
    if quote is None or quote.hourly_funding is None:
        return NoInput(missing="a fresh quote with its funding")
    paid = quote.hourly_funding * 10_000 * rules.funding_hours * case.position.side.sign
    projected = f"funding of {rules.funding_hours} hours at the rate of now {paid:.2f} bps"
    if paid <= rules.funding_maximum_bps:
        return Silent(saw=projected)
    return Close(why=f"{projected}, above {rules.funding_maximum_bps}")


def time_exit(case: ExitCase) -> Answer:
    """The idea had its time: no first target within the allowed 15m bars."""
    position, bars = case.position, case.rules.exits.time_exit_bars
    if position.first_target_at is not None:
        return Silent(saw=f"first target at {to_text(position.first_target_at)}")
    if position.opened_at is None:
        return NoInput(missing="when it was opened")
    if case.now - position.opened_at < Timeframe.M15.length * bars:
        return Silent(saw=f"opened at {to_text(position.opened_at)}, less than {bars} bars of 15m ago")
    return Close(why=f"no first target within {bars} bars of 15m")


def maximum_hold(case: ExitCase) -> Answer:
    opened, hours = case.position.opened_at, case.rules.exits.maximum_hold_hours
    if opened is None:
        return NoInput(missing="when it was opened")
    if case.now - opened < timedelta(hours=hours):
        return Silent(saw=f"opened at {to_text(opened)}, less than {hours} hours ago")
    return Close(why=f"held for {hours} hours")
