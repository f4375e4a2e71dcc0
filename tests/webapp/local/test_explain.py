import functools
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from webapp.__main__ import main
from webapp.settings import read

STACK = """
config:
  tollgate:rateLimits:
    - {name: per-ip, key: ip, limit: 100, window: 60, burst: 120}
    - {name: plan, key: user, limit: 5, window: 60, roles: [user]}
    - {name: gold, key: user, limit: 50, window: 60, roles: [gold]}
    - {name: uploads, key: ip, limit: 50, window: 60, routes: [upload]}
    - {name: trusted, key: ip, limit: 50, window: 60, exempt: [203.0.113.0/24]}
    - {name: trial, key: global, limit: 50, window: 1, mode: shadow}
  tollgate:upstreams:
    app: {url: "https://app.example.net/base", timeout: 7, retries: 2, secretHeader: X-Proof}
  tollgate:upstreamSecrets: {app: {secure: v1:abc}}
  tollgate:denyFrom: [198.51.100.0/24]
  tollgate:routes:
    - {id: home, path: /, methods: [GET], upstream: app}
    - {id: news, path: "/news/{id}", upstream: app, auth: none, rewrite: "/v1/{id}"}
    - {id: user, path: "/users/{id}", methods: [GET], upstream: app, roles: [user, admin]}
    - {id: upload, path: /upload, methods: [POST], upstream: app, allowFrom: [10.0.0.0/8]}
    - {id: admin, path: /admin, upstream: app, roles: [admin]}
    - {id: rest, path: "/{rest+}", methods: [GET, POST], upstream: app, auth: none}
    - {id: login, path: /login, methods: [POST], upstream: app, auth: none, session: issue}
"""


@pytest.fixture(autouse=True)
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"yaml": "name: tollgate", "dev.yaml": STACK, "broken.yaml": STACK + "  tollgate:x: 1"}
    for suffix, text in files.items():
        (tmp_path / f"Pulumi.{suffix}").write_text(text)
    load = functools.partial(read.load, directory=tmp_path)
    monkeypatch.setattr("webapp.settings.read.load", load)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments])


def rows(*arguments: str) -> dict[str, list[str]]:
    return told(run(*arguments))


def told(result: Result) -> dict[str, list[str]]:
    """What is said, by the label that it stands behind."""
    found: dict[str, list[str]] = {}
    label = ""
    for line in result.stdout.splitlines()[1:]:
        label = line[2:15].strip() or label
        found.setdefault(label, []).append(line[15:])
    return found


def document(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_a_request_that_passes_is_explained_from_route_to_costs() -> None:
    result = run("GET", "/users/7?a=b", "--role", "user")
    found = told(result)
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "GET /users/7?a=b from 203.0.113.7, signed in with the role user\n"
    )
    assert found["answer"] == ["what app answers"]
    assert found["route"] == ["user (GET /users/{id}): id = 7"]
    assert found["passed over"] == [
        "rest (GET, POST /{rest+}): less specific: segment 1 is {rest+}, and users goes before it,"
        " whatever the method"
    ]
    assert found["callers"][0] == "who is signed in with the roles user or admin"
    assert found["upstream"] == [
        "app: GET https://app.example.net/base/users/7?a=b",
        "7 s for all of it, 2 s to connect, or 504",
        "sent 2 times more if not a byte comes back",
    ]
    assert {"x-user-id: USER", "x-user-roles: user", "x-proof: upstreamSecrets.app"} <= set(
        found["sent"]
    )
    assert found["dropped"][0].startswith("the cookie __Host-session")
    assert found["costs"][0] == "1 read and 5 writes of DynamoDB"
    assert found["costs"][1].startswith("4.450 $ a million with the API and the invocation;")


