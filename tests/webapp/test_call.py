import pytest

from tests.webapp.builders import request, route
from webapp import tracing
from webapp.addresses import read
from webapp.call import Call
from webapp.ratelimit import Caller
from webapp.routes import Match
from webapp.sessions import Identity


def call() -> Call:
    return Call(request(address="198.51.100.7:443"), tracing.continued(None), 0)


def test_before_routing_there_is_no_route() -> None:
    with pytest.raises(AssertionError, match="routing"):
        _ = call().route


def test_the_caller_is_known_by_address_first() -> None:
    of = call()
    of.match = Match(route(), {})
    assert of.caller == Caller(address=read("198.51.100.7"), route="users")


def test_the_caller_is_the_user_once_the_session_is_read() -> None:
    of = call()
    of.match = Match(route(), {})
    of.identity = Identity("ada", ("user", "pro"), "5e56", 1, 2, family="5e55")
    assert of.caller == Caller(
        address=read("198.51.100.7"),
        route="users",
        user="ada",
        session="5e55",
        roles=frozenset({"user", "pro"}),
    )


def test_calls_share_nothing() -> None:
    one, other = call(), call()
    one.decisions.append(None)  # type: ignore[arg-type]
    one.usage.reads += 1
    assert other.decisions == []
    assert other.usage.reads == 0
