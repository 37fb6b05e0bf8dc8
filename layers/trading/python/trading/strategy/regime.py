"""What kind of market an idea belongs to, and when there is none."""

from __future__ import annotations

from trading.model.signals import Regime, Setup


def regime_of(setup: Setup | None) -> Regime | None:
    """Order blocks and gaps are tight, breaks and trends wide; without a setup there is no regime to trade."""
    return None if setup is None else setup.regime


def is_consolidation(setup: Setup | None, adx: float, adx_minimum: float) -> bool:
    """No setup and no trend strength either."""
    return setup is None and adx < adx_minimum
