import pytest

from tests.webapp.settings.builders import policy, route, warnings

PLACE = "tollgate:routes[0].allowFrom"


@pytest.mark.parametrize("networks", [["10.0.0.0/8"], ["192.168.1.0/24", "fd00::/8"]])
def test_nobody_comes_from_a_private_network(networks: list[str]) -> None:
    assert warnings(routes=[route(allowFrom=networks)]) == [
        f"{PLACE}: names private networks only, but callers come over the internet, with their"
        " public addresses: the route is 403 for all; name those that your network goes out by"
    ]
    assert warnings(routes=[route(allowFrom=[*networks, "198.51.100.7"])]) == []


def test_everybody_denied_is_suspect() -> None:
    assert warnings(denyFrom=["0.0.0.0/0"]) == [
        "tollgate:denyFrom: refuses every IPv4 address, so that nobody can call;"
        " leave 0.0.0.0/0 out"
    ]


def test_whom_denyfrom_refuses_allowfrom_does_not_let_in() -> None:
    routes = [route(allowFrom=["198.51.100.7", "2001:db8::/64"])]
    assert warnings(routes=routes, denyFrom=["198.51.100.0/24", "2001:db8::/32"]) == [
        f"{PLACE}: names nobody whom tollgate:denyFrom lets in: the route is 403 for all;"
        " change one of them"
    ]
    assert warnings(routes=routes, denyFrom=["198.51.100.0/24"]) == []


def test_a_policy_that_exempts_everybody_limits_nobody() -> None:
    [line] = warnings(rateLimits=[policy(exempt=["0.0.0.0/0"])])
    assert line.startswith("tollgate:rateLimits: enforces nothing")
