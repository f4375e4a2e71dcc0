"""Real processes that race on one key of an emulated table."""

import json
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import botocore.session
import pytest
from botocore.client import BaseClient, Config

from tests.webapp import emulators
from tests.webapp.limited import NOW, SECOND, bucket, demand, over_table
from webapp.ledger import DynamoCounters

pytestmark = pytest.mark.slow

PROCESSES = 16
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["dynamodb_local", "ministack"])
def endpoint(request: pytest.FixtureRequest) -> Iterator[str]:
    with getattr(emulators, request.param)() as url:
        yield url


@pytest.fixture
def client(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> BaseClient:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "emulated")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    patient = Config(connect_timeout=30, read_timeout=30)
    return botocore.session.Session().create_client("dynamodb", "eu-central-1", config=patient)


@pytest.fixture
def table(client: BaseClient) -> Iterator[str]:
    client.create_table(
        TableName="limits",
        KeySchema=[{"AttributeName": "rate_limit_key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "rate_limit_key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield "limits"
    client.delete_table(TableName="limits")


def race(table: str, limit: int, window: int, requests: int) -> list[int]:
    """When the requests were admitted that 16 processes made at once."""
    command = [sys.executable, "-m", "tests.webapp.racer", table]
    command += map(str, (limit, window, requests))
    racers = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for _ in range(PROCESSES)
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    return sorted(at for racer in racers for at in json.loads(racer.communicate()[0]))


@pytest.mark.parametrize(("limit", "window"), [(500, 3_600), (40, 1), (5, 60)])
def test_processes_that_race_admit_what_is_allowed(table: str, limit: int, window: int) -> None:
    admitted = race(table, limit, window, requests=100)
    rate = Fraction(limit, window * SECOND)
    for count, last in enumerate(admitted, 1):
        # from each admitted request on, and not only from the first
        over = max(
            (count - i) - (limit + (last - first) * rate)
            for i, first in enumerate(admitted[:count])
        )
        assert over <= 0
    assert len(admitted) >= 0.95 * limit


def test_every_kind_of_write_is_understood(table: str, client: BaseClient) -> None:
    def container() -> DynamoCounters:
        return over_table(client, table=table)

    day = 86_400 * SECOND
    wanted = demand("k", bucket("a", 3), bucket("b", 5), shadow=(bucket("c", 9),))
    both = [wanted, demand("other", bucket("d", 2))]
    assert container().take([wanted], NOW + day).admitted
    admitted = [container().take([wanted], NOW).admitted for _ in range(2)]
    assert admitted == [True, False]
    later = NOW + day // 2
    admitted = [container().take(both, later).admitted for _ in range(3)]
    assert admitted == [True, True, False]
    blocked = {":until": {"N": str(later + day)}}
    key = {"rate_limit_key": {"S": "k"}}
    client.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET blocked = :until",
        ExpressionAttributeValues=blocked,
    )
    assert container().take(both, later + 600 * SECOND).blocked
