"""The exchange of a tier B day: the sandbox behind HTTP, with the surface of `SimulatedVenue`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random

from shared.venue.kraken_rest import ORDER_TYPES
from tests.simulation.options import Options
from tests.simulation.transports.feed import ListedPrices
from tests.simulation.transports.http import InProcessVenue
from tests.simulation.venue import _market
from trading.matching import MarketStatus, MatchingEngine, PriceFeed, Switches
from trading.model.instruments import Instrument
from trading.model.orders import ClientOrderId, OrderRequest, OrderSide
from trading.model.units import Price, Quantity

_TYPES = {word: kind for kind, word in ORDER_TYPES.items()}


class VenueOverHttp:
    """`wire` is the venue as the adapters reach it. `placed` are the requests for orders that reached it."""

    def __init__(
        self, options: Options, instruments: Sequence[Instrument], prices: PriceFeed, span: tuple[datetime, datetime]
    ) -> None:
        start, end = span
        self.instruments = {each.contract: each for each in instruments}
        markets = {
            each.contract: _market(each, options, prices.quote(each.contract, start).mark) for each in instruments
        }
        source = ListedPrices(prices, instruments, start, end)
        self.wire = InProcessVenue(source, start, markets=markets, seed=options.seed)
        self.engine.switches = Switches(accept_stop_when_flat=options.stop_when_flat)
        self.dialect = drawn_dialect(options.seed) if options.profile != "calm" else {}
        self.wire.sandbox.switch(_lags(options) | self.dialect | {"rate_limits": True})
        self.placed: list[OrderRequest] = []
        self.revoked: Callable[[], bool] = lambda: False
        self._was_revoked = False

    @property
    def engine(self) -> MatchingEngine:
        return self.wire.engine

    def catch_up(self, now: datetime) -> None:
        """Match up to now."""
        self.wire.advance(now)
        revoked = self.revoked()
        if revoked != self._was_revoked:
            self._was_revoked = revoked
            (self.wire.revoke_key if revoked else self.wire.restore_key)()

    def halt(self, contract: str, status: MarketStatus) -> None:
        self.engine.set_status(contract, status)

    def note_placed(self, parameters: Mapping[str, str]) -> None:
        """A request for an order has arrived; with a key that does not work it goes no further."""
        if not self._was_revoked:
            self.placed.append(order_request(parameters))


def order_request(parameters: Mapping[str, str]) -> OrderRequest:
    """The order that these parameters of `sendorder` ask for, read back from the venue's words."""
    limit, trigger = parameters.get("limitPrice"), parameters.get("stopPrice")
    return OrderRequest(
        contract=parameters["symbol"],
        side=OrderSide(parameters["side"]),
        type=_TYPES[parameters["orderType"]],
        quantity=Quantity(parameters["size"]),
        client_order_id=ClientOrderId(parameters["cliOrdId"]),
        reduce_only=parameters["reduceOnly"] == "true",
        process_before=datetime.fromisoformat(parameters["processBefore"]),
        limit_price=None if limit is None else Price(limit),
        trigger_price=None if trigger is None else Price(trigger),
    )


DIALECTS: Mapping[str, tuple[object, ...]] = {
    "lower_case_symbols": (True,),
    "stop_type_in_open_orders": ("stp",),
    "execution_key": ("Execution",),
    "order_events": ("empty", "missing"),
    "quantity_in_status": ("remaining",),
}
"""How else answers may look: recordings of Kraken disagree."""


def drawn_dialect(seed: int) -> dict[str, object]:
    """Each of the other ways with a chance of one in three."""
    random = Random(f"{seed}:dialect")
    return {name: random.choice(values) for name, values in DIALECTS.items() if random.random() < 0.34}


def _lags(options: Options) -> dict[str, object]:
    """The sandbox counts whole seconds: never more than the day's options say."""
    return {
        "open_orders_lag_s": options.orders_lag_ms // 1000,
        "positions_lag_s": options.positions_lag_ms // 1000,
        "fills_lag_s": options.fills_lag_ms // 1000,
        "history_lag_s": max(options.history_lag_ms, options.log_lag_ms) // 1000,
    }
