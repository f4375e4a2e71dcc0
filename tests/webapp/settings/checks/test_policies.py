from typing import Any

import pytest

from tests.webapp.settings.builders import configuration, mistakes, policy

KINDS = '"ip", "user", "session", "route", "global"'


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"key": []}, "key: is empty; name what to count by, such as ip"),
        ({"key": ["ip", "ip"]}, 'key[1]: "ip" stands in the list twice'),
        ({"key": "usr"}, f'key: expected one of {KINDS}, got "usr" (did you mean "user"?)'),
        (
            {"key": ["ip", "rout"]},
            f'key[1]: expected one of {KINDS}, got "rout" (did you mean "route"?)',
        ),
        (
            {"limit": 0},
            "limit: expected a whole number of at least 1 and at most 1000000000, got 0",
        ),
        (
            {"limit": 10**9 + 1},
            "limit: expected a whole number of at least 1 and at most 1000000000, got 1000000001",
        ),
        (
            {"window": 0},
            "window: expected a whole number of at least 1 and at most 31536000, got 0",
        ),
        (
            {"window": 0.5},
            "window: expected a whole number of at least 1 and at most 31536000, got 0.5",
        ),
        (
            {"burst": 0},
            "burst: expected a whole number of at least 1 and at most 1000000000, got 0",
        ),
        (
            {"burst": None},
            "burst: expected a whole number of at least 1 and at most 1000000000, got nothing",
        ),
        ({"routes": "users"}, 'routes: expected a list, got "users"'),
        ({"routes": None}, "routes: expected a list, got nothing"),
        ({"routes": []}, "routes: is empty; leave the key out for all routes"),
        ({"routes": ["user"]}, 'routes[0]: no route with the id "user" (did you mean "users"?)'),
        ({"routes": ["users", "users"]}, 'routes[1]: "users" stands in the list twice'),
        ({"roles": ["free", "free"]}, 'roles[1]: "free" stands in the list twice'),
        (
            {"roles": ["a,b"]},
            'roles[0]: expected a role of at most 64 letters, digits and _.:-, got "a,b"',
        ),
        (
            {"exempt": ["10.0.0.1/8"]},
            'exempt[0]: "10.0.0.1/8" has bits set beyond its prefix; the network is 10.0.0.0/8',
        ),
        ({"mode": "off"}, 'mode: expected one of "enforce", "shadow", got "off"'),
        (
            {"onStoreError": "close"},
            'onStoreError: expected one of "open", "closed", "local", got "close" (did you mean'
            ' "closed"?)',
        ),
        (
            {"name": "per ip"},
            "name: expected a name of at most 64 letters, digits, - and _ that begins with a"
            ' letter, got "per ip"',
        ),
    ],
)
def test_a_mistake_is_named(changes: dict[str, Any], line: str) -> None:
    assert mistakes(rateLimits=[policy(**changes)]) == [f"tollgate:rateLimits[0].{line}"]


def test_a_name_stands_for_one_policy() -> None:
    found = mistakes(rateLimits=[policy(), policy(key="user")])
    assert found == ['tollgate:rateLimits[1].name: "per-ip" is the name of tollgate:rateLimits[0]']


def test_the_burst_defaults_to_the_limit() -> None:
    plain, wide = configuration(
        rateLimits=[policy(), policy(name="wide", burst=120)]
    ).settings.rate_limits
    assert (plain.capacity, wide.capacity) == (100, 120)


def test_a_key_may_be_composite() -> None:
    (composite,) = configuration(
        rateLimits=[policy(key=["ip", "route"], routes=["users"], exempt=["10.0.0.0/8"])]
    ).settings.rate_limits
    assert composite.kinds == ("ip", "route")


def test_no_policies_are_no_mistake() -> None:
    assert configuration(rateLimits=[]).settings.rate_limits == ()


def test_denied_networks_are_checked() -> None:
    assert mistakes(denyFrom=["10.0.0.0/8", "10.0.0.0/33"]) == [
        'tollgate:denyFrom[1]: "10.0.0.0/33" is neither an address nor a network such as'
        " 192.0.2.0/24"
    ]
