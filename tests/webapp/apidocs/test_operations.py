from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import pytest

from tests.webapp.apidocs.stacks import policy, route, stack
from tests.webapp.cases import CASES
from tests.webapp.containers import routes as case_routes
from webapp.apidocs.operations import Operation, operations, refusals
from webapp.endpoints import own_routes
from webapp.errors import Problem
from webapp.routes import Router
from webapp.settings import Route, Settings, Upstream

BARE = {"rate_limits": (), "deny_from": (), "upstreams": {"canary-service": Upstream(url="")}}
ALWAYS = {
    *("bad_request", "ambiguous_path", "body_too_large", "headers_too_large"),
    *("forbidden", "internal_error"),
}
SERVED = ALWAYS | {
    "upstream_unreachable",
    "upstream_invalid_response",
    "upstream_response_too_large",
    "upstream_unavailable",
    "upstream_timeout",
    "signing_key_unavailable",
}
IDENTIFIED = {
    "conflicting_credentials",
    "invalid_token",
    "session_expired",
    "session_revoked",
    "rate_limited",
    "session_store_unavailable",
}


def codes(made: Settings, name: str = "it", method: str = "GET") -> set[str]:
    [found] = [
        operation
        for operation in operations([*made.routes, *own_routes(made)], made)
        if (operation.route.id, operation.method) == (name, method)
    ]
    return {code for listed in refusals(found).values() for code in listed}


def of(method: str = "GET", path: str = "/it", /, **fields: Any) -> set[str]:
    of_stack = {*Settings.__struct_fields__} - {*Route.__struct_fields__}
    changed = {key: fields.pop(key) for key in of_stack & fields.keys()}
    made = route("it", path, method, **{"auth": "none"} | fields)
    return codes(stack(routes=(made,), **BARE | changed), "it", method)


def test_an_open_route_refuses_little() -> None:
    assert of() == SERVED


@pytest.mark.parametrize(
    ("method", "fields", "added"),
    [
        ("POST", {"max_body_bytes": 0}, set()),
        ("DELETE", {}, set()),
        ("GET", {"auth": "session"}, {*IDENTIFIED, "missing_token"}),
        ("GET", {"auth": "session", "roles": ("a",)}, {*IDENTIFIED, "missing_token"}),
        ("GET", {"auth": "optional"}, IDENTIFIED),
        ("DELETE", {"auth": "optional"}, {*IDENTIFIED, "cross_site_request"}),
        ("GET", {"rate_limits": (policy(),)}, {"rate_limited"}),
        ("GET", {"rate_limits": (policy(roles=("pro",)),)}, set()),
        ("GET", {"rate_limits": (policy(routes=("other",)),)}, set()),
        (
            "GET",
            {"rate_limits": (policy(on_store_error="closed"),)},
            {"rate_limited", "rate_limit_store_unavailable"},
        ),
    ],
)
def test_each_setting_adds_what_it_can_refuse(
    method: str, fields: dict[str, Any], added: set[str]
) -> None:
    assert of(method, **fields) - SERVED == added


@pytest.mark.parametrize(
    "fields",
    [
        {"allow_from": ("198.51.100.0/24",)},
        {"deny_from": ("198.51.100.0/24",)},
        {"edge": True},
        {"rate_limits": (policy(mode="shadow"),)},
        {"upstreams": {"canary-service": Upstream(url="", secret_header="X-Proof")}},
    ],
)
def test_refusals_do_not_tell_what_only_operators_know(fields: dict[str, Any]) -> None:
    assert of(**fields) == SERVED


@pytest.mark.parametrize(("session", "guarded"), [("issue", {"rate_limited"}), ("end", set())])
def test_sign_in_and_sign_out_look_at_sessions(session: str, guarded: set[str]) -> None:
    assert of(session=session) - SERVED == guarded | {
        "conflicting_credentials",
        "cross_site_request",
        "session_store_unavailable",
    }


def test_a_placeholder_may_lead_elsewhere() -> None:
    assert of("GET", "/it/{x}") - SERVED == {"not_found", "method_not_allowed"}


def test_health_refuses_nothing_but_what_is_malformed() -> None:
    made = stack(edge=True, deny_from=())
    assert codes(made, "health") == codes(made, "health.ready") == ALWAYS


def test_open_documents_are_never_limited() -> None:
    assert codes(stack(deny_from=()), "docs.openapi") == ALWAYS


def test_statuses_come_in_order() -> None:
    found = refusals(Operation(route("it", "/it", "POST"), "POST", stack(), (policy(),)))
    assert [*found] == sorted(found)
    assert found[403] == ["forbidden", "cross_site_request"]


def test_every_refusal_of_the_table_of_requests_is_told() -> None:
    """But for what is refused before a route is found: that is told for all paths at once."""
    made = Settings(upstreams={"svc": Upstream(url="https://x.example")}, routes=case_routes())
    router = Router(made.routes)
    for case in CASES:
        with suppress(Problem):
            path = unquote(case.asked.target.partition("?")[0])
            found = router.find(case.asked.method, path, None).route
            assert case.code is None or case.code in codes(made, found.id, case.asked.method)
