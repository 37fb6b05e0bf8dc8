"""What counts as "somebody else was first", in DynamoDB's own words."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import PutError

from shared.storage.tables import lost_condition


def refused(code: str) -> PutError:
    cause = ClientError({"Error": {"Code": code, "Message": "refused"}}, "PutItem")
    return PutError("failed to put item", cause)


@pytest.mark.parametrize("code", ["ConditionalCheckFailedException", "TransactionConflictException"])
def test_being_second_is_a_lost_condition(code: str) -> None:
    assert lost_condition(refused(code))


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "InternalServerError", "ValidationException"]
)
def test_other_failures_are_no_lost_condition(code: str) -> None:
    assert not lost_condition(refused(code))
