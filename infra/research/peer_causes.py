"""Why a row of smartmoneyconcepts and one of ours differ: a closed set of causes, each proved from the bars.

A cause is given only when what it says has been computed for that row; a row that none can be proved for is
`unexplained`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from infra.research.peer_rules import PeerBlock, PeerBreak, PeerSwing, Prices

THEIRS: Final = "theirs"
OURS: Final = "ours"
BOTH: Final = "both"

ERASED_SWING: Final = "erased_swing"
ERASED_BETWEEN: Final = "erased_swing_between"
SWING_AHEAD: Final = "swing_ahead"
ERASED_ROW: Final = "erased_row"
ERASED_BLOCK: Final = "erased_block"
OVERWRITTEN: Final = "overwritten_block"
NO_PATTERN: Final = "no_four_swing_pattern"
TOO_FEW: Final = "too_few_swings"
NEWER_LEVEL: Final = "newer_level"
NAMED: Final = "named_by_pattern"
ROUNDED: Final = "rounded_level"
INVENTED: Final = "invented_swing"
UNEXPLAINED: Final = "unexplained"

LOOK_AHEAD: Final = "look-ahead"
ERASURE: Final = "erased rows"
DEFINITION: Final = "definition"
DEFECT: Final = "defect of the peer"

CAUSES: Final[Mapping[str, tuple[str, str]]] = {
    ERASED_SWING: (
        ERASURE,
        "The peer deletes this swing when a more extreme one of its kind is confirmed. Ours keeps what was known by "
        "then, on purpose: who waited for the deletion had to know the future.",
    ),
    ERASED_BETWEEN: (
        ERASURE,
        "At this break the newest known swing of the side was another, which the peer has deleted since, so that the "
        "older level seems to have been watched. Ours breaks what stood there, on purpose: causality.",
    ),
    SWING_AHEAD: (
        LOOK_AHEAD,
        "The peer gave the level up for a newer swing whose confirming bars had not closed yet. Ours goes on watching "
        "the newest confirmed level, on purpose: causality.",
    ),
    ERASED_ROW: (
        ERASURE,
        "The peer had this row and deleted it because a later stamp was broken no later. Ours never deletes, on "
        "purpose.",
    ),
    ERASED_BLOCK: (
        ERASURE,
        "A wick went through the block and a later bar came back through it; the peer then deletes the row. Ours tells "
        "the violation as an event and keeps the block's history, on purpose: what is left here are the survivors.",
    ),
    OVERWRITTEN: (
        ERASURE,
        "Another block of the peer took the same row. Ours has one block a side and bar, on purpose.",
    ),
    NO_PATTERN: (
        DEFINITION,
        "The close went beyond the swing, but it and its neighbours make no pattern of four swings. Ours needs only "
        "the close, on purpose: the pattern is complete only when the move is over.",
    ),
    TOO_FEW: (
        DEFINITION,
        "The swing is too near an end of the series to have the neighbours that the peer's pattern needs. Ours "
        "does not need them.",
    ),
    NEWER_LEVEL: (
        DEFINITION,
        "A newer swing of the side was known and still stands; the peer goes on watching the older level as well. Ours "
        "watches the newest only (3b: last accepted swing), on purpose.",
    ),
    NAMED: (
        DEFINITION,
        "The same break: the peer names it by four swings, of which the last is mostly confirmed only afterwards; ours "
        "by the break before it (trend), on purpose: known when it happens.",
    ),
    ROUNDED: (
        DEFECT,
        "The close only goes beyond the level rounded to 32 bits, not beyond the level. Ours compares 64 bits; the "
        "peer is wrong.",
    ),
    INVENTED: (
        DEFECT,
        "The swing is invented: the peer puts one on the first and one on the last row. Ours is right to have none.",
    ),
    UNEXPLAINED: ("none", "No cause could be proved."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the peer or of ours: `bar` is what it is stamped on, `swing_bar` its level's, `known` its break's."""

    side: int
    bar: int
    swing_bar: int
    known: int
    kind: str
    top: float
    bottom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference: `where` is theirs, ours (only there) or both (a row of both that is not the same)."""

    where: str
    cause: str
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A table of the peer against our events. A row of both can differ in more than one way."""

    name: str
    theirs: int
    ours: int
    both: int
    differences: tuple[Difference, ...]

    @property
    def same(self) -> int:
        """Rows of both that differ in nothing."""
        return self.both - len({(each.row.side, each.row.swing_bar, each.row.bar) for each in self.of(BOTH)})

    def of(self, where: str) -> list[Difference]:
        return [each for each in self.differences if each.where == where]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What explanations are proved with. Swings are named by side (of their break) and bar.

    `accepted` and `superseded`: the bar our detector told it on. `before`: the side of our break before that of a
    swing. `patterns` and `blocks`: what the peer computes, with what it erases.
    """

    prices: Prices
    scale: int
    swings: Sequence[PeerSwing]
    patterns: Mapping[tuple[int, int], PeerBreak]
    blocks: Mapping[tuple[int, int, int], PeerBlock]
    accepted: Mapping[tuple[int, int], int]
    superseded: Mapping[tuple[int, int], int]
    before: Mapping[tuple[int, int], int]

    def only_theirs(self, row: Row) -> str:
        """Why the detector did not tell a break or block of the peer."""
        if row.swing_bar in self._ends():
            return INVENTED
        if self._rounded(row):
            return ROUNDED
        newer = [
            key
            for key, known in self.accepted.items()
            if key[0] == row.side and row.swing_bar < key[1] and known <= row.known
        ]
        if not newer:
            return UNEXPLAINED
        if any((swing.side, swing.bar) in newer for swing in self.swings):
            return NEWER_LEVEL
        # None of them is left; the last was still the newest of its side when the older level seems to have broken.
        return ERASED_BETWEEN if self.superseded.get(max(newer), -1) > row.known else UNEXPLAINED

    def only_our_break(self, row: Row) -> str:
        """Why the peer's table has no such break."""
        key = (row.side, row.swing_bar)
        pattern = self.patterns.get(key)
        if self._erased_later(row):
            return ERASED_SWING
        if pattern is not None:
            return ERASED_ROW if pattern.erased_by is not None else UNEXPLAINED
        bars = [swing.bar for swing in self.swings]
        if row.swing_bar not in bars:
            return UNEXPLAINED
        return NO_PATTERN if 0 < bars.index(row.swing_bar) < len(bars) - 2 else TOO_FEW

    def only_our_block(self, row: Row) -> str:
        """Why the peer never created such a block."""
        if self._erased_later(row):
            return ERASED_SWING
        ahead = [
            swing.bar
            for swing in self.swings
            if swing.side == row.side and row.swing_bar < swing.bar < row.known < swing.bar + self.scale
        ]
        return SWING_AHEAD if ahead else UNEXPLAINED

    def block_not_listed(self, row: Row) -> str:
        """Why the peer's finished table has no such block."""
        created = self.blocks.get((row.side, row.swing_bar, row.known))
        if created is None:
            return self.only_our_block(row)
        if created.overwritten:
            return OVERWRITTEN
        return ERASED_BLOCK if created.erased_at is not None else UNEXPLAINED

    def only_their_swing(self, row: Row) -> str:
        """Why we have no such swing."""
        return INVENTED if row.bar in self._ends() else UNEXPLAINED

    def only_our_swing(self, row: Row) -> str:
        """Why the peer's finished table has no such swing."""
        return ERASED_SWING if self._erased_later(row) else UNEXPLAINED

    def unlike_breaks(self, their: Row, our: Row) -> list[str]:
        """In what, and why, a break of both differs: its bar, its name, its level."""
        causes = []
        if their.known != our.known:
            causes.append(ROUNDED if self._rounded(their) and their.known < our.known else UNEXPLAINED)
        if their.kind != our.kind:
            pattern, before = (
                self.patterns.get((their.side, their.swing_bar)),
                self.before.get((our.side, our.swing_bar)),
            )
            turned = before == -our.side
            proved = pattern is not None and pattern.kind == their.kind and turned == (our.kind == "choch")
            causes.append(NAMED if proved else UNEXPLAINED)
        if abs(their.top - our.top) > 1e-6 * abs(our.top):
            causes.append(UNEXPLAINED)
        return causes

    def _ends(self) -> tuple[int, int]:
        return 0, len(self.prices.closes) - 1

    def _rounded(self, row: Row) -> bool:
        """Whether the close of the break is not beyond the level as the bars have it."""
        levels = self.prices.highs if row.side > 0 else self.prices.lows
        return self.prices.closes[row.known] * row.side <= levels[row.swing_bar] * row.side

    def _erased_later(self, row: Row) -> bool:
        key = (row.side, row.swing_bar)
        gone = all((swing.side, swing.bar) != key for swing in self.swings)
        return gone and self.superseded.get(key, -1) > row.known


