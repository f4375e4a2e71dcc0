import json
from collections.abc import Iterable
from typing import Any

import pytest

from tests.webapp.containers import Clock, Container, container, routes
from webapp.local import assumptions, usage
from webapp.local.usage import Need, decided, needs, parse_requests, request_line
from webapp.settings import Policy, Runtime, SessionSettings, Settings
from webapp.settings.mistakes import Mistakes
from webapp.settings.stack import Stack

Kinds = tuple[str, ...]


def policy(name: str, *kinds: str, **fields: Any) -> Policy:
    key = kinds[0] if len(kinds) == 1 else kinds
    return Policy(name=name, key=key, limit=100, window=10, **fields)  # type: ignore[arg-type]


def settings(*policies: Policy, **fields: Any) -> Settings:
    return Settings(routes=routes(), rate_limits=policies, **fields)


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(text) for text in capsys.readouterr().out.splitlines()]


def summed(found: Iterable[Need]) -> Need:
    reads, writes, calls = zip(*((n.reads, n.writes, n.calls) for n in found), strict=True)
    return Need("", sum(reads), sum(writes), sum(calls))


POLICIES = {
    "address and user": (policy("a", "ip"), policy("b", "user")),
    "one item": (policy("a", "user"), policy("b", "user", mode="shadow")),
    "transaction": (policy("a", "user"), policy("b", "global")),
    "by role": (policy("a", "user", roles=("user",)), policy("b", "ip", roles=("user",))),
    "some routes": (policy("a", "ip", routes=("open",)), policy("b", "user", "route")),
}


@pytest.mark.parametrize("policies", POLICIES.values(), ids=POLICIES)
def test_a_request_writes_what_the_model_says(
    runtime: Runtime, capsys: pytest.CaptureFixture[str], policies: tuple[Policy, ...]
) -> None:
    with container(runtime, *policies) as gate:
        bearer = gate.bearer()
        gate.clock.advance(20)
        capsys.readouterr()
        gate(path="/open")
        gate(path="/items", headers=bearer)
    by_id = {route.id: route for route in routes()}
    for line in told(capsys):
        assert (line["decision"], line["store_errors"]) == ("passed", 0)
        assert line["dynamodb_writes"] == decided(policies, by_id[line["route"]]).writes
        assert line["dynamodb_reads"] == (line["route"] == "items")


def test_several_keys_are_one_call() -> None:
    items = routes()[2]
    three = (policy("a", "user"), policy("b", "session"), policy("c", "user", "route"))
    assert decided(three, items) == Need("limits", writes=6, calls=1)
    assert decided(POLICIES["address and user"], items) == Need("limits", writes=2, calls=2)


def browse(gate: Container, requests: int) -> None:
    """What a session is assumed to do: all routes look at it, which the model is told, too."""
    cookie = gate.sign_in(headers={"sec-fetch-site": "same-origin"}).cookies[0].partition(";")[0]
    for _ in range(requests):
        gate.clock.advance(assumptions.SECONDS_BETWEEN)
        answer = gate(path="/items", cookies=[cookie])
        assert answer.status == 200
        cookie = next((c.partition(";")[0] for c in answer.cookies), cookie)


@pytest.mark.parametrize(
    "rules",
    [
        SessionSettings(),
        SessionSettings(cache_seconds=12),
        SessionSettings(ttl=90, refresh_threshold=60),
    ],
)
def test_a_session_takes_what_the_model_says(
    runtime: Runtime, capsys: pytest.CaptureFixture[str], rules: SessionSettings
) -> None:
    with container(runtime, session=rules, clock=Clock()) as gate:
        browse(gate, requests=30)
    sign_in, *lines = told(capsys)
    modelled = needs(Settings(routes=routes()[2:3], session=rules))
    assert sign_in["dynamodb_writes"] == sign_in["dynamodb_reads"] == 1
    for counted in ("reads", "writes"):
        found = sum(line[f"dynamodb_{counted}"] for line in lines) / len(lines)
        assert getattr(summed(modelled), counted) == pytest.approx(found, rel=0.2, abs=0.03)


def test_a_row_that_is_written_is_read_again() -> None:
    longest = Settings(routes=routes()[2:3], session=SessionSettings(cache_seconds=60))
    shortest = Settings(routes=routes()[2:3], session=SessionSettings(cache_seconds=1))
    assert [needs(of)[0].reads for of in (longest, shortest)] == [0.1, 1]


def test_what_nobody_signs_in_to_takes_no_sessions() -> None:
    public = Settings(routes=routes()[:1])
    assert needs(public) == []
    assert usage.sessions_gb(public, usage.Load(1_000, 1)) == 0


def test_each_policy_takes_what_it_adds_to_those_before_it() -> None:
    policies = POLICIES["transaction"]
    alone, together = (needs(settings(*policies[:n])) for n in (1, 2))
    assert together[0] == alone[0]
    assert together[1].writes > 2 * alone[0].writes
    assert needs(settings(*POLICIES["one item"]))[1].writes == 0


def test_a_session_begins_once_and_the_guard_is_asked() -> None:
    signed_in = [route for route in routes() if route.auth != "none" or route.session == "issue"]
    begins = needs(Settings(routes=tuple(signed_in)))[-1]
    once = 1 / assumptions.REQUESTS_A_SESSION
    assert begins[1:] == (once, once, 2 * once)
    assert begins.part.startswith("signInGuard")


def test_sign_in_and_sign_out_are_not_what_requests_are_spread_over() -> None:
    [need, *_] = needs(settings(policy("a", "ip", routes=("login",))))
    assert need.writes == 0


@pytest.mark.parametrize("by_route", [False, True])
def test_a_line_has_the_bytes_that_are_paid(
    runtime: Runtime, capsys: pytest.CaptureFixture[str], by_route: bool
) -> None:
    with container(runtime, metrics_by_route=by_route) as gate:
        bearer = gate.bearer()
        capsys.readouterr()
        gate(path="/items", headers=bearer)
    text = capsys.readouterr().out
    assert request_line(settings(metrics_by_route=by_route)) == pytest.approx(len(text), rel=0.1)
    in_it = {
        (*map(str, directive["Dimensions"]), metric["Name"])
        for directive in json.loads(text)["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }
    one_route = Settings(routes=routes()[:1], metrics_by_route=by_route)
    assert usage.custom_metrics(one_route, Stack(environment="dev")) == len(in_it)


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        ("1000000", 1_000_000),
        ("1,000,000", 1_000_000),
        ("1M", 1_000_000),
        ("1.5m", 1_500_000),
        ("250k", 250_000),
        ("1", 1),
    ],
)
def test_requests_are_read_as_people_write_them(text: str, requests: int) -> None:
    assert parse_requests(text) == requests


@pytest.mark.parametrize("text", ["", "0", "-1", "many", "1.5", "1G", "1e6", "9999999M", "\u0661"])
def test_anything_else_is_one_clear_line(text: str) -> None:
    with pytest.raises(Mistakes, match=r"^--requests .*; write 1000000, 1M or 250k$"):
        parse_requests(text)
