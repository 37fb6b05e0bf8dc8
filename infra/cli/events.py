"""`events`: what the detector makes of a file of candles, one JSON line per event, in the order it becomes known."""

from __future__ import annotations

import json
import os
import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from infra.cli.ohlc_files import read_ohlc, timeframe_named
from trading.errors import InvalidInput
from trading.model.times import from_epoch, to_text
from trading.rules import DetectorRules, load_rules
from trading.smc import Detector
from trading.smc.events import (
    BOS,
    BREAKER,
    CHOCH,
    CHOCH_FAILED,
    EQUAL_LEVELS,
    EXPIRED,
    FILLED,
    GAP,
    HALF,
    INITIAL,
    INVERSE_GAP,
    MITIGATION_BLOCK,
    ORDER_BLOCK,
    OTE,
    OUTSIDE,
    PERIOD_LEVEL,
    PERIOD_NAMES,
    POOL,
    REINFORCED,
    RETOUCHED,
    RUN,
    SIDE_NAMES,
    SWEEP,
    SWING,
    SWING_SUPERSEDED,
    TOUCHED,
    VIOLATED,
    WITH_DISPLACEMENT,
    RawEvent,
    key_name,
)
from trading.strategy.bias import detector_parameters
from trading.strategy.concepts import concept_parameters

LEVELS: Final = frozenset({SWING, SWING_SUPERSEDED, BOS, CHOCH, CHOCH_FAILED, POOL, POOL + EXPIRED, PERIOD_LEVEL})
"""Kinds that stand at one price; all others reach from `bottom` to `top`."""
ZONES: Final = (ORDER_BLOCK, GAP, BREAKER, MITIGATION_BLOCK, INVERSE_GAP, OTE)
ENDINGS: Final = (TOUCHED, RETOUCHED, HALF, VIOLATED, FILLED, EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsWanted:
    """Which file is read, with which scales, and which bars' events are wanted (both ends included)."""

    path: Path
    timeframe: str
    scales: str = ""
    concepts: bool = True
    from_bar: int = 0
    to_bar: int | None = None

    def __post_init__(self) -> None:
        if self.to_bar is not None and self.to_bar < self.from_bar:
            raise InvalidInput(f"--to-bar is {self.to_bar}; expected at least --from-bar, which is {self.from_bar}")


def events(  # noqa: PLR0913 - one parameter an option, as typer wants them
    file: Annotated[Path, typer.Argument(help="Candles: csv.gz archive, Kraken's OHLCVT export, or a plain OHLC CSV.")],
    timeframe: Annotated[str, typer.Option(help="Length of the file's bars: 15m, 1h, 4h or 1d.")] = "15m",
    from_bar: Annotated[int, typer.Option(help="First bar (from 0) whose events are printed.", min=0)] = 0,
    to_bar: Annotated[int | None, typer.Option(help="Last bar that is read; the file's last without.", min=0)] = None,
    scales: Annotated[str, typer.Option(help="Bars left and right of a swing, such as 5,20; the rules' without.")] = "",
    concepts: Annotated[bool, typer.Option(help="Also pools, sweeps, breakers, inversions, ranges, OTE ...")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Accepted everywhere; it prints JSON lines anyway.")] = True,
) -> None:
    """Print the detector's events as JSON lines, in the order in which they become known.

    One line: known_at (bar number) and known_time (its close), ref_bar and ref_time (its open), kind, side, scale,
    level or top and bottom, id, rests_on (ids), detail. Bars are numbered from 0. An event never changes and uses no
    later bar: --to-bar N prints exactly the lines of the whole file with known_at up to N.
    """
    del as_json
    wanted = EventsWanted(
        path=file, timeframe=timeframe, scales=scales, concepts=concepts, from_bar=from_bar, to_bar=to_bar
    )
    with quiet_pipe():
        for line in event_lines(wanted):
            sys.stdout.write(line)


def event_lines(wanted: EventsWanted) -> Iterator[str]:
    """The lines, each with its line end. The file is read as far as lines are taken. Raises InvalidInput."""
    timeframe = timeframe_named(wanted.timeframe)
    rules = load_rules()
    told = concept_parameters(rules) if wanted.concepts else None
    scales = scales_of(wanted.scales, rules.detector)
    detector = Detector(detector_parameters(rules.detector, scales=scales, concepts=told))
    times: array[int] = array("q")
    for bar in islice(read_ohlc(wanted.path, timeframe), None if wanted.to_bar is None else wanted.to_bar + 1):
        times.append(bar.time)
        found = detector.update(*bar[1:], bar.time)
        if found and detector.bar >= wanted.from_bar:
            known_time = to_text(from_epoch(bar.time + timeframe.seconds))
            for event in found:
                yield json.dumps(event_document(event, known_time, to_text(from_epoch(times[event[4]])))) + "\n"


def scales_of(text: str, rules: DetectorRules) -> tuple[int, ...]:
    """Raises InvalidInput unless these are whole numbers from 2 on, smallest first."""
    if not text:
        return (rules.minor_swing_bars, rules.major_swing_bars)
    parts = text.split(",")
    scales = tuple(int(part) for part in parts if part.strip().isdecimal())
    if len(scales) < len(parts) or min(scales) < 2 or list(scales) != sorted(set(scales)):
        raise InvalidInput(f"--scales is {text!r}; expected whole numbers of at least 2, smallest first, such as 5,20")
    return scales


def event_document(event: RawEvent, known_time: str, ref_time: str) -> dict[str, Any]:
    """One event by name, for programs. `scale` is None where a concept has none."""
    kind, side, scale, known_at, ref_bar, top, bottom, rests_on, detail = event
    place = {"level": top} if kind in LEVELS else {"top": top, "bottom": bottom}
    period = {"period": PERIOD_NAMES[scale]} if scale < 0 else {}
    return {
        "known_at": known_at,
        "known_time": known_time,
        "ref_bar": ref_bar,
        "ref_time": ref_time,
        "kind": kind,
        "side": SIDE_NAMES[side],
        "scale": scale if scale > 0 else None,
        **period,
        **place,
        "id": key_name(event[:5]),
        "rests_on": [key_name(key) for key in rests_on],
        "detail": detail_named(kind, detail),
    }


def detail_named(kind: str, detail: int) -> dict[str, Any]:
    """What the number at the end of an event says, by name; empty where it says nothing."""
    if kind in (BOS, CHOCH):
        return {"initial": True} if detail == INITIAL else _shift(detail)
    if kind == ORDER_BLOCK + REINFORCED:
        return {"breaks": detail}
    if kind.startswith(ZONES) and kind.endswith(ENDINGS):
        return {"touches": detail}
    if kind in (EQUAL_LEVELS, SWEEP, RUN):
        outside = {"outside_bar": True} if detail & OUTSIDE else {}
        return {"members": detail & ~OUTSIDE, **outside}
    return {}


def _shift(detail: int) -> dict[str, Any]:
    return {"market_structure_shift": True} if detail == WITH_DISPLACEMENT else {}


@contextmanager
def quiet_pipe() -> Iterator[None]:
    """Ends without a word when whoever reads the output (such as `head`) has had enough."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at exit, and would complain about the pipe there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