def unlike_zones(their: Row, our: Row) -> list[str]:
    """A zone of both has to be the same candle with the same edges (and end)."""
    return [] if their == our else [UNEXPLAINED]


def never(_: Row) -> str:
    """For tables whose rows have to be the same."""
    return UNEXPLAINED


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanations:
    """How the differences of one table are explained."""

    only_theirs: Callable[[Row], str]
    only_ours: Callable[[Row], str]
    unlike: Callable[[Row, Row], list[str]]


def compare(
    name: str,
    theirs: Iterable[Row],
    ours: Iterable[Row],
    key: Callable[[Row], tuple[int, ...]],
    explain: Explanations,
) -> Comparison:
    """Match rows by `key` and explain every difference. Raises ValueError for two rows of one key on one side."""
    their, our = _keyed(name, theirs, key), _keyed(name, ours, key)
    both = [each for each in their if each in our]
    told = [
        Difference(where=THEIRS, cause=explain.only_theirs(row), row=row) for k, row in their.items() if k not in our
    ]
    told += [Difference(where=OURS, cause=explain.only_ours(row), row=row) for k, row in our.items() if k not in their]
    told += [
        Difference(where=BOTH, cause=cause, row=their[each])
        for each in both
        for cause in explain.unlike(their[each], our[each])
    ]
    return Comparison(name=name, theirs=len(their), ours=len(our), both=len(both), differences=tuple(told))


def _keyed(name: str, rows: Iterable[Row], key: Callable[[Row], tuple[int, ...]]) -> dict[tuple[int, ...], Row]:
    found: dict[tuple[int, ...], Row] = {}
    for row in rows:
        if found.setdefault(key(row), row) is not row:
            raise ValueError(f"{name} has two rows for {key(row)}, expected one")
    return found
