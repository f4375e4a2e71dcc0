import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from botocore.client import Config

from tests.infra.engine import Graph, allowed, run
from tests.webapp.containers import Container, container
from tests.webapp.faults import Faults
from webapp.local.embedded import embedded_aws
from webapp.local.server import serving
from webapp.settings import Policy, Runtime
from webapp.tables import HASTY

POLICIES = (
    Policy(name="per-ip", key="ip", limit=100, window=60),
    Policy(name="per-user", key="user", limit=100, window=60),
)


@pytest.fixture(scope="module")
def asked() -> Iterator[dict[str, set[str]]]:
    """What a container asks of each store, as IAM names it, when it does all it can do."""
    patient = HASTY.merge(Config(connect_timeout=10, read_timeout=10))
    with embedded_aws() as aws, mock.patch("webapp.tables.HASTY", patient):
        runtime, calls = aws.runtime("dev"), Faults(aws.endpoint_url)
        with (
            serving(calls) as url,
            mock.patch.dict(os.environ, AWS_ENDPOINT_URL=url),
            container(runtime, *POLICIES, admin_role="boss") as gate,
        ):
            do_everything(gate)
        yield by_store(calls, runtime)


def do_everything(gate: Container) -> None:
    boss, ada, bob = gate.bearer("boss", "boss"), gate.bearer("ada"), gate.bearer("bob")
    gate.clock.advance(120)
    refreshed = gate("POST", "/auth/session/refresh", headers=ada)
    successor = {"authorization": f"Bearer {refreshed.headers['tollgate-session-token']}"}
    gate("POST", "/auth/session/refresh", headers=ada)
    statuses = [
        gate("GET", path, headers=headers).status
        for path, headers in [
            ("/health/ready", {}),
            ("/items", successor),
            ("/auth/sessions", bob),
            ("/auth/users/ada/sessions", boss),
        ]
    ]
    assert statuses == [200, 200, 200, 200]
    assert gate("POST", "/logout", headers=bob).status == 200
    assert gate("DELETE", "/auth/users/ada/sessions", headers=boss).status == 204
    assert gate("DELETE", "/auth/sessions", headers=boss).status == 204


def by_store(calls: Faults, runtime: Runtime) -> dict[str, set[str]]:
    stores: dict[str, set[str]] = {"sessions": set(), "rate-limits": set(), "signing": set()}
    names = {
        runtime.sessions_table: "sessions",
        runtime.rate_limits_table: "rate-limits",
        runtime.signing_secret_arn: "signing",
    }
    for operation, body in zip(calls.operations, calls.bodies, strict=True):
        for action, asked in permissions(operation, body):
            stores[names[asked.get("TableName") or asked["SecretId"]]].add(action)
    return stores


def permissions(operation: str, body: Any) -> Iterator[tuple[str, Any]]:
    """A transaction is no action of its own: each of its writes is."""
    if operation == "TransactWriteItems":
        for item in body["TransactItems"]:
            [(kind, asked)] = item.items()
            yield f"dynamodb:{kind}Item", asked
    else:
        service = "secretsmanager" if "SecretId" in body else "dynamodb"
        yield f"{service}:{operation}", body


@pytest.mark.parametrize("store", ["sessions", "rate-limits", "signing"])
def test_the_role_allows_what_the_code_asks_and_nothing_else(
    dev: Graph, asked: dict[str, set[str]], store: str
) -> None:
    [actions] = [actions for arn, actions in allowed(dev).items() if arn.endswith(f"-{store}")]
    assert actions == asked[store]


def test_beyond_its_stores_the_role_may_write_its_own_log(dev: Graph) -> None:
    stores = ("-sessions", "-rate-limits", "-signing")
    rest = {arn: actions for arn, actions in allowed(dev).items() if not arn.endswith(stores)}
    [group] = [
        group for group in dev.all("cloudwatch/logGroup:LogGroup") if "function" in group.name
    ]
    log = f"arn:aws:{group.type}:{group.name}:*"
    assert rest == {log: {"logs:CreateLogStream", "logs:PutLogEvents"}}
    assert dev.all("iam/rolePolicyAttachment:RolePolicyAttachment") == []


@pytest.mark.parametrize(
    ("option", "wildcard"),
    [
        ({"tracing": "true"}, {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}),
        (
            {"vpc": {"subnetIds": ["subnet-12345678"], "securityGroupIds": ["sg-12345678"]}},
            {
                "ec2:AssignPrivateIpAddresses",
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:UnassignPrivateIpAddresses",
            },
        ),
    ],
)
def test_only_what_aws_forces_is_allowed_everywhere(
    option: dict[str, Any], wildcard: set[str]
) -> None:
    assert allowed(run("dev", **option))["*"] == wildcard
