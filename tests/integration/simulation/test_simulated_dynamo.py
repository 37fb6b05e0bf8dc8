"""What the simulated DynamoDB does beyond the emulator: faults around calls, stale reads, limits, snapshots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pynamodb.exceptions import GetError, PutError, QueryError, TransactWriteError, UpdateError
from pynamodb.transactions import TransactWrite

from shared.storage.control import ControlStore
from shared.storage.ledger import SignalState
from shared.storage.tables import LedgerItem, bind, connection, lost_condition, save_new
from tests.fakes.cloud import LEDGER
from tests.fakes.records import NOW, control
from tests.simulation.transports import dynamo_errors as errors
from tests.simulation.transports.dynamo import Run, SimulatedDynamo, installed
from tests.simulation.transports.dynamo_reads import Answer
from trading.errors import StoreConflict

Seen = list[tuple[str, str, str]]


@pytest.fixture
def dynamo() -> Iterator[SimulatedDynamo]:
    bind(LedgerItem, LEDGER)
    simulated = SimulatedDynamo(LEDGER)
    with installed(simulated):
        yield simulated


def item(sk: str = "1", **fields: Any) -> LedgerItem:
    return LedgerItem("A", sk, **fields)


def raising(error: Callable[[str], Exception], *, effect: bool = False) -> Callable[[str, str, str, Run], Answer]:
    def hook(operation: str, table: str, key: str, run: Run) -> Answer:
        if effect:
            run()
        raise error(operation)

    return hook


def sent_again(operation: str, table: str, key: str, run: Run) -> Answer:
    """The first answer is lost; botocore sends the request once more."""
    run()
    return run()


def test_hook_sees_operation_table_and_key(dynamo: SimulatedDynamo) -> None:
    seen: Seen = []

    def hook(operation: str, table: str, key: str, run: Run) -> Answer:
        seen.append((operation, table, key))
        return run()

    with installed(dynamo, hook):
        ControlStore(LEDGER).set_control(control())
        list(LedgerItem.query("A", LedgerItem.sk.startswith("1"), consistent_read=True))
        list(LedgerItem.batch_get([("A", "1"), ("A", "2")], consistent_read=True))
    audit = "CONTROL_AUDIT/2024-05-01T10:00:30.000Z#000001"
    assert seen == [
        ("TransactWriteItems", LEDGER, f"CONTROL/CURRENT+{audit}"),
        ("Query", LEDGER, "A/*"),
        ("BatchGetItem", LEDGER, "A/1+A/2"),
    ]


@pytest.mark.parametrize(
    "error",
    [
        *(errors.throttled, errors.server_error, errors.timed_out, errors.connection_closed),
        *(errors.unreachable, errors.connect_timed_out),
    ],
)
def test_injected_error_arrives_as_pynamodb_wraps_it(
    dynamo: SimulatedDynamo, error: Callable[[str], Exception]
) -> None:
    with installed(dynamo, raising(error)):
        for call, kind in (
            (lambda: item().save(), PutError),
            (lambda: item().update([LedgerItem.body.set("x")]), UpdateError),
            (lambda: LedgerItem.get("A", "1"), GetError),
            (lambda: list(LedgerItem.query("A")), QueryError),
        ):
            with pytest.raises(kind) as caught:
                call()
            assert type(caught.value.cause).__name__ in (type(error("")).__name__, "VerboseClientError")
    assert list(dynamo.items(LEDGER)) == []


def test_conflict_with_a_transaction_is_a_lost_condition(dynamo: SimulatedDynamo) -> None:
    with installed(dynamo, raising(errors.in_transaction)):
        assert save_new(item()) is False
        with pytest.raises(StoreConflict):
            ControlStore(LEDGER).set_control(control())


def test_lost_answer_of_a_write_keeps_its_effect(dynamo: SimulatedDynamo) -> None:
    with installed(dynamo, raising(errors.timed_out, effect=True)), pytest.raises(PutError):
        item(body="written").save()
    assert dynamo.item(LEDGER, "A", "1") == {"pk": {"S": "A"}, "sk": {"S": "1"}, "body": {"S": "written"}}


def test_throttled_write_is_no_lost_condition(dynamo: SimulatedDynamo) -> None:
    for error in (errors.throttled, errors.server_error, errors.unreachable):
        with installed(dynamo, raising(error)), pytest.raises(PutError):
            save_new(item())


@pytest.mark.parametrize("error", [errors.timed_out, errors.connection_closed])
def test_unanswered_write_is_no_lost_condition(dynamo: SimulatedDynamo, error: Callable[[str], Exception]) -> None:
    with installed(dynamo, raising(error)), pytest.raises(PutError):
        save_new(item())


def test_scan_reads_every_item_and_filters(dynamo: SimulatedDynamo) -> None:
    for number in range(5):
        item(str(number), version=number).save()
    assert [each.sk for each in LedgerItem.scan(consistent_read=True, page_size=2)] == ["0", "1", "2", "3", "4"]
    assert [each.sk for each in LedgerItem.scan(LedgerItem.version > 2, consistent_read=True)] == ["3", "4"]


def test_write_sent_again_meets_its_own_condition(dynamo: SimulatedDynamo) -> None:
    with installed(dynamo, sent_again):
        assert save_new(item()) is False
    assert dynamo.item(LEDGER, "A", "1") is not None


def test_transaction_sent_again_is_carried_out_once(dynamo: SimulatedDynamo) -> None:
    with installed(dynamo, sent_again):
        assert ControlStore(LEDGER).set_control(control()).version == 1
        assert ControlStore(LEDGER).control(NOW).version == 1


def test_cancelled_transaction_names_the_write_that_lost(dynamo: SimulatedDynamo) -> None:
    item("2").save()
    absent = LedgerItem.pk.does_not_exist()
    transaction = TransactWrite(connection=connection(LedgerItem).connection)
    transaction.save(item("1"), condition=absent)
    transaction.save(item("2"), condition=absent)
    with pytest.raises(TransactWriteError) as caught, transaction:
        pass
    codes = [reason and reason.code for reason in caught.value.cancellation_reasons]
    assert codes == [None, "ConditionalCheckFailed"]
    assert lost_condition(caught.value)
    assert dynamo.item(LEDGER, "A", "1") is None


def test_eventual_read_answers_from_before_the_last_write(dynamo: SimulatedDynamo) -> None:
    for body in ("first", "second"):
        item(body=body).save()
    item("2").save()
    assert LedgerItem.get("A", "1").body == "first"
    assert [each.body for each in LedgerItem.query("A")] == ["first"]
    assert [each.sk for each in LedgerItem.query("A", consistent_read=True)] == ["1", "2"]
    item().delete()
    assert LedgerItem.get("A", "1").body == "second"
    dynamo.settle()
    assert [each.sk for each in LedgerItem.query("A")] == ["2"]


def test_item_above_400_kilobytes_is_refused(dynamo: SimulatedDynamo) -> None:
    fits = 400 * 1024 - len("pkA" + "sk1" + "body")
    item(body="x" * fits).save()
    with pytest.raises(PutError, match="Item size has exceeded"):
        item(body="é" * (fits // 2 + 1)).save()
    with pytest.raises(UpdateError, match="Item size to update"):
        item().update([LedgerItem.state.set("x")])


def test_query_of_more_than_a_megabyte_comes_in_pages(dynamo: SimulatedDynamo) -> None:
    calls: Seen = []

    def hook(operation: str, table: str, key: str, run: Run) -> Answer:
        calls.append((operation, table, key))
        return run()

    for number in range(7):
        item(str(number), body="x" * 300_000).save()
    with installed(dynamo, hook):
        found = [each.sk for each in LedgerItem.query("A", consistent_read=True)]
    assert found == [str(number) for number in range(7)]
    assert len(calls) == 2


def test_word_is_stored_as_plain_text(dynamo: SimulatedDynamo) -> None:
    item(state=SignalState.NEW).save()
    item("2").update([LedgerItem.state.set(SignalState.NEW)])
    assert {type(stored["state"]["S"]) for _, stored in dynamo.items(LEDGER)} == {str}


def test_number_is_kept_in_its_shortest_form(dynamo: SimulatedDynamo) -> None:
    raw = {"pk": {"S": "A"}, "sk": {"S": "1"}, "version": {"N": "1.500E+3"}}
    dynamo.put_item(TableName=LEDGER, Item=raw)
    assert (dynamo.item(LEDGER, "A", "1") or {})["version"] == {"N": "1500"}
    item().update([LedgerItem.version.set(LedgerItem.version - 1500)], condition=LedgerItem.version == 1500)
    assert (dynamo.item(LEDGER, "A", "1") or {})["version"] == {"N": "0"}


def test_absent_attributes_are_never_equal(dynamo: SimulatedDynamo) -> None:
    with pytest.raises(PutError):
        item().save(condition=LedgerItem.body == LedgerItem.state)
    item().save(condition=LedgerItem.body != "x")


def test_restored_snapshot_forgets_later_writes(dynamo: SimulatedDynamo) -> None:
    item(body="kept").save()
    kept = dynamo.snapshot()
    item(body="later").save()
    item("2").save()
    dynamo.restore(kept)
    assert [each.body for each in LedgerItem.query("A", consistent_read=True)] == ["kept"]
    item("3").save()
    dynamo.restore(kept)
    assert len(list(dynamo.items(LEDGER))) == 1


def test_request_that_is_not_understood_is_refused(dynamo: SimulatedDynamo) -> None:
    with pytest.raises(NotImplementedError, match="Segment"):
        list(LedgerItem.scan(segment=0, total_segments=2))


def test_connection_is_the_real_one_after_the_block() -> None:
    real = connection(bind(LedgerItem, LEDGER)).connection.__class__.__dict__["client"]
    with pytest.raises(RuntimeError), installed(SimulatedDynamo(LEDGER)):
        raise RuntimeError
    assert connection(LedgerItem).connection.__class__.__dict__["client"] is real
