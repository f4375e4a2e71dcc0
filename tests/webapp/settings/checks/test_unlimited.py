from typing import Any

import pytest

from tests.webapp.settings.builders import policy, route, warnings

FORESTALLED = "tollgate:rateLimits[0]"


def unlimited(*policies: dict[str, Any], **fields: Any) -> bool:
    """Whether the one route is reported; its callers have the role that it asks for."""
    found = warnings(routes=[route(**fields)], rateLimits=list(policies))
    assert len(found) <= 1
    return bool(found)


def test_no_policy_at_all_is_one_finding() -> None:
    routes = [route(), route(id="more", path="/more")]
    assert warnings(routes=routes, rateLimits=[]) == [
        "tollgate:rateLimits: enforces nothing: one caller can use up the services, the containers"
        " and the money of all; add a policy such as"
        " {name: per-ip, key: ip, limit: 100, window: 60}"
    ]


def test_a_route_without_a_policy_is_named() -> None:
    routes = [route(), route(id="more", path="/more")]
    assert warnings(routes=routes, rateLimits=[policy(routes=["users"])]) == [
        "tollgate:routes[1]: the callers of more are under no limit, so that one of them can use up"
        " what all share; name it in the routes of a policy without roles"
    ]
    [line] = warnings(rateLimits=[policy(roles=["gold"])])
    assert line.startswith("tollgate:routes[0]: some callers of users are under no limit")


def test_a_shadow_limits_nobody() -> None:
    assert unlimited(policy(mode="shadow"))
    assert not unlimited(policy(mode="shadow"), policy(name="all"))


def test_policies_for_roles_limit_those_routes_alone_that_nobody_else_may_call() -> None:
    gold, basic = policy(name="gold", roles=["gold"]), policy(name="basic", roles=["basic"])
    assert unlimited(gold)
    assert unlimited(gold, roles=["gold", "basic"])
    assert unlimited(gold, basic, auth="none")
    assert not unlimited(gold, basic, roles=["gold", "basic"])
    assert not unlimited(gold, policy(), auth="none")


def test_a_policy_faster_than_the_api_is_suspect() -> None:
    fast = policy(limit=3060, window=60, burst=10)
    assert warnings(rateLimits=[fast], throttlingRateLimit=50) == [
        f"{FORESTALLED}.limit: admits 51 a second, the API only 50 for all callers together: they"
        " get its bare 429 before this policy speaks, and one of them can shut out all others;"
        " lower it or raise tollgate:throttlingRateLimit (50)"
    ]
    assert warnings(rateLimits=[fast], throttlingRateLimit=51) == []
    assert warnings(rateLimits=[{**fast, "mode": "shadow"}, policy(name="a")]) == []


@pytest.mark.parametrize(
    ("fields", "place"), [({"limit": 601, "window": 20}, "limit"), ({"burst": 601}, "burst")]
)
def test_a_burst_that_the_api_never_lets_through_is_suspect(
    fields: dict[str, int], place: str
) -> None:
    throttle = {"throttlingRateLimit": 25, "throttlingBurstLimit": 100}
    [line] = warnings(rateLimits=[policy(**{"limit": 10, "window": 20, **fields})], **throttle)
    assert line.startswith(f"{FORESTALLED}.{place}: admits")


def test_a_burst_that_the_api_admits_within_the_window_is_none() -> None:
    throttle = {"throttlingRateLimit": 25, "throttlingBurstLimit": 100}
    assert warnings(rateLimits=[policy(limit=10, window=20, burst=600)], **throttle) == []
    [line] = warnings(rateLimits=[policy(limit=10, window=20, burst=601)], **throttle)
    assert line == (
        f"{FORESTALLED}.burst: admits 601 at once, but the API no more than 600 in the whole"
        " window, so that it is never used up; lower it or raise tollgate:throttlingRateLimit (25)"
    )
