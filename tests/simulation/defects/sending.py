"""Defects around the send of an order and what is believed of its answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import shared.order_desk as order_desk
from shared.order_desk import OrderDesk
from tests.simulation import ports
from tests.simulation.defects.planting import Defect, planted
from tests.simulation.faults import Mode
from tests.simulation.memory.ledger import MemoryLedger
from trading.model.orders import ClientOrderId, IntentState, OrderIntent, OrderRequest
from trading.model.positions import Position
from trading.model.venue import SendAnswer, SendOutcome

_numbers = count(1)


def _unknown_is_rejected(states: dict[SendOutcome, IntentState]) -> dict[SendOutcome, IntentState]:
    return {**states, SendOutcome.UNKNOWN: IntentState.REJECTED}


def _sends_again_under_a_new_id(send: Any) -> Any:
    def sending(desk: OrderDesk, position: Position, intent: OrderIntent) -> Position:
        sent: Position = send(desk, position, intent)
        known = sent.by_client_order_id(intent.client_order_id)
        if known is not None and known.state is IntentState.UNKNOWN and not intent.purpose.protective:
            fresh = ClientOrderId(f"smc-again{next(_numbers):06d}-1")
            request = replace(intent.request(sent.contract, known.process_before), client_order_id=fresh)  # type: ignore[arg-type]
            desk._venue.place(request)
        return sent

    return sending


def _sends_before_it_records(send: Any) -> Any:
    def sending(desk: OrderDesk, position: Position, intent: OrderIntent) -> Position:
        if intent.state is not IntentState.PLANNED or position.by_client_order_id(intent.client_order_id) is not None:
            return send(desk, position, intent)  # type: ignore[no-any-return]
        deadline = desk._clock.now() + timedelta(seconds=10)
        answer = desk._venue.place(intent.request(position.contract, deadline))
        state = IntentState.LIVE if answer.outcome is SendOutcome.ACCEPTED else IntentState.UNKNOWN
        moved = replace(intent, state=state, sent_at=desk._clock.now(), process_before=deadline)
        return desk._ledger.save_position(position.with_intent(moved))

    return sending


def _without_deadline(request: Any) -> Any:
    def asking(intent: OrderIntent, contract: str, process_before: Any) -> OrderRequest:
        made: OrderRequest = request(intent, contract, process_before + timedelta(hours=12))
        return made

    return asking


def _ids_that_differ_each_time(request: Any) -> Any:
    def asking(intent: OrderIntent, contract: str, process_before: Any) -> OrderRequest:
        made: OrderRequest = request(intent, contract, process_before)
        return replace(made, client_order_id=ClientOrderId(f"{made.client_order_id}x{next(_numbers)}"))

    return asking


def _garbled_is_accepted(_spoiled: Any) -> Any:
    def believed(mode: Mode, answer: Any) -> SendAnswer:
        if mode is Mode.GARBLED or mode is Mode.LOST:
            return SendAnswer(outcome=SendOutcome.ACCEPTED, detail="placed")
        return SendAnswer(outcome=SendOutcome.UNKNOWN, detail=str(mode))

    return believed


def _error_is_accepted(_spoiled: Any) -> Any:
    return lambda _mode, _answer: SendAnswer(outcome=SendOutcome.ACCEPTED, detail="placed")


def _tries_in_a_tight_loop(place: Any) -> Any:
    def placing(venue: Any, request: OrderRequest) -> SendAnswer:
        answer: SendAnswer = place(venue, request)
        for _ in range(40):
            if answer.outcome is SendOutcome.ACCEPTED:
                break
            answer = place(venue, request)
        return answer

    return placing


def _saves_without_condition(_save: Any) -> Any:
    def saving(ledger: MemoryLedger, position: Position) -> Position:
        stored = replace(position, version=position.version + 1)
        held = ledger._tables.positions.get(position.instrument)
        if held is not None:
            ledger._tables.positions[position.instrument] = held._replace(value=stored, version=stored.version)
        return stored

    return saving


def _any_edge(_moved: Any) -> Any:
    def moving(intent: OrderIntent, state: IntentState, **changes: Any) -> OrderIntent:
        return replace(intent, state=state, **changes)

    return moving


SENDING: tuple[Defect, ...] = (
    Defect(
        name="timeout is a rejection",
        story="appendix B; hummingbot 2026: accepted orders dropped after a DNS error",
        plant=planted((order_desk, "_AFTER_SEND", _unknown_is_rejected)),
        profiles=("targeted",),
    ),
    Defect(
        name="unknown entry is sent again under a new id",
        story="appendix B; Kraken 502 with the order accepted led to duplicates",
        plant=planted((OrderDesk, "send", _sends_again_under_a_new_id)),
        profiles=("targeted",),
    ),
    Defect(
        name="intent is written after the send",
        story="appendix B",
        plant=planted((OrderDesk, "send", _sends_before_it_records)),
    ),
    Defect(
        name="no deadline on the request",
        story="appendix B: no processBefore",
        plant=planted((OrderIntent, "request", _without_deadline)),
        profiles=("targeted",),
    ),
    Defect(
        name="client order id is not what it means",
        story="appendix B: random client id, the naive recipe",
        plant=planted((OrderIntent, "request", _ids_that_differ_each_time)),
    ),
    Defect(
        name="unparsable answer is an acceptance",
        story="appendix B: HTML body parsed as success",
        plant=planted((ports, "_unknown_send", _garbled_is_accepted)),
        profiles=("targeted", "storm"),
    ),
    Defect(
        name="every failure is an acceptance",
        story="audited system: an order was booked as open on any answer",
        plant=planted((ports, "_unknown_send", _error_is_accepted)),
    ),
    Defect(
        name="refusal is tried again in a tight loop",
        story="appendix B: 429 retried in a tight loop",
        plant=planted((ports.VenueThroughKernel, "place", _tries_in_a_tight_loop)),
    ),
    Defect(
        name="record is saved without a condition",
        story="appendix B: unconditional save",
        plant=planted((MemoryLedger, "save_position", _saves_without_condition)),
        profiles=("storm", "swarm"),
    ),
    Defect(
        name="terminal states can be left",
        story="appendix B: terminal state overwritten",
        plant=planted((OrderIntent, "moved", _any_edge), (MemoryLedger, "save_position", _saves_without_condition)),
        profiles=("storm", "swarm"),
    ),
)
