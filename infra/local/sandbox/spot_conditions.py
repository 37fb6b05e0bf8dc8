"""What goes wrong on the spot public API, as declared through `POST /sandbox/spot`: plain values, no effects."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Self, get_args

from trading.errors import InvalidInput

Limit = Literal["none", "per_pair", "per_ip"]
LIMITS = get_args(Limit)
LATENCY_MAX_S = 60.0
LATE_MAX_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotConditions:
    """Conditions of `/0/public/...`; the defaults disturb nothing.

    `latency_s`: wall seconds that every answer is held, in parallel. `failing_share`: 0..1 of the calls that fail.
    `hanging`: pair ids whose OHLC is held and then dropped. `late_s`: venue seconds after its close at which a bar of a
    pair is committed. `limit`: whether a budget of `calls_per_second` (wall time) holds for each pair or for all calls.
    """

    latency_s: float = 0.0
    failing_share: float = 0.0
    hanging: tuple[str, ...] = ()
    late_s: Mapping[str, float] = field(default_factory=dict)
    limit: Limit = "none"
    calls_per_second: float = 1.0

    def __post_init__(self) -> None:
        _require_number("latency_s", self.latency_s, 0.0, LATENCY_MAX_S)
        _require_number("failing_share", self.failing_share, 0.0, 1.0)
        _require_number("calls_per_second", self.calls_per_second, 0.001, 1000.0)
        if self.limit not in LIMITS:
            raise InvalidInput(f"spot limit is {self.limit!r}, expected one of {', '.join(LIMITS)}")
        for pair, late in self.late_s.items():
            _require_number(f"late_s of {pair}", late, 0.0, LATE_MAX_S)

    def changed(self, changes: Mapping[str, Any], pairs: Mapping[str, str]) -> Self:
        """With some fields replaced as a whole. `pairs`: pair id by every name the venue knows. InvalidInput if bad."""
        known = [item.name for item in fields(self)]
        for name in changes:
            if name not in known:
                raise InvalidInput(f"unknown spot condition {name!r}, expected one of {', '.join(known)}")
        wanted = dict(changes)
        if "hanging" in wanted:
            wanted["hanging"] = _pair_ids(wanted["hanging"], pairs)
        if "late_s" in wanted:
            late = wanted["late_s"]
            if not isinstance(late, Mapping):
                raise InvalidInput(f"spot late_s is {late!r}, expected an object of seconds by pair name")
            wanted["late_s"] = dict(zip(_pair_ids(list(late), pairs), late.values(), strict=True))
        return replace(self, **wanted)

    def document(self) -> dict[str, Any]:
        """As a JSON object; `changed` takes it back."""
        return {**asdict(self), "hanging": list(self.hanging)}


def _require_number(name: str, value: object, least: float, most: float) -> None:
    # bool is an int in Python: `true` must not pass for one second.
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not (math.isfinite(number) and least <= number <= most):
        raise InvalidInput(f"spot {name} is {value!r}, expected a number from {least:g} to {most:g}")


def _pair_ids(names: object, pairs: Mapping[str, str]) -> tuple[str, ...]:
    if not isinstance(names, list):
        raise InvalidInput(f"spot hanging is {names!r}, expected a list of pair names")
    for name in names:
        if not isinstance(name, str) or name not in pairs:
            raise InvalidInput(f"spot pair {name!r} is not listed, expected a pair such as {next(iter(pairs))}")
    return tuple(pairs[name] for name in names)
