import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pynamodb.exceptions import DoesNotExist

from tests.webapp.faults import Faults, failure
from webapp.settings import Runtime
from webapp.tables import HASTY, PATIENT, RateCounter, Session, Stores, Usage, usage


@pytest.fixture
def counted() -> Iterator[Usage]:
    counted = Usage()
    token = usage.set(counted)
    yield counted
    usage.reset(token)


def find_nothing(stores: Stores) -> None:
    with pytest.raises(DoesNotExist):
        stores.sessions.get("ada", "none")


def test_the_models_are_those_of_the_stack() -> None:
    assert (Session._hash_keyname, Session._range_keyname) == ("user_id", "session_id")
    assert (RateCounter._hash_keyname, RateCounter._range_keyname) == ("rate_limit_key", None)
    assert {"ttl"} <= set(Session.get_attributes()) & set(RateCounter.get_attributes())


def test_no_client_is_made_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(*_: object, **__: object) -> None:
        raise AssertionError("a client was made")

    monkeypatch.setattr("botocore.session.Session.create_client", made)
    Stores("s", "l", "eu-central-1")


def test_clients_are_made_once(stores: Stores) -> None:
    assert stores.limits is stores.limits
    assert stores.secrets is stores.secrets
    assert stores.sessions is stores.sessions


def test_containers_do_not_share_their_tables(stores: Stores, runtime: Runtime) -> None:
    other = Stores("elsewhere", runtime.rate_limits_table, runtime.region)
    assert other.sessions.Meta.table_name == "elsewhere"
    find_nothing(stores)


def test_no_control_plane_calls(stores: Stores, faults: Faults) -> None:
    find_nothing(stores)
    assert faults.operations == ["GetItem"]


def test_what_a_call_is_billed_for(stores: Stores, counted: Usage) -> None:
    find_nothing(stores)
    key = {"rate_limit_key": {"S": '"Update"'}}
    stores.limits.get_item(TableName=stores.rate_limits_table, Key=key)
    assert (counted.reads, counted.writes) == (2, 0)
    change = {"UpdateExpression": "SET #t = :t", "ExpressionAttributeNames": {"#t": "ttl"}}
    change |= {"ExpressionAttributeValues": {":t": {"N": "1"}}}
    update = {"TableName": stores.rate_limits_table, "Key": key} | change
    stores.limits.update_item(**update)
    assert (counted.reads, counted.writes) == (2, 1)
    stores.limits.transact_write_items(TransactItems=[{"Update": update}])
    assert (counted.reads, counted.writes) == (2, 3)


def test_calls_are_billed_to_their_own_thread(stores: Stores, counted: Usage) -> None:
    elsewhere = threading.Thread(target=find_nothing, args=(stores,))
    elsewhere.start()
    elsewhere.join()
    assert counted.reads == 0


def test_sessions_get_a_second_try_and_limits_none(stores: Stores, faults: Faults) -> None:
    faults.answers = [failure("InternalServerError", 500)]
    find_nothing(stores)
    faults.answers = [failure("InternalServerError", 500)]
    key = {"rate_limit_key": {"S": "k"}}
    with pytest.raises(stores.limits.exceptions.InternalServerError):
        stores.limits.get_item(TableName=stores.rate_limits_table, Key=key)
    assert faults.operations == ["GetItem"] * 3


def test_a_store_may_not_outlast_the_request() -> None:
    waits = [(c.connect_timeout, c.read_timeout) for c in (PATIENT, HASTY)]
    assert waits == [(1, 2), (0.1, 0.2)]


def test_calls_carry_what_botocore_adds_to_them(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "gateway")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-a-b")
    stores.limits.meta.events.register("before-send", lambda request, **_: sent.append(request))
    item = {"TableName": stores.rate_limits_table, "Item": {"rate_limit_key": {"S": "a"}}}
    stores.limits.transact_write_items(TransactItems=[{"Put": item}])
    assert "ClientRequestToken" in json.loads(sent[0].body)
    assert sent[0].headers["X-Amzn-Trace-Id"] == b"Root=1-a-b"
    assert sent[0].headers["amz-sdk-request"] == b"attempt=1; max=1"
