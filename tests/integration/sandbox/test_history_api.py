"""Account log, executions, positions and order events of the history API."""

from tests.integration.sandbox.served import Served


def trade(sandbox: Served) -> str:
    """Buy, protect with a stop above the market that fires at once, and return the stop's order id."""
    sandbox.send(size="0.05")
    sandbox.advance("2024-08-01T02:30:00Z")
    mark = float(sandbox.futures.public_get_tickers_symbol({"symbol": "PF_XBTUSD"})["ticker"]["markPrice"])
    stop = sandbox.send(
        side="sell",
        size="0.05",
        orderType="stp",
        stopPrice=str(round(mark * 1.01)),
        reduceOnly="true",
        triggerSignal="mark",
        cliOrdId="stop",
    )
    return str(stop["order_id"])


def test_account_log_explains_every_cent(sandbox: Served) -> None:
    trade(sandbox)
    rows = sandbox.futures.history_get_account_log({"version": "v3", "sort": "asc"})["logs"]
    cash = [row for row in rows if row["asset"] != row["contract"]]
    for row in cash:
        booked = sum(float(row[name] or 0) * sign for name, sign in (("realized_pnl", 1), ("fee", -1)))
        booked += float(row["realized_funding"] or 0)
        assert abs(float(row["new_balance"]) - float(row["old_balance"]) - booked) < 1e-8
    assert [row["info"] for row in cash] == ["futures trade", *["funding rate change"] * 2, "futures trade"]
    assert float(cash[-1]["new_balance"]) == float(sandbox.control("state")["equity"])


def test_position_leg_shows_the_running_position(sandbox: Served) -> None:
    trade(sandbox)
    rows = sandbox.futures.history_get_account_log({"version": "v3", "sort": "asc"})["logs"]
    legs = [row for row in rows if row["asset"] == row["contract"]]
    assert [(float(row["old_balance"]), float(row["new_balance"])) for row in legs] == [(0.0, 0.05), (0.05, 0.0)]
    fills = sandbox.futures.private_get_fills()["fills"]
    assert [row["execution"] for row in legs] == [fill["fill_id"] for fill in reversed(fills)]


def test_activated_trigger_keeps_its_uid_through_history(sandbox: Served) -> None:
    stop_id = trade(sandbox)
    events = sandbox.futures.history_get_triggers({"version": "v3", "sort": "asc"})["elements"]
    kinds = [next(iter(element["event"])) for element in events]
    assert kinds == ["OrderTriggerPlaced", "OrderTriggerActivated"]
    assert {next(iter(element["event"].values()))["order"]["uid"] for element in events} == {stop_id}
    assert sandbox.futures.private_get_fills()["fills"][0]["order_id"] == stop_id


def test_positions_log_carries_fee_and_funding(sandbox: Served) -> None:
    trade(sandbox)
    newest = sandbox.futures.history_get_positions({"version": "v3"})["elements"][0]["event"]["PositionUpdate"]
    assert (newest["positionChange"], newest["newPosition"], newest["tradeType"]) == ("close", "0", "userExecution")
    expected = float(newest["executionSize"]) * float(newest["executionPrice"]) * 0.0005
    assert abs(float(newest["fee"]) - expected) < 1e-9
    assert float(newest["realizedFunding"]) != 0


def test_history_pages_with_a_continuation_token(sandbox: Served) -> None:
    for number in range(5):
        sandbox.send(cliOrdId=f"order-{number}", size="0.001")
    seen: list[str] = []
    token: str | None = ""
    while token is not None:
        query = {"version": "v3", "count": "2"} | ({"continuation_token": token} if token else {})
        page = sandbox.futures.history_get_executions(query)
        seen += [element["uid"] for element in page["elements"]]
        token = page.get("continuationToken")
    assert seen == [fill["fill_id"] for fill in sandbox.futures.private_get_fills()["fills"]]


def test_history_filters_by_contract_and_time(sandbox: Served) -> None:
    sandbox.send()
    sandbox.advance("2024-08-01T01:00:00Z")
    sandbox.send(symbol="PF_ETHUSD", size="0.1")
    query = {"version": "v3", "tradeable": "PF_ETHUSD"}
    assert len(sandbox.futures.history_get_executions(query)["elements"]) == 1
    late = {"version": "v3", "since": "1722474000000"}
    assert len(sandbox.futures.history_get_executions(late)["elements"]) == 1
    early = {"version": "v3", "before": "1722474000000"}
    assert len(sandbox.futures.history_get_executions(early)["elements"]) == 1