def test_limits_say_by_what_they_count_and_why_others_do_not() -> None:
    assert rows("GET", "/users/7", "--role", "user")["limits"] == [
        "per-ip: 100 a minute per address, up to 120 at once; by ip:203.0.113.7",
        "plan: 5 a minute per user; by user:USER",
        "trial: 50 a second for all callers together; by global, in shadow: it refuses nobody",
        "gold: does not apply, is for callers with the role gold",
        "uploads: does not apply, is for upload",
        "trusted: does not apply, exempts this address",
    ]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("GET", "/users/7"), "401 missing_token"),
        (("GET", "/users/7", "--signed-in"), "403 forbidden"),
        (("PUT", "/users/7", "--role", "user"), "405 method_not_allowed"),
        (("GET", "/health/x"), "404 not_found"),
        (("GET", "/a//b"), "400 ambiguous_path"),
        (("GET", "/%61%2e%2e/%2e%2e"), "400 ambiguous_path"),
        (("GET", "/ADMIN"), "400 ambiguous_path"),
        (("POST", "/upload", "--signed-in"), "403 forbidden"),
        (("GET", "/health", "--address", "198.51.100.9"), "403 forbidden"),
        (("TRACE", "/news/1"), "405 method_not_allowed"),
        (("GET", "/" + "a" * 17000), "431 headers_too_large"),
    ],
)
def test_a_refusal_is_the_gateways_own(arguments: tuple[str, ...], code: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert told(result)["answer"][0].startswith(f"{code}: ")
    assert "upstream" not in told(result)


def test_what_a_refused_request_did_not_reach_is_told() -> None:
    found = rows("GET", "/users/7")
    assert found["limits"][0].endswith("by ip:203.0.113.7")
    assert found["limits"][1].startswith("trial: 50 a second for all callers together; not reached")


def test_of_a_malformed_request_no_route_is_told() -> None:
    assert rows("GET", "/a//b").keys() == {"answer", "costs"}


def test_a_reserved_path_is_told_to_be_one() -> None:
    assert rows("GET", "/health/x")["passed over"] == [
        "rest (GET, POST /{rest+}): the path is reserved for the gateway's own endpoints"
    ]


def test_the_methods_of_the_path_are_told() -> None:
    found = rows("PUT", "/users/7", "--role", "user")
    assert found["answer"][0].endswith("(Allow: GET, HEAD)")
    assert found["passed over"][0] == "user (GET /users/{id}): other methods: GET"


def test_a_look_alike_is_named() -> None:
    assert rows("GET", "/Admin")["look-alike"] == [
        "of admin (GET, POST, PUT, PATCH, DELETE /admin): who is signed in with the role admin"
    ]


def test_a_path_without_a_route_leads_to_the_nearest() -> None:
    assert rows("GET", "/health/lives")["near"][0] == "health.live (GET /health/live)"


def test_an_address_that_may_not_is_told_who_may() -> None:
    found = rows("POST", "/upload", "--signed-in")
    assert found["route"] == ["upload (POST /upload)"]
    assert found["callers"][0] == "who is signed in, from 10.0.0.0/8 only"
    assert run("POST", "/upload", "--signed-in", "--address", "10.1.2.3").exit_code == 0


def test_a_path_is_taken_as_a_client_would_send_it() -> None:
    found = document("get", "/news/caf\u00e9 7")
    assert found["values"] == {"id": "caf\u00e9 7"}
    assert found["upstream"]["url"] == "https://app.example.net/base/v1/caf%C3%A9%207"
    assert document("GET", "https://gw.example.com/news/7?x")["values"] == {"id": "7"}


@pytest.mark.parametrize(("target", "wire"), [("/a\nb", "/a%0Ab"), ("/a\udcff", "/a%FF")])
def test_what_a_terminal_cannot_show_is_encoded(target: str, wire: str) -> None:
    result = run("GET", target)
    assert result.stdout.startswith(f"GET {wire} from ")
    assert told(result)["answer"][0].startswith("400 ambiguous_path")


def test_a_sign_in_is_told_to_be_one() -> None:
    found = rows("POST", "/login")
    assert found["answer"] == ["what app answers; a success with Tollgate-Session-User signs in"]
    assert "sign-in-guard: 10 in 5 minutes per address, of those that fail" in found["limits"]
    assert found["upstream"][-1] == "sent once"
    assert "content-length: LENGTH" in found["sent"]


def test_the_gateways_own_endpoints_are_explained() -> None:
    assert rows("GET", "/auth/session", "--signed-in")["answer"] == ["the gateway's own"]
    assert rows("GET", "/health")["limits"] == ["none"]
    admin = "/auth/users/ada/sessions"
    assert rows("GET", admin)["callers"][0] == "who is signed in with the role admin"
    assert run("GET", admin, "--role", "user").exit_code == 1
    assert run("GET", admin, "--role", "admin").exit_code == 0


def test_what_is_not_dropped_for_an_open_route_is_authorization() -> None:
    def dropped(*arguments: str) -> list[str]:
        return " ".join(rows(*arguments)["dropped"]).replace(": ", ", ").split(", ")

    assert "authorization" in dropped("GET", "/users/7", "--role", "user")
    assert "authorization" not in dropped("GET", "/news/7")
    assert {"x-proof", "x-user-*", "connection"} <= set(dropped("GET", "/news/7"))
    assert "x-proof" in document("GET", "/news/7")["upstream"]["dropped"]


def test_a_script_reads_a_document() -> None:
    found = document("GET", "/users/7", "--role", "admin")
    assert found["passes"]
    assert found["route"]["id"] == "user"
    assert found["route"]["roles"] == ["user", "admin"]
    assert [other["id"] for other in found["passed_over"]] == ["rest"]
    assert found["policies"][0] == {
        "name": "per-ip", "limit": 100, "window": 60, "burst": 120, "mode": "enforce",
        "key": "ip:203.0.113.7", "reached": True,
    }  # fmt: skip
    assert [policy["name"] for policy in found["idle_policies"]][:2] == ["plan", "gold"]
    assert found["upstream"]["headers"]["x-user-roles"] == "admin"
    assert (found["dynamodb_reads"], found["dynamodb_writes"]) == (1, 2)
    assert found["dollars_per_million"] == 2.575


def test_a_script_reads_a_refusal() -> None:
    found = document("GET", "/users/7")
    assert not found["passes"]
    assert (found["refusal"]["status"], found["refusal"]["code"]) == (401, "missing_token")
    assert found["upstream"] is None


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("GET", "users"), 'PATH "users": is no path; begin it with a slash'),
        (("GET", ""), 'PATH "": is no path; begin it with a slash'),
        (("GET", "/a#b"), 'PATH "/a#b": holds a fragment, which clients keep to themselves'),
        (("G T", "/"), 'METHOD "G T": is no HTTP method; write one such as GET'),
        (("GET", "/", "--address", "x"), '--address "x": is no address; write one such as'),
        (("GET", "/", "--stack", "broken"), "tollgate:x: unknown key"),
        (("GET", "/", "--stack", "nowhere"), "Pulumi.nowhere.yaml: no such stack"),
    ],
)
def test_a_wrong_question_is_one_line(arguments: tuple[str, ...], line: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(line)
    assert result.stderr.count("\n") == 1
