"""A decision as rows of plain text, the same for a terminal, a page and a chart."""

from __future__ import annotations

from typing import Final

from trading.model.decisions import Decision, GateResult
from trading.model.signals import Levels
from trading.model.times import Timeframe, to_text
from trading.model.units import Price, plain

Row = tuple[str, str]

AT_LEAST, AT_MOST = "at least", "at most"
GATES: Final[dict[str, tuple[str, str, str]]] = {
    "universe_health": ("coins with sound candles", AT_LEAST, "%"),
    "bias": ("stand of the higher timeframes (-1, 0, 1)", AT_LEAST, ""),
    "adx": ("ADX of the decision timeframe", AT_LEAST, ""),
    "fibonacci": ("distance to a Fibonacci place", AT_MOST, "bps"),
    "spread": ("spread", AT_MOST, "bps"),
    "cooldown": ("since the last signal", AT_LEAST, "min"),
    "structure_reuse": ("since this structure was used", AT_LEAST, "min"),
    "levels": ("prices make a ladder on the ticks", "", ""),
    "cost_tight": ("round trip", AT_MOST, "bps"),
    "cost_wide": ("first target by cost", AT_LEAST, "x"),
    "funding_wide": ("projected funding", AT_MOST, "bps"),
    "net_reward": ("net reward to risk", AT_LEAST, ""),
}
"""By gate: what it looks at, how value and limit stand to each other, the unit of both."""


def heading(decision: Decision) -> str:
    """Coin, bar and outcome in one line."""
    return f"{decision.instrument}, bar closed {decision.decision_bar:%Y-%m-%d %H:%M} UTC: {decision.outcome}"


def gate_rows(decision: Decision) -> list[tuple[str, str, str, str, str]]:
    """(gate, what it looks at, value, limit, passed or FAILED) in the order in which they were asked."""
    return [_gate(gate) for gate in decision.gates]


def _gate(gate: GateResult) -> tuple[str, str, str, str, str]:
    what, relation, unit = GATES.get(gate.name, ("", "", ""))
    value = "-" if gate.value is None else _with_unit(gate.value, unit)
    limit = "-" if gate.limit is None else f"{relation} {_with_unit(gate.limit, unit)}".strip()
    return gate.name, what, value, limit, "passed" if gate.passed else "FAILED"


def _with_unit(value: float, unit: str) -> str:
    return f"{short(value)} {unit}".strip()


def score_rows(decision: Decision) -> list[tuple[str, str, str]]:
    """(part, points, most it can give), and the sum against the threshold."""
    rows = [(part.name.replace("_", " "), str(part.points), str(part.maximum)) for part in decision.score_parts]
    if decision.score is not None:
        rows.append(("sum", str(decision.score), f"{decision.threshold} needed"))
    return rows


def level_rows(levels: Levels) -> list[tuple[str, str, str]]:
    """(name, price, distance to the entry in percent and in R) from the farthest target to the stop."""
    named = (
        ("target 2", levels.target_2),
        ("target 1", levels.target_1),
        ("entry", levels.entry),
        ("invalidation", levels.invalidation),
        ("stop", levels.stop),
    )
    return [(name, plain(price), _away(price, levels)) for name, price in named]


def _away(price: Price, levels: Levels) -> str:
    if price == levels.entry:
        return ""
    multiple = levels.side.sign * (price - levels.entry) / levels.stop_distance
    return f"{100 * (price / levels.entry - 1):+.2f} %, {multiple:+.2f} R"


def reading_rows(decision: Decision) -> list[Row]:
    """What was seen: bias, setup, indicators, the structure used."""
    rows = [
        ("daily bias", decision.daily_bias),
        ("4h structure", decision.structure_trend),
        ("setup", decision.setup),
        ("side", decision.side),
        ("regime", decision.regime),
        ("higher timeframes", decision.alignment),
    ]
    seen = [(name, str(value).replace("_", " ")) for name, value in rows if value is not None]
    seen += [(name.replace("_", " "), short(value)) for name, value in decision.indicators]
    return seen + [("structure", name) for name in decision.structure]


def input_rows(decision: Decision) -> list[Row]:
    """What the decision was made from, besides the prices themselves."""
    inputs = decision.inputs
    if inputs is None:
        return []
    market = inputs.market
    bars = ", ".join(f"{bars} of {timeframe}" for timeframe, (bars, _) in zip(Timeframe, inputs.candles, strict=True))
    last = "none" if inputs.last_signal_at is None else to_text(inputs.last_signal_at)
    return [
        ("bars", bars),
        ("quote", "none" if market is None else f"spread {short(float(market.spread))} bps"),
        *((("hourly funding", f"{short(float(market.hourly_funding) * 10_000)} bps"),) if market else ()),
        (
            "contract",
            f"tick {plain(inputs.tick)}, maker {plain(inputs.maker_fee)}, taker {plain(inputs.taker_fee)} bps",
        ),
        ("last signal", last),
        *(("structure used", f"{name} at {to_text(at)}") for name, at in inputs.used_structures),
        ("its candles", f"{inputs.quality.lower()} {inputs.quality_reason}".strip()),
        ("sound candles", f"{short(100 * inputs.healthy_share)} % of all coins"),
        *((("late", "decided too late to be traded"),) if inputs.late else ()),
    ]


def origin_rows(decision: Decision) -> list[Row]:
    """Which code and which rules decided, on which inputs."""
    return [
        ("code", decision.code_version),
        ("rules", decision.rules_fingerprint),
        ("inputs", decision.inputs_fingerprint),
    ]


def short(value: float) -> str:
    """Six significant digits without needless zeros."""
    return f"{value:.6g}"
