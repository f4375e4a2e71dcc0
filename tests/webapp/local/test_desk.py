import json
import time
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.webapp.containers import Container, container
from tests.webapp.faults import DOWN
from webapp.__main__ import main
from webapp.local.deployed import exports
from webapp.local.embedded import EmbeddedAws
from webapp.settings import Runtime


@pytest.fixture(autouse=True)
def variables(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLLGATE_SESSIONS_TABLE", runtime.sessions_table)
    monkeypatch.setenv("TOLLGATE_SIGNING_SECRET_ARN", runtime.signing_secret_arn)


@pytest.fixture
def gate(runtime: Runtime) -> Any:
    with container(runtime) as made:
        made.clock.now = time.time_ns()
        yield made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sessions", *arguments])


def created(*arguments: str) -> dict[str, str]:
    result = run("create", *arguments)
    assert result.exit_code == 0, result.output
    return {"authorization": f"Bearer {result.stdout.strip()}"}


def status(gate: Container, bearer: dict[str, str], path: str = "/items") -> int:
    return gate(path=path, headers=bearer).status


def listed(user: str) -> list[list[str]]:
    lines = run("list", user).stdout.splitlines()
    assert lines[0].split()[:2] == ["ID", "CREATED"]
    return [line.split() for line in lines[1:]]


def test_a_created_session_is_one_like_any_other(gate: Container) -> None:
    bearer = created("ada", "--role", "user", "--role", "admin")
    assert gate(path="/auth/session", headers=bearer).json["roles"] == ["user", "admin"]
    assert [line[-6:] for line in listed("ada")] == [
        ["user,admin", "python", "-m", "webapp", "sessions", "create"]
    ]


def test_a_list_shows_what_users_see(gate: Container) -> None:
    gate.sign_in("ada", roles="", headers={"user-agent": "cu\x9b31mrl"})
    ((shown, created_at, used_at, _, roles, address, agent),) = listed("ada")
    assert (len(shown), roles, address, agent) == (16, "-", "198.51.100.7", "cu?31mrl")
    assert created_at == used_at
    assert listed("bob") == []


def test_a_script_gets_json(gate: Container) -> None:
    started = json.loads(run("create", "ada", "--role", "user", "--json").stdout)
    bearer = {"authorization": f"Bearer {started['token']}"}
    (seen,) = gate(path="/auth/sessions", headers=bearer).json["sessions"]
    assert seen.pop("current") is True
    assert json.loads(run("list", "ada", "--json").stdout) == {
        "sessions": [seen | {"roles": ["user"]}]
    }
    assert (started["id"], started["expires_at"]) == (seen["id"], seen["expires_at"])
    assert json.loads(run("list", "bob", "--json").stdout) == {"sessions": []}


def test_revoking_one_or_all(gate: Container) -> None:
    first, second, third = (created("ada") for _ in range(3))
    gate(path="/items", headers=second)
    shown = gate.upstream.last.header("x-session-id") or ""
    result = run("revoke", "ada", shown)
    assert (result.exit_code, result.stdout) == (0, "ended: 1\n")
    assert [status(gate, bearer) for bearer in (first, second, third)] == [200, 401, 200]
    assert run("revoke", "ada").stdout == "ended: 2\n"
    assert [status(gate, bearer) for bearer in (first, third)] == [401, 401]


def test_a_user_without_sessions_is_an_error() -> None:
    for words in (("revoke", "nobody"), ("set-roles", "nobody", "user")):
        assert run(*words).exit_code == 1


def test_an_id_that_is_not_listed_is_an_error() -> None:
    result = run("revoke", "ada", "0123456789abcdef")
    assert (result.exit_code, result.stdout) == (1, "ended: 0\n")


def test_roles_reach_running_sessions(gate: Container) -> None:
    bearer = created("ada", "--role", "user")
    assert status(gate, bearer, "/admin") == 403
    assert run("set-roles", "ada", "admin", "user").stdout == "changed: 1\n"
    assert status(gate, bearer, "/admin") == 200
    assert run("set-roles", "ada").stdout == "changed: 1\n"
    assert status(gate, bearer, "/admin") == 403


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("list", "a/b"), 'USER "a/b": is no user id: '),
        (("create", "ada", "--role", "a b"), 'ROLE "a b": is no role: '),
        (("set-roles", "ada", "a,b"), 'ROLE "a,b": is no role: '),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], line: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(line)
    assert result.stderr.count("\n") == 1


def test_a_table_out_of_reach_is_one_line(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", DOWN)
    result = run("revoke", "ada")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{runtime.sessions_table}: ")
    assert result.stderr.count("\n") == 1


def test_serve_prints_what_other_shells_need(aws: EmbeddedAws, runtime: Runtime) -> None:
    line = exports(runtime)
    assert f"TOLLGATE_SESSIONS_TABLE={runtime.sessions_table}" in line.split()
    assert f"AWS_ENDPOINT_URL={aws.endpoint_url}" in line.split()


def test_an_unknown_stack_is_one_line() -> None:
    result = run("list", "ada", "--stack", "nowhere")
    assert result.exit_code == 2
    assert result.stderr.startswith("Pulumi.nowhere.yaml: no such stack")
