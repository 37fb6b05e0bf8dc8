"""What the sandbox does not match is refused in the venue's words, and never taken for something else."""

import pytest

from tests.integration.sandbox.served import Served

TRAILING = {"orderType": "trailing_stop", "side": "sell", "trailingStopMaxDeviation": "5"}


def orders(sandbox: Served) -> int:
    return int(sandbox.control("state")["orders_accepted"])


def test_trailing_stop_is_no_order_type_here(sandbox: Served) -> None:
    status, answer = sandbox.form(
        "/derivatives/api/v3/sendorder",
        {"orderType": "trailing_stop", "symbol": "PF_XBTUSD", "side": "sell", "size": "0.01", "stopPrice": "30000"},
    )
    assert (status, answer["sendStatus"]["status"]) == (200, "invalidOrderType")
    assert orders(sandbox) == 0


@pytest.mark.parametrize(
    "name",
    ["trailingStopMaxDeviation", "trailingStopDeviationUnit", "limitPriceOffsetValue", "limitPriceOffsetUnit"],
)
def test_unoffered_parameter_is_an_invalid_argument(sandbox: Served, name: str) -> None:
    given = {"symbol": "PF_XBTUSD", "side": "sell", "orderType": "stp", "size": "0.01", "stopPrice": "30000", name: "1"}
    with pytest.raises(Exception, match=f"Argument invalid: {name}"):
        sandbox.futures.private_post_sendorder(given)
    assert orders(sandbox) == 0


def test_batch_is_answered_as_an_unknown_path(sandbox: Served) -> None:
    sandbox.send(orderType="lmt", limitPrice="20000", cliOrdId="kept")
    body = '{"batchOrder":[{"order":"cancel","cliOrdId":"kept"}]}'
    with pytest.raises(Exception, match="404 NOT_FOUND"):
        sandbox.futures.private_post_batchorder({"json": body})
    assert len(sandbox.control("state")["orders"]) == 1


def test_fill_or_kill_is_offered_whole_or_nothing(sandbox: Served) -> None:
    assert sandbox.send(orderType="fok", limitPrice="64000", size="0.02")["status"] == "placed"
    assert sandbox.control("state")["positions"][0]["size"] == 0.02
    ask = sandbox.fetch("/derivatives/api/v3/tickers/PF_XBTUSD")[1]["ticker"]["ask"]
    body = {"symbol": "PF_XBTUSD", "side": "buy", "orderType": "fok", "size": "6", "limitPrice": str(ask)}
    answer = sandbox.form("/derivatives/api/v3/sendorder", body)[1]
    assert answer["sendStatus"]["status"] == "iocWouldNotExecute"
    assert sandbox.control("state")["positions"][0]["size"] == 0.02


def test_take_profit_waits_on_the_other_side(sandbox: Served) -> None:
    sandbox.send()
    sandbox.send(orderType="take_profit", side="sell", stopPrice="90000", reduceOnly="true", triggerSignal="mark")
    (row,) = sandbox.control("state")["orders"]
    assert (row["orderType"], row["stopPrice"]) == ("take_profit", 90000)
    rows = sandbox.futures.private_get_orders_status({"orderIds": [row["order_id"]]})["orders"]
    assert rows[0]["order"]["priceTriggerOptions"]["triggerSide"] == "TRIGGER_ABOVE"


def test_placeholder_id_is_an_invalid_argument(sandbox: Served) -> None:
    with pytest.raises(Exception, match="invalidArgument: order_id"):
        sandbox.futures.private_post_cancelorder({"order_id": "unknown_1"})
