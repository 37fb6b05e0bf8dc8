"""Every fault of the contract's catalogue (section 15) through the adapter over a socket to the sandbox: one table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.fakes.shared_folder import SHARED
from tests.integration.venue import fault_cases_of_pages as pages
from tests.integration.venue import fault_cases_of_rows as rows
from tests.integration.venue import fault_cases_of_sends as sends
from tests.integration.venue import fault_cases_of_state as state
from tests.integration.venue.faulty_venue import Rig, rigged

CONTRACT_TEXT = SHARED / "reference" / "kraken-rest-contract.md"
GATEWAYS = tuple(f"{status}-page{tail}" for status in (405, 502, 503, 504, 520, 524) for tail in ("", "-but-done"))
SECTION_15: tuple[tuple[str, ...], ...] = (
    ("done-then-timeout", "done-then-slow"),
    ("done-then-closed", "closed-before", "reset"),
    ("late-but-in-time", "late-and-expired"),
    ("html", "html-but-done"),
    ("empty",),
    ("empty-object",),
    ("cut-right-length", "cut-wrong-length"),
    ("drip",),
    ("429-json", "429-html"),
    ("real-limit",),
    (*GATEWAYS, "pages-on-reads", "maintenance"),
    ("authentication-error", "bad-key-on-reads"),
    ("500-insufficient-margin",),
    ("unknown-error-word", "unknown-error-word-in-4xx"),
    ("unknown-send-status", "status-null", "unknown-words"),
    ("placed-empty-events", "placed-without-events", "placed-without-order-id", "placed-without-any-id"),
    ("reject-with-event", "reject-without-event", "reject-empty-events", "refusal-beside-a-place-event"),
    ("partial-immediate",),
    ("executions-only",),
    ("placed-and-executed",),
    ("fill-between-read-and-send",),
    ("cancel-said-done-then-fill",),
    ("stop-vanishes",),
    ("stop-fires-while-flat",),
    ("stop-fails-when-it-fires",),
    ("late-fills", "late-positions", "late-open-orders", "late-order-status", "late-history"),
    ("lower-case",),
    ("flipped-by-hand",),
    ("liquidated", "liquidated-in-part"),
    ("suspended", "post-only"),
    ("terms-change",),
    ("margin-tiers-change",),
    ("funding-rolls-over",),
    ("skewed-clock",),
    (
        *("many-fills", "fills-of-one-moment", "fills-without-end", "log-of-one-moment"),
        *("unsorted-fills", "repeated-rows", "null-fields"),
    ),
    ("history-token-expires",),
    (
        *("spot-rate-limit", "spot-lockout", "spot-service", "missing-bar", "repeated-bar", "late-commit"),
        *("row-cap", "altname-key", "warning"),
    ),
)
"""Our names, grouped as the catalogue lists its items; a group holds every variant of its item that is tried."""

CASES: dict[str, Callable[[Rig], None]] = {
    **sends.SENDS,
    "late-but-in-time": sends.late_but_in_time,
    "late-and-expired": sends.late_and_expired,
    "drip": sends.drip,
    "reset": sends.reset,
    "real-limit": sends.real_limit,
    "pages-on-reads": sends.pages_on_reads,
    "bad-key-on-reads": sends.bad_key_on_reads,
    "reject-with-event": partial(sends.rejected, events="present"),
    "reject-without-event": partial(sends.rejected, events="missing"),
    "reject-empty-events": partial(sends.rejected, events="empty"),
    "partial-immediate": sends.partial_immediate,
    "executions-only": sends.executions_only,
    "placed-and-executed": sends.placed_and_executed,
    "fill-between-read-and-send": state.fill_between_read_and_send,
    "cancel-said-done-then-fill": state.cancel_said_done_then_fill,
    "stop-vanishes": state.stop_vanishes,
    "stop-fires-while-flat": state.stop_fires_while_flat,
    "stop-fails-when-it-fires": state.stop_fails_when_it_fires,
    "late-fills": state.late_fills,
    "late-positions": state.late_positions,
    "late-open-orders": state.late_open_orders,
    "late-order-status": state.late_order_status,
    "late-history": state.late_history,
    "lower-case": state.lower_case,
    "flipped-by-hand": state.flipped_by_hand,
    "liquidated": partial(state.liquidated, kind="liquidation"),
    "liquidated-in-part": partial(state.liquidated, kind="partialLiquidation"),
    "suspended": partial(state.restricted_market, status="suspended", word="marketSuspended"),
    "post-only": partial(state.restricted_market, status="post_only", word="marketIsPostOnly"),
    "terms-change": state.terms_change,
    "margin-tiers-change": state.margin_tiers_change,
    "funding-rolls-over": state.funding_rolls_over,
    "skewed-clock": state.skewed_clock,
    "many-fills": pages.many_fills,
    "fills-of-one-moment": pages.fills_of_one_moment,
    "fills-without-end": pages.fills_without_end,
    "log-of-one-moment": pages.log_of_one_moment,
    "history-token-expires": pages.history_token_expires,
    "unknown-words": rows.unknown_words,
    "null-fields": rows.null_fields,
    "repeated-rows": rows.repeated_rows,
    "unsorted-fills": rows.unsorted_fills,
    "maintenance": rows.maintenance,
    "spot-rate-limit": rows.spot_rate_limit,
    "spot-lockout": partial(rows.spot_refused, word="EGeneral:Temporary lockout", throttled=True),
    "spot-service": partial(rows.spot_refused, word="EService:Unavailable", throttled=False),
    "missing-bar": rows.missing_bar,
    "repeated-bar": rows.repeated_bar,
    "late-commit": rows.late_commit,
    "row-cap": rows.row_cap,
    "altname-key": rows.altname_key,
    "warning": rows.warning,
}


@pytest.fixture
def rig() -> Iterator[Rig]:
    with rigged() as made:
        yield made


@pytest.mark.parametrize("name", CASES)
def test_adapter_meets_each_fault_as_required(rig: Rig, name: str) -> None:
    CASES[name](rig)


def test_no_item_of_the_catalogue_is_forgotten() -> None:
    listed = [name for group in SECTION_15 for name in group]
    assert sorted(listed) == sorted(CASES)


@pytest.mark.skipif(not CONTRACT_TEXT.exists(), reason=f"the venue contract is not on this machine ({CONTRACT_TEXT})")
def test_table_has_a_group_per_catalogue_item() -> None:
    section = re.split(r"^## 15\b.*$", CONTRACT_TEXT.read_text(encoding="utf-8"), flags=re.M)[1].split("\n---")[0]
    items = [item for item in section.strip().rstrip(".").split(";") if item.strip()]
    assert len(items) == len(SECTION_15), items
