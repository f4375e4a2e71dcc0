from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from tests.webapp.containers import Answer, Container, container
from tests.webapp.faults import Faults, failure
from tests.webapp.upstreams import answering, raw_answer
from webapp.apidocs.schemas import HEADERS
from webapp.local.embedded import EmbeddedAws
from webapp.settings import Policy, Runtime

COOKIE = "__Host-session"
ORIGIN = {"origin": "https://gw.example.com"}


@pytest.fixture(scope="module")
def gate(aws: EmbeddedAws) -> Iterator[Container]:
    """One for all tests: each of them signs in for itself."""
    roomy = Policy(name="per-ip", key="ip", limit=10_000, window=60)
    with container(aws.runtime("dev"), roomy) as made:
        yield made


def resolved(description: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        found: Any = description
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def exact(schema: Any) -> Any:
    """The same schema without room for members that it does not name."""
    if isinstance(schema, list):
        return [exact(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: exact(part) for key, part in schema.items()}
    return made | ({"unevaluatedProperties": False} if {"required", "allOf"} & made.keys() else {})


def check(gate: Container, operation: str, answer: Answer) -> None:
    """Its status, headers, type and JSON must be among those that the description tells."""
    description = gate(path="/openapi.json").json
    method, path = operation.split(" ")
    responses = description["paths"][path][method.lower()]["responses"]
    key = str(answer.status)
    told = resolved(description, responses[key if key in responses else "2XX"])
    held = {name.lower() for name in HEADERS} & answer.headers.keys()
    held |= {"set-cookie"} if answer.cookies else set()
    assert held <= {name.lower() for name in told["headers"]} | {"cache-control"}
    if answer.body:
        check_body(answer, told["content"], description)
    else:
        assert "content" not in told


def check_body(answer: Answer, content: dict[str, Any], description: dict[str, Any]) -> None:
    kind = answer.headers.get("content-type", "").partition(";")[0]
    schema = content[kind if kind in content else "*/*"].get("schema")
    if schema:
        schemas = description["components"]["schemas"]
        open_ = {name: schemas.pop(name) for name in ("Problem", "OpenApi")}
        components = {"schemas": exact(schemas) | open_}
        whole = exact(schema) | {"components": components}
        Draft202012Validator(whole, format_checker=FormatChecker()).validate(answer.json)


def by_cookie(gate: Container) -> dict[str, Any]:
    return {"cookies": [f"{COOKIE}={gate.token()}"], "headers": ORIGIN}


def by_bearer(gate: Container) -> dict[str, Any]:
    return {"headers": gate.bearer(roles="user,admin")}


def by_nobody(_gate: Container) -> dict[str, Any]:
    return {}


def by_forger(_gate: Container) -> dict[str, Any]:
    return {"cookies": [f"{COOKIE}=tg_forged"], "headers": ORIGIN}


def by_other_site(gate: Container) -> dict[str, Any]:
    return by_cookie(gate) | {"headers": {"origin": "https://evil.example"}}


Caller = Callable[[Container], dict[str, Any]]


@pytest.mark.parametrize(
    ("operation", "caller", "status"),
    [
        ("GET /health", by_nobody, 200),
        ("GET /health/live", by_nobody, 200),
        ("GET /health/ready", by_nobody, 200),
        ("GET /openapi.json", by_nobody, 200),
        ("GET /docs", by_nobody, 200),
        ("GET /auth/session", by_bearer, 200),
        ("GET /auth/session", by_cookie, 200),
        ("GET /auth/session", by_nobody, 401),
        ("GET /auth/session", by_forger, 401),
        ("POST /auth/session/refresh", by_bearer, 200),
        ("POST /auth/session/refresh", by_cookie, 200),
        ("DELETE /auth/session", by_cookie, 204),
        ("DELETE /auth/session", by_other_site, 403),
        ("GET /auth/sessions", by_bearer, 200),
        ("DELETE /auth/sessions", by_bearer, 204),
        ("GET /auth/users/{user_id}/sessions", by_bearer, 200),
        ("DELETE /auth/users/{user_id}/sessions", by_bearer, 204),
        ("GET /auth/users/{user_id}/sessions", by_cookie, 403),
        ("GET /items", by_bearer, 200),
        ("POST /login", by_other_site, 403),
        ("POST /logout", by_cookie, 200),
    ],
)
def test_answers_are_as_told(gate: Container, operation: str, caller: Caller, status: int) -> None:
    method, path = operation.split(" ")
    answer = gate(method, path.replace("{user_id}", "ada"), **caller(gate))
    assert answer.status == status
    check(gate, operation, answer)


def test_a_sign_in_is_as_told(gate: Container) -> None:
    check(gate, "POST /login", gate.sign_in())


def test_what_is_not_modified_is_as_told(gate: Container) -> None:
    answer = gate(path="/docs", headers={"if-none-match": "*"})
    assert answer.status == 304
    check(gate, "GET /docs", answer)


def test_a_refusal_of_a_limit_is_as_told(runtime: Runtime) -> None:
    with container(runtime, Policy(name="per-ip", key="ip", limit=1, window=60)) as gate:
        answers = [gate(path="/items") for _ in range(2)]
        assert answers[-1].status == 429
        check(gate, "GET /items", answers[-1])


@pytest.mark.parametrize("operation", ["GET /health/ready", "GET /auth/session"])
def test_an_answer_without_stores_is_as_told(
    runtime: Runtime, faults: Faults, operation: str
) -> None:
    with container(runtime) as gate:
        caller = by_bearer(gate)
        faults.failing = failure("AccessDeniedException")
        answer = gate(*operation.split(" "), **caller)
        assert answer.status == 503
        check(gate, operation, answer)


def test_a_broken_service_is_as_told(runtime: Runtime) -> None:
    with container(runtime, script=answering(raw_answer("999 No"))) as gate:
        answer = gate(path="/open")
        assert answer.status == 502
        check(gate, "GET /open", answer)
