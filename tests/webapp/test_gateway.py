import json
import time
from typing import Any

import pytest

from tests.webapp.builders import event
from tests.webapp.containers import Clock, Container, container, routes
from tests.webapp.faults import Faults, failure
from tests.webapp.upstreams import answering, raw_answer
from webapp.settings import Policy, Route, Runtime
from webapp.settings.gateway import Cors


def per_ip(**fields: Any) -> Policy:
    return Policy(**{"name": "per-ip", "key": "ip", "limit": 2, "window": 60} | fields)


def per_user(**fields: Any) -> Policy:
    return Policy(**{"name": "per-user", "key": "user", "limit": 2, "window": 60} | fields)


@pytest.fixture
def gate(runtime: Runtime) -> Any:
    with container(runtime) as made:
        yield made


def test_forwards_and_relays_exactly(gate: Container) -> None:
    gate.upstream.script = answering(raw_answer("201 Created", b"\x00\xff", "X-Answer: 42"))
    answer = gate("POST", "/open", query="a=%2f&b", body=b"\x80body", headers={"x-mine": "1"})
    assert (answer.status, answer.body, answer.headers["x-answer"]) == (201, b"\x00\xff", "42")
    received = gate.upstream.last
    assert received.line == "POST /open?a=%2f&b HTTP/1.1"
    assert received.body == b"\x80body"
    assert received.header("x-mine") == "1"


def test_a_request_id_joins_client_log_and_upstream(
    gate: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = gate(path="/open", request_id="req-77")
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer.headers["x-request-id"] == "req-77" == line["request_id"]
    assert gate.upstream.last.header("x-request-id") == "req-77"
    assert line["route"] == "open"
    assert line["status"] == line["upstream_status"] == 200


def test_a_path_no_route_leads_from_is_a_problem_document(gate: Container) -> None:
    answer = gate(path="/nowhere", request_id="req-9")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.payload["isBase64Encoded"] is False
    assert answer.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "No route leads from this path.",
        "code": "not_found",
        "request_id": "req-9",
    }


def test_another_method_is_405_with_allow(gate: Container) -> None:
    answer = gate("PATCH", "/items/1", headers=gate.bearer())
    assert (answer.status, answer.headers["allow"]) == (405, "DELETE, GET, HEAD, PUT")


