"""What is done about every kind of discrepancy, who is told, and after how many looks. The code asks this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from trading.errors import InvalidInput
from trading.model.alerts import Severity
from trading.reconciliation.view import DiscrepancyKind


class Remedy(StrEnum):
    COVER = "a stop for the whole quantity goes out at once"
    PROVE = "it is looked up in every source and ends only by proof"
    ADOPT = "it gets a record and a stop, and is never closed by us"
    BOOK = "its fills are looked up, then it is booked from the account log"
    CANCEL = "the order is taken off"
    REPLACE = "what was meant is placed, then the order is taken off"
    FOLLOW = "the venue's quantity is taken over and covered whole"
    LEAVE = "it is left alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`looks` until the remedy, `told_after` looks until people are told: each `confirm_after_s` after the one before.

    `looks_in_the_dark`: the same while the fills do not answer, or a record cannot be read. Not `active`: seen and
    counted, nothing done or told.
    """

    remedy: Remedy
    severity: Severity
    looks: int = 1
    told_after: int = 1
    looks_in_the_dark: int = 1
    active: bool = True

    def __post_init__(self) -> None:
        if min(self.looks, self.told_after, self.looks_in_the_dark) < 1:
            raise InvalidInput(f"the policy '{self.remedy}' acts after {self.looks} looks; expected 1 or more")


Policies = Mapping[DiscrepancyKind, Policy]

POLICIES: Policies = MappingProxyType(
    {
        DiscrepancyKind.NAKED_POSITION: Policy(remedy=Remedy.COVER, severity=Severity.CRITICAL),
        # The number of proofs is a rule of execution; this is the least that it may be.
        DiscrepancyKind.UNKNOWN_INTENT: Policy(remedy=Remedy.PROVE, severity=Severity.WARNING, looks=2),
        DiscrepancyKind.GHOST: Policy(remedy=Remedy.ADOPT, severity=Severity.WARNING, looks_in_the_dark=2),
        DiscrepancyKind.OPPOSITE_POSITION: Policy(remedy=Remedy.ADOPT, severity=Severity.CRITICAL, looks_in_the_dark=2),
        DiscrepancyKind.ZOMBIE: Policy(remedy=Remedy.BOOK, severity=Severity.WARNING, looks=2, told_after=2),
        DiscrepancyKind.UNPRICED: Policy(remedy=Remedy.BOOK, severity=Severity.CRITICAL),
        DiscrepancyKind.ORPHAN_ORDER: Policy(remedy=Remedy.CANCEL, severity=Severity.WARNING, looks_in_the_dark=2),
        DiscrepancyKind.WRONG_ORDER: Policy(remedy=Remedy.REPLACE, severity=Severity.CRITICAL),
        # Two of them are the normal way from an old stop to a new one.
        DiscrepancyKind.DUPLICATE_STOP: Policy(remedy=Remedy.CANCEL, severity=Severity.WARNING, told_after=2),
        DiscrepancyKind.QUANTITY_DRIFT: Policy(remedy=Remedy.FOLLOW, severity=Severity.WARNING, told_after=2),
        DiscrepancyKind.FOREIGN_ORDER: Policy(remedy=Remedy.LEAVE, severity=Severity.WARNING),
        DiscrepancyKind.ISOLATED_MARGIN: Policy(remedy=Remedy.LEAVE, severity=Severity.WARNING),
    }
)
"""ISOLATED_MARGIN: the risk gate refuses every entry meanwhile; only a person may change the account's set-up."""
