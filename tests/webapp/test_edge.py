import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra import edge as infrastructure
from tests.webapp.containers import Container, container
from webapp import edge
from webapp.local.embedded import EmbeddedAws
from webapp.settings import Runtime

CURRENT = "edge-9f2c7be1d4085a63-current-Xw"
PREVIOUS = "edge-3ab85d0c61f7e924-previous-Qz"


@pytest.fixture
def sealed(aws: EmbeddedAws, runtime: Runtime) -> Runtime:
    document = json.dumps({"current": CURRENT, "previous": PREVIOUS})
    aws.secrets_manager.put_secret_value(SecretId=runtime.signing_secret_arn, SecretString=document)
    return runtime


@pytest.fixture
def gate(sealed: Runtime) -> Iterator[Container]:
    with container(sealed, edge=True, deny_from=("203.0.113.0/24",)) as made:
        yield made


def through(key: str = CURRENT, address: str = "192.0.2.9", **more: str) -> dict[str, Any]:
    shown = {
        "tollgate-edge-proof": edge.proof(key),
        "tollgate-edge-address": address,
        "tollgate-edge-host": "www.example.com",
    }
    return {"headers": shown | more, "address": "130.176.1.1", "host": "abc.execute-api.example"}


def test_both_sides_derive_the_same_proof() -> None:
    assert edge.proof(CURRENT) == infrastructure.proof(CURRENT)
    names = (infrastructure.PROOF, infrastructure.ADDRESS, infrastructure.HOST)
    assert names == (edge.PROOF, edge.ADDRESS, edge.PUBLIC_HOST)


@pytest.mark.parametrize("key", [CURRENT, PREVIOUS])
def test_what_came_through_the_edge_is_the_viewers(gate: Container, key: str) -> None:
    assert gate(path="/open", **through(key)).status == 200
    received = gate.upstream.last
    assert received.header("x-forwarded-for") == "192.0.2.9"
    assert received.header("x-forwarded-host") == "www.example.com"
    assert b"tollgate-edge" not in received.head
    assert edge.proof(key).encode() not in received.head


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"tollgate-edge-proof": ""},
        {"tollgate-edge-proof": edge.proof("edge-c05e9a7213bd84f6-another-Jy")},
        {"tollgate-edge-proof": edge.proof(CURRENT).upper()},
        {"tollgate-edge-proof": "\u00e9"},
    ],
)
def test_what_did_not_is_refused_unless_it_asks_for_health(
    gate: Container, headers: dict[str, str]
) -> None:
    for path in ("/open", "/nowhere", "/auth/session", "/healthy"):
        answer = gate(path=path, headers=headers)
        assert (answer.status, answer.code) == (403, "forbidden")
    assert gate(path="/health", headers=headers).status == 200
    assert gate(path="/health/ready", headers=headers).status == 200
    assert gate.upstream.received == []


def test_denied_addresses_are_the_viewers(gate: Container) -> None:
    assert gate(path="/open", **through(address="203.0.113.5")).status == 403
    assert gate(path="/open", **through(address="2001:db8::1")).status == 200


def test_pages_of_the_public_host_are_the_sites_own(gate: Container) -> None:
    gate.upstream.script = lambda connection, _: connection.sendall(
        b"HTTP/1.1 204 No Content\r\n\r\n"
    )
    for origin, status in (("https://www.example.com", 204), ("https://abc.example", 403)):
        assert gate("POST", "/login", **through(origin=origin)).status == status


def test_a_new_key_is_looked_for_when_a_proof_does_not_fit(
    aws: EmbeddedAws, sealed: Runtime, gate: Container
) -> None:
    newer = "edge-71d6f3b820ce495a-still-newer-Vu"
    assert gate(path="/open", **through()).status == 200
    aws.secrets_manager.put_secret_value(
        SecretId=sealed.signing_secret_arn, SecretString=json.dumps({"current": newer})
    )
    gate.clock.advance(61)
    assert gate(path="/open", **through(newer)).status == 200


def test_without_an_edge_its_headers_mean_nothing(sealed: Runtime) -> None:
    with container(sealed) as gate:
        assert gate(path="/open", **through()).status == 200
        assert gate.upstream.last.header("x-forwarded-for") == "130.176.1.1"
        assert b"tollgate-edge" not in gate.upstream.last.head
