from typing import Any

import pytest

from tests.webapp.settings.builders import route, upstream, warnings
from webapp.settings.files import SEALED

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
MAIL = "ops@example.com"
CORS = {"allowMethods": ["GET"], "allowHeaders": ["x-a"], "exposeHeaders": ["x-b"], "maxAge": 600}


@pytest.mark.parametrize(
    ("changes", "owner"),
    [
        ({"budgetEmail": MAIL}, "monthlyBudgetUsd"),
        ({"budgetTag": "Project=tollgate"}, "monthlyBudgetUsd"),
        ({"alarmEmail": MAIL}, "alarms"),
        ({"alarmTopicArn": TOPIC}, "alarms"),
    ],
)
def test_what_belongs_to_something_unset_has_no_effect(changes: dict[str, str], owner: str) -> None:
    [key] = changes
    line = f"tollgate:{key}: has no effect without {owner}; set both or none"
    assert warnings(**changes) == [line]
    assert warnings(**changes, **{owner: SEALED}) == []


def test_a_whole_budget_and_alarms_with_a_receiver_are_fine() -> None:
    budget = {"monthlyBudgetUsd": 50, "budgetEmail": MAIL, "budgetTag": "Project=tollgate"}
    assert warnings(**budget, alarms=True, alarmTopicArn=TOPIC) == []


def test_alarms_need_a_receiver() -> None:
    assert warnings(alarms=True) == [
        "tollgate:alarms: ring where nobody hears them; set alarmEmail or alarmTopicArn"
    ]
    assert warnings(alarms=True, alarmEmail=MAIL) == []
    assert warnings(alarms=True, alarmEmail=SEALED) == []


@pytest.mark.parametrize("key", CORS)
def test_cors_has_no_effect_without_origins(key: str) -> None:
    assert warnings(cors={key: CORS[key]}) == [
        f"tollgate:cors.{key}: has no effect without allowOrigins; name the pages that may call,"
        " or unset it"
    ]
    cors = CORS | {"allowOrigins": ["https://a.example"]}
    assert warnings(cors=cors) == []


def test_an_upstream_without_a_route_is_named() -> None:
    assert warnings(upstreams={"users": upstream(), "old": upstream()}) == [
        "tollgate:upstreams.old: no route leads there; name it in a route, or remove it"
    ]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (
            {"connectTimeout": 6, "timeout": 5},
            "connectTimeout: is longer than timeout (5 s), which ends both; lower it",
        ),
        (
            {"allowInsecure": True},
            "allowInsecure: is not needed for an https url, and would let a later http one pass;"
            " unset it",
        ),
    ],
)
def test_a_field_without_effect_is_named(fields: dict[str, Any], line: str) -> None:
    assert warnings(upstreams={"users": upstream(**fields)}) == [f"tollgate:upstreams.users.{line}"]


@pytest.mark.parametrize(
    "fields", [{"timeout": 1}, {"connectTimeout": 5, "timeout": 5}, {"connectTimeout": 1}]
)
def test_a_timeout_below_the_default_of_connecting_is_fine(fields: dict[str, Any]) -> None:
    assert warnings(upstreams={"users": upstream(**fields)}) == []


def test_the_sign_in_guard_needs_a_sign_in_route() -> None:
    guard = {"limit": 5}
    assert warnings(signInGuard=guard) == [
        "tollgate:signInGuard: has no effect without a sign-in route; set session: issue on one,"
        " or unset it"
    ]
    login = route(id="login", path="/login", auth="none", session="issue")
    assert warnings(signInGuard=guard, routes=[route(), login]) == []
