from collections.abc import Iterator

import msgspec
import pytest

from tests.webapp.containers import Container, container
from tests.webapp.faults import Faults, failure
from webapp import VERSION
from webapp.endpoints import ENDPOINTS, is_limited
from webapp.settings import Policy, Runtime
from webapp.settings.gateway import Route

COOKIE = "__Host-session"
ORIGIN = {"origin": "https://gw.example.com"}


@pytest.fixture
def gate(runtime: Runtime) -> Iterator[Container]:
    with container(runtime, Policy(name="per-ip", key="ip", limit=50, window=60)) as made:
        yield made


def cookie(gate: Container) -> list[str]:
    return [f"{COOKIE}={gate.token()}"]


@pytest.mark.parametrize("path", ["/health", "/health/"])
def test_health_says_what_runs(gate: Container, faults: Faults, path: str) -> None:
    answer = gate(path=path)
    assert answer.payload["body"] == (
        f'{{"status":"healthy","environment":"dev","version":"{VERSION}"}}'
    )
    assert answer.headers["content-type"] == "application/json"
    assert faults.operations == []


def test_live_says_so(gate: Container, faults: Faults) -> None:
    assert gate(path="/health/live").json == {"status": "alive"}
    assert faults.operations == []


def test_head_of_an_endpoint_has_no_body(gate: Container) -> None:
    answer = gate("HEAD", "/health")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_health_is_read_only(gate: Container, path: str) -> None:
    answer = gate("POST", path)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_ready_names_each_check(gate: Container) -> None:
    checks = {"signing_key": "ok", "session_store": "ok", "rate_limit_store": "ok"}
    assert gate(path="/health/ready").json == {"status": "ready", "checks": checks}


def test_not_ready_is_503_with_the_reason(gate: Container, faults: Faults) -> None:
    faults.failing = failure("AccessDeniedException")
    answer = gate(path="/health/ready")
    assert answer.status == 503
    assert answer.json == {"status": "not_ready", "reason": "signing_key_unavailable"}


def test_health_is_never_limited(gate: Container, faults: Faults) -> None:
    for path in ("/health", "/health/live"):
        assert "ratelimit" not in gate(path=path).headers
    assert faults.operations == []


def test_the_session_is_limited(gate: Container) -> None:
    assert gate(path="/auth/session").headers["ratelimit"] == '"per-ip";r=49;t=2'


def test_every_endpoint_but_health_is_limited() -> None:
    limited = {name for name, (route, _) in ENDPOINTS.items() if is_limited(route)}
    assert limited == {name for name in ENDPOINTS if name.startswith("auth.")}


def test_no_stack_can_name_a_route_like_an_endpoint_that_is_limited() -> None:
    for name in ENDPOINTS.keys() - {"health"}:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"id": name, "path": "/x", "upstream": "u"}, Route)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_there_is_no_session_without_a_token(gate: Container, method: str) -> None:
    answer = gate(method, "/auth/session")
    assert (answer.status, answer.code) == (401, "missing_token")


def test_the_session_is_told(gate: Container) -> None:
    bearer = gate.bearer("ada", "user,pro")
    gate.clock.advance(10)
    assert gate(path="/auth/session", headers=bearer).json == {
        "user_id": "ada",
        "roles": ["user", "pro"],
        "created_at": "2025-06-15T15:06:40Z",
        "expires_at": "2025-06-15T16:06:40Z",
    }


def test_ending_a_session_by_bearer(gate: Container) -> None:
    bearer = gate.bearer()
    answer = gate("DELETE", "/auth/session", headers=bearer)
    assert (answer.status, answer.body, answer.cookies) == (204, b"", [])
    assert "content-type" not in answer.headers
    assert gate(path="/auth/session", headers=bearer).code == "session_revoked"


def test_ending_a_session_by_cookie_clears_it(gate: Container) -> None:
    held = cookie(gate)
    answer = gate("DELETE", "/auth/session", cookies=held, headers=ORIGIN)
    assert answer.status == 204
    assert [line.partition(";")[0] for line in answer.cookies] == [f"{COOKIE}="]
    assert "Max-Age=0" in answer.cookies[0]
    assert gate(path="/auth/session", cookies=held).code == "session_revoked"


def test_answers_about_a_session_are_not_stored(gate: Container) -> None:
    held = cookie(gate)
    for method in ("GET", "DELETE"):
        answer = gate(method, "/auth/session", cookies=held, headers=ORIGIN)
        assert answer.headers["cache-control"] == "no-store"


def test_other_sites_cannot_end_a_session(gate: Container) -> None:
    held = cookie(gate)
    assert gate("DELETE", "/auth/session", cookies=held).code == "cross_site_request"
    assert gate(path="/auth/session", cookies=held).status == 200


def test_a_session_that_cannot_be_ended_is_503(gate: Container, faults: Faults) -> None:
    bearer = gate.bearer()
    faults.operations.clear()
    faults.failing = failure("AccessDeniedException")
    answer = gate("DELETE", "/auth/session", headers=bearer)
    assert (answer.status, answer.code) == (503, "session_store_unavailable")


def test_a_route_called_like_an_endpoint_leads_to_its_service(runtime: Runtime) -> None:
    route = Route(id="health", path="/own/health", upstream="svc", auth="none")
    with container(runtime, routes=(route,)) as gate:
        assert gate(path="/own/health").status == 200
        assert len(gate.upstream.received) == 1
