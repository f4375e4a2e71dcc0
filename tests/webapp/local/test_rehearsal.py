import json
import re
from typing import Any, NamedTuple

import pytest

from tests.webapp.builders import request
from tests.webapp.containers import Container, container, routes, signing_in
from webapp.local.rehearsal import Rehearsal, rehearse
from webapp.settings import Policy, Runtime, Settings, Upstream
from webapp.tables import Usage

POLICIES = (
    Policy(name="per-ip", key="ip", limit=50, window=60),
    Policy(name="per-user", key="user", limit=40, window=60),
    Policy(name="on-items", key=("user", "route"), limit=30, window=60, routes=("items",)),
    Policy(name="seen", key="ip", limit=9, window=60, mode="shadow"),
)
Asked = tuple[str, str, tuple[str, ...] | None]
ASKED: list[Asked] = [
    ("GET", "/open", None),
    ("GET", "/open", ("user",)),
    ("GET", "/optional", None),
    ("GET", "/optional", ("user",)),
    ("GET", "/items", None),
    ("GET", "/items", ("user",)),
    ("PUT", "/items/7", ("user",)),
    ("GET", "/files/a/b", None),
    ("GET", "/admin", ("user",)),
    ("GET", "/admin", ("admin",)),
    ("POST", "/login", None),
    ("POST", "/login", ("user",)),
    ("POST", "/logout", None),
    ("POST", "/logout", ("user",)),
    ("POST", "/items/7", ("user",)),
    ("GET", "/ITEMS", ("user",)),
    ("GET", "/nowhere", None),
    ("GET", "/a//b", None),
    ("GET", "/health", None),
    ("GET", "/auth/session", ("user",)),
]


class Fate(NamedTuple):
    """`policies` are those whose numbers the answer tells."""

    code: str
    policies: list[str]
    reads: int
    writes: int


def rehearsed(method: str, path: str, roles: Any, **fields: Any) -> Rehearsal:
    upstreams = {"svc": Upstream(url="https://svc.example.net")}
    settings = Settings(
        **{"upstreams": upstreams, "routes": routes(), "rate_limits": POLICIES} | fields
    )
    return rehearse(settings, request(method, path), roles, 29)


def real(gate: Container, asked: Asked, capsys: pytest.CaptureFixture[str]) -> Fate:
    """Of a fresh session, a minute after whatever was before."""
    gate.clock.advance(60)
    method, path, roles = asked
    answer = gate(method, path, headers=gate.bearer(roles=",".join(roles)) if roles else {})
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    told = re.findall(r'"([a-z-]+)";r=', answer.headers.get("ratelimit", ""))
    code = answer.code if answer.status >= 400 else ""
    return Fate(code, told, line["dynamodb_reads"], line["dynamodb_writes"])


def foretold(asked: Asked) -> Fate:
    found = rehearsed(*asked)
    told = [d.policy.name for d in found.call.decisions if d.policy.mode == "enforce"]
    code = found.refusal.code if found.refusal else ""
    return Fate(code, told, found.usage.reads, found.usage.writes)


def test_a_rehearsal_is_the_real_thing(
    runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    with container(runtime, *POLICIES, script=signing_in("ada")) as gate:
        fates = {asked: real(gate, asked, capsys) for asked in ASKED}
    assert {asked: foretold(asked) for asked in ASKED} == fates


def test_what_is_sent_names_its_user_and_its_secret() -> None:
    proven = {"svc": Upstream(url="https://svc.example.net/v1", secret_header="X-Proof", timeout=7)}
    found = rehearsed("GET", "/items", ("user", "admin"), upstreams=proven)
    assert found.sent
    assert found.sent.url == "https://svc.example.net/v1/items"
    assert found.sent.headers["x-proof"] == "upstreamSecrets.svc"
    assert found.sent.headers["x-user-id"] == "USER"
    assert found.sent.headers["x-user-roles"] == "user,admin"
    assert "authorization" not in found.sent.headers
    assert found.timeout == 7


def test_the_function_must_end_before_the_upstream_may() -> None:
    upstreams = {"svc": Upstream(url="https://svc.example.net", timeout=20)}
    settings = Settings(upstreams=upstreams, routes=routes())
    assert rehearse(settings, request("GET", "/open"), None, 5).timeout == 4


def test_whoever_asks_has_come_by_the_edge() -> None:
    assert rehearsed("GET", "/open", None, edge=True).refusal is None


def test_nobody_is_let_in_from_where_nobody_may_come() -> None:
    refusal = rehearsed("GET", "/open", None, deny_from=("198.51.100.0/24",)).refusal
    assert refusal
    assert refusal.code == "forbidden"


def test_a_refused_request_costs_nothing_after_its_refusal() -> None:
    assert rehearsed("GET", "/items", None).usage == Usage(writes=1)
