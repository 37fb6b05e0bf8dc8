"""The account in memory: takes every order and shows the positions it was given."""

from __future__ import annotations

from trading.errors import VenueUnavailable
from trading.model.orders import OrderRequest
from trading.model.venue import CancelAnswer, Quote, SendAnswer, SendOutcome, VenuePosition


class VenueFake:
    """Only what operations need of `trading.ports.Venue`. `silent`: nothing is answered."""

    def __init__(self) -> None:
        self.held: tuple[VenuePosition, ...] = ()
        self.tickers: dict[str, Quote] = {}
        self.sent: list[OrderRequest] = []
        self.cancelled: list[str] = []
        self.silent = False

    def positions(self) -> tuple[VenuePosition, ...]:
        self._require_answer()
        return self.held

    def quotes(self) -> dict[str, Quote]:
        self._require_answer()
        return self.tickers

    def place(self, request: OrderRequest) -> SendAnswer:
        self.sent.append(request)
        if self.silent:
            return SendAnswer(outcome=SendOutcome.UNKNOWN, detail="no answer")
        return SendAnswer(outcome=SendOutcome.ACCEPTED, detail="placed", order_id=f"order-{len(self.sent)}")

    def cancel(self, client_order_id: str) -> CancelAnswer:
        self._require_answer()
        self.cancelled.append(client_order_id)
        return CancelAnswer(gone=True, detail="cancelled")

    def _require_answer(self) -> None:
        if self.silent:
            raise VenueUnavailable("venue does not answer")