def test_health_touches_no_store_and_no_upstream(capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = Runtime(environment="dev", region="us-east-1")
    with container(nowhere) as gate:
        assert gate(path="/health").body == (
            b'{"status":"healthy","environment":"dev","version":"0.1.0"}'
        )
        assert gate(path="/health/live").json == {"status": "alive"}
        assert gate.upstream.received == []


def test_ready_looks_at_key_and_stores(gate: Container) -> None:
    answer = gate(path="/health/ready")
    checks = {"signing_key": "ok", "session_store": "ok", "rate_limit_store": "ok"}
    assert (answer.status, answer.json) == (200, {"status": "ready", "checks": checks})


def test_signing_in_reading_and_ending_a_session(gate: Container) -> None:
    bearer = gate.bearer("ada", "user,editor")
    session = gate(path="/auth/session", headers=bearer)
    assert session.json == {
        "user_id": "ada",
        "roles": ["user", "editor"],
        "created_at": "2025-06-15T15:06:40Z",
        "expires_at": "2025-06-15T16:06:40Z",
    }
    assert gate("DELETE", "/auth/session", headers=bearer).status == 204
    refused = gate(path="/auth/session", headers=bearer)
    assert (refused.status, refused.code) == (401, "session_revoked")


def test_a_session_ended_in_one_container_is_refused_by_the_next(runtime: Runtime) -> None:
    with container(runtime) as one, container(runtime) as other:
        bearer = one.bearer()
        assert other(path="/items", headers=bearer).status == 200
        assert one("POST", "/logout", headers=bearer).status == 200
        assert other(path="/items", headers=bearer).code == "session_revoked"


def test_a_session_route_without_a_token_is_401(gate: Container) -> None:
    answer = gate(path="/items")
    assert (answer.status, answer.code) == (401, "missing_token")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert gate.upstream.received == []


def test_roles_are_any_of(gate: Container) -> None:
    assert gate(path="/items/1", headers=gate.bearer(roles="admin")).status == 200
    assert gate(path="/admin", headers=gate.bearer(roles="user")).code == "forbidden"


def test_an_expired_session_is_401(gate: Container) -> None:
    bearer = gate.bearer()
    gate.clock.advance(3600)
    assert gate(path="/items", headers=bearer).code == "session_expired"


def test_a_bad_token_is_401_on_an_optional_route_too(gate: Container) -> None:
    assert gate(path="/optional").status == 200
    answer = gate(path="/optional", headers={"authorization": "Bearer tg_forged"})
    assert (answer.status, answer.code) == (401, "invalid_token")


def test_an_open_route_does_not_look_at_tokens(gate: Container) -> None:
    answer = gate(path="/open", headers={"authorization": "Bearer tg_forged"})
    assert answer.status == 200
    assert gate.upstream.last.header("authorization") is None


def test_a_bad_cookie_is_cleared(gate: Container) -> None:
    answer = gate(path="/items", cookies=["__Host-session=tg_forged"])
    assert answer.status == 401
    cleared = "__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"
    assert answer.cookies == [cleared]


def test_the_upstream_learns_who_calls_but_never_the_token(gate: Container) -> None:
    token = gate.token("ada", "user,editor")
    forged = {"x-user-id": "root", "x-user-roles": "admin", "x-session-id": "1"}
    gate(path="/items", cookies=[f"__Host-session={token}", "theme=dark"], headers=forged)
    received = gate.upstream.last
    assert received.header("x-user-id") == "ada"
    assert received.header("x-user-roles") == "user,editor"
    assert len(received.header("x-session-id") or "") == 16
    assert received.header("cookie") == "theme=dark"
    assert token[3:].encode() not in received.head


def test_two_different_tokens_conflict(gate: Container) -> None:
    cookie = [f"__Host-session={gate.token()}"]
    answer = gate(path="/items", cookies=cookie, headers=gate.bearer())
    assert (answer.status, answer.code) == (400, "conflicting_credentials")


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_two_different_tokens_conflict_at_sign_in_and_sign_out_too(
    gate: Container, path: str
) -> None:
    first, second = gate.token("ada"), gate.bearer("bob")
    answer = gate("POST", path, cookies=[f"__Host-session={first}"], headers=second)
    assert (answer.status, answer.code) == (400, "conflicting_credentials")
    assert gate(path="/items", headers=second).status == 200


def test_unsafe_methods_by_cookie_need_a_page_of_this_site(gate: Container) -> None:
    cookies = [f"__Host-session={gate.token()}"]

    def post(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return gate("POST", "/items", cookies=cookies, headers=named, host="gw.example").status

    assert post() == 403
    assert post(origin="https://gw.example") == 200
    assert post(origin="https://evil.example") == 403
    assert post(origin="null") == 403
    assert post(sec_fetch_site="same-origin") == 200
    assert post(sec_fetch_site="same-site") == 403
    assert gate("POST", "/items", headers=gate.bearer()).status == 200


def test_a_listed_origin_may_use_the_cookie(runtime: Runtime) -> None:
    with container(runtime, cors=Cors(allow_origins=("https://app.example", "*"))) as gate:
        cookies = [f"__Host-session={gate.token()}"]
        for origin, status in (("https://app.example", 200), ("*", 403)):
            answer = gate("POST", "/items", cookies=cookies, headers={"origin": origin})
            assert answer.status == status


def test_an_upstream_cannot_sign_anyone_in_from_another_route(gate: Container) -> None:
    forged = ("Tollgate-Session-User: root", "Set-Cookie: __Host-session=tg_x; Path=/")
    gate.upstream.script = answering(raw_answer("200 OK", b"{}", *forged, "Set-Cookie: a=b"))
    answer = gate(path="/open")
    assert answer.cookies == ["a=b"]
    assert not [name for name in answer.headers if name.startswith("tollgate-")]


def test_limits_by_address_admit_exactly_the_limit(runtime: Runtime) -> None:
    with container(runtime, per_ip()) as gate:
        statuses = [gate(path="/open").status for _ in range(4)]
        assert statuses == [200, 200, 429, 429]
        assert len(gate.upstream.received) == 2
        assert gate(path="/open", address="198.51.100.99").status == 200


def test_a_refusal_says_when_to_come_back_and_that_holds(runtime: Runtime) -> None:
    with container(runtime, per_ip()) as gate:
        admitted = gate(path="/open")
        assert admitted.headers["ratelimit-policy"] == '"per-ip";q=2;w=60'
        assert admitted.headers["ratelimit"] == '"per-ip";r=1;t=30'
        gate(path="/open")
        refused = gate(path="/open")
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert refused.json["violated-policies"] == ["per-ip"]
        assert refused.headers["ratelimit"] == '"per-ip";r=0;t=30'
        assert refused.headers["retry-after"] == "30"
        gate.clock.advance(29)
        assert gate(path="/open").status == 429
        gate.clock.advance(1)
        assert gate(path="/open").status == 200


def test_no_header_of_the_client_changes_whom_a_limit_counts(runtime: Runtime) -> None:
    names = ("x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip", "cf-connecting-ip")
    with container(runtime, per_ip(limit=1)) as gate:
        assert gate(path="/open").status == 200
        for name in names:
            assert gate(path="/open", headers={name: "203.0.113.9"}).status == 429


def test_limits_by_address_take_a_64_of_ipv6_for_one(runtime: Runtime) -> None:
    addresses = ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1", "::ffff:198.51.100.7")
    with container(runtime, per_ip(limit=1)) as gate:
        assert gate(path="/open").status == 200
        statuses = [gate(path="/open", address=address).status for address in addresses]
    assert statuses == [200, 429, 200, 429]


def test_limits_by_user_follow_the_user_not_the_address(runtime: Runtime) -> None:
    with container(runtime, per_user(routes=("items",))) as gate:
        ada, bob = gate.bearer("ada"), gate.bearer("bob")
        for address in ("198.51.100.1", "198.51.100.2"):
            assert gate(path="/items", headers=ada, address=address).status == 200
        assert gate(path="/items", headers=ada, address="198.51.100.3").status == 429
        assert gate(path="/items", headers=bob, address="198.51.100.1").status == 200


def test_containers_share_their_counters(runtime: Runtime) -> None:
    clock = Clock()
    with (
        container(runtime, per_ip(limit=3), clock=clock) as one,
        container(runtime, per_ip(limit=3), clock=clock) as other,
    ):
        statuses = [gate(path="/open").status for gate in (one, other) * 3]
    assert sorted(statuses) == [200, 200, 200, 429, 429, 429]


def test_health_is_never_limited_but_session_endpoints_are(runtime: Runtime) -> None:
    with container(runtime, per_ip(limit=1)) as gate:
        assert [gate(path="/health").status for _ in range(3)] == [200] * 3
        assert "ratelimit-policy" not in gate(path="/health").headers
        assert [gate(path="/auth/session").status for _ in range(2)] == [401, 429]


def test_an_unauthenticated_flood_costs_the_address_not_the_session_store(
    runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    with container(runtime, per_ip(limit=1)) as gate:
        for _ in range(2):
            gate(path="/items")
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["dynamodb_reads"], first["dynamodb_writes"]) == (0, 1)
    assert (second["dynamodb_reads"], second["dynamodb_writes"]) == (0, 0)
    assert (second["decision"], second["policy"]) == ("rate_limited", ["per-ip"])


def test_what_limits_could_not_decide_is_in_the_log(
    runtime: Runtime, faults: Faults, capsys: pytest.CaptureFixture[str]
) -> None:
    with container(runtime, per_ip()) as gate:
        faults.answers = [failure("ThrottlingException")]
        answer = gate(path="/open")
    assert answer.status == 200
    assert answer.headers["ratelimit-policy"] == '"per-ip";q=2;w=60'
    assert "ratelimit" not in answer.headers
    assert json.loads(capsys.readouterr().out)["store_errors"] == 1


def test_denied_addresses_get_403_before_any_store(runtime: Runtime) -> None:
    with container(Runtime(region="us-east-1"), per_ip(), deny_from=("198.51.100.0/24",)) as gate:
        answer = gate(path="/nowhere")
        assert (answer.status, answer.code) == (403, "forbidden")


def test_steps_refuse_in_the_order_of_the_contract(runtime: Runtime) -> None:
    guarded = Route(
        id="guarded",
        path="/guarded",
        methods=("POST",),
        upstream="svc",
        roles=("admin",),
        max_body_bytes=4,
        allow_from=("203.0.113.0/24",),
    )
    inside: dict[str, Any] = {"path": "/guarded", "address": "203.0.113.7"}
    with container(runtime, per_ip(limit=2), routes=(guarded, *routes())) as gate:
        bearer = gate.bearer(roles="user")
        assert gate("POST", "/guarded").code == "forbidden"
        assert gate("PUT", **inside, body=b"12345").code == "method_not_allowed"
        assert gate("POST", **inside, body=b"12345").code == "body_too_large"
        assert gate("POST", **inside).code == "missing_token"
        assert gate("POST", **inside, headers=bearer).code == "forbidden"
        assert gate("POST", **inside, headers=bearer).code == "rate_limited"


def test_an_unexpected_failure_is_a_plain_500_without_its_reason(
    gate: Container, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("canary-secret")

    monkeypatch.setattr("webapp.routes.Router.find", broken)
    answer = gate(path="/open")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert "canary" not in answer.body.decode() + caplog.text
    assert "RuntimeError" in caplog.text


def test_an_upstreams_own_limit_fields_follow_the_gateways(runtime: Runtime) -> None:
    theirs = raw_answer("200 OK", b"{}", 'RateLimit: "db";r=5;t=1', 'RateLimit-Policy: "db";q=9')
    with container(runtime, per_ip(), script=answering(theirs)) as gate:
        answer = gate(path="/open")
    assert answer.headers["ratelimit"] == '"per-ip";r=1;t=30, "db";r=5;t=1'
    assert answer.headers["ratelimit-policy"] == '"per-ip";q=2;w=60, "db";q=9'


def test_head_follows_get_and_has_no_body(gate: Container) -> None:
    gate.upstream.script = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    answer = gate("HEAD", "/open")
    assert (answer.status, answer.body) == (200, b"")
    assert gate.upstream.last.line.startswith("HEAD /open ")


def test_a_log_that_cannot_be_written_tells_no_secrets(
    gate: Container, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError("canary-secret")

    monkeypatch.setattr("webapp.telemetry.RequestLog.write", full)
    assert gate(path="/open").status == 500
    assert "OSError" in caplog.text
    assert "canary" not in caplog.text


def logged(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_the_log_says_who_signed_in_and_out(
    gate: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    token = gate.token("ada")
    signed_in = logged(capsys)
    gate("POST", "/logout", headers={"authorization": f"Bearer {token}"})
    signed_out = logged(capsys)
    assert signed_in["user_id"] == signed_out["user_id"] == "ada"
    assert signed_in["session"] == signed_out["session"]
    assert len(signed_in["session"]) == 16


def test_the_log_says_what_was_refused_and_by_what(
    gate: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    gate("DELETE", "/a/../\ud800b")
    refused = logged(capsys)
    assert (refused["method"], refused["path"]) == ("DELETE", "/a/../\ud800b")
    for _ in range(21):
        gate(path="/items", headers={"authorization": "Bearer tg_forged"})
    assert logged(capsys)["policy"] == ["forged-tokens"]


def test_an_empty_cookie_is_no_token(gate: Container) -> None:
    empty = ["__Host-session="]
    assert gate(path="/optional", cookies=empty).status == 200
    assert gate(path="/items", cookies=empty).code == "missing_token"
    assert gate(path="/items", cookies=empty, headers=gate.bearer()).status == 200


def test_the_deadline_is_what_lambda_has_left_less_a_second(runtime: Runtime) -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 1_200

    with container(
        runtime, script=lambda _connection, _received: None, svc={"timeout": 20}
    ) as gate:
        started = time.monotonic()
        answer = gate.handler(event(path="/open"), Context())
        assert answer["statusCode"] == 504
        assert time.monotonic() - started < 1
