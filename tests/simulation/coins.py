"""The coins of a simulated day."""

from __future__ import annotations

from decimal import Decimal

from tests.fakes.records import coin
from tests.simulation.options import Options
from trading.model.instruments import Instrument
from trading.model.units import Quantity

GRIDS = (
    ("0.1", "0.01"),
    ("1", "0.0001"),
    ("0.0001", "1"),
    ("0.5", "0.001"),
    ("0.00001", "10"),
    ("0.01", "0.1"),
)
"""Tick and step by coin, from fine to coarse."""


def drawn_instruments(options: Options) -> tuple[Instrument, ...]:
    """The coins of a day, each with a grid of its own."""
    names = ("COIN", "BTC", "XRP", "ETH", "DOGE", "LINK")[: options.coins]
    return tuple(
        coin(
            name,
            tick=Decimal(tick),
            step=Decimal(step),
            minimum=Quantity(step),
            maximum_position=Quantity(10_000_000),
        )
        for name, (tick, step) in zip(names, GRIDS, strict=False)
    )
