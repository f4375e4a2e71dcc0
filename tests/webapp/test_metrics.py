import json
from itertools import chain
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.webapp.containers import Container, container
from tests.webapp.faults import Faults, failure
from webapp import metrics
from webapp.settings import Policy, Runtime

FACTS: dict[str, object] = {
    "timestamp": 1_750_000_000_000,
    "route": "users",
    "status": 200,
    "latency_ms": 12.5,
    "upstream_ms": 10.25,
    "decision": "passed",
    "store_errors": 0,
    "dynamodb_reads": 1,
    "dynamodb_writes": 2,
    "cold_start": False,
}

SCHEMA = json.loads((Path(__file__).parent / "emf.schema.json").read_bytes())


def made(*, by_route: bool = False, **changed: object) -> dict[str, object]:
    return metrics.members(FACTS | changed, "dev", by_route=by_route)


def check(line: dict[str, Any]) -> None:
    """Whether CloudWatch takes a line and finds in it every value that it names."""
    jsonschema.validate(line, SCHEMA)
    for directive in line["_aws"]["CloudWatchMetrics"]:
        assert all(is_number(line[metric["Name"]]) for metric in directive["Metrics"])
        for name in chain(*directive["Dimensions"]):
            assert isinstance(line[name], str)
            assert 1 <= len(line[name]) <= 1024


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def end_in_many_ways(gate: Container, faults: Faults) -> None:
    bearer = gate.bearer()
    gate(path="/items", headers=bearer)
    gate(path="/health")
    gate(path="/nowhere")
    gate(path="/open/../admin")
    gate(path="/items")
    gate(path="/items", headers={"authorization": "Bearer tg_forged"})
    gate(path="/admin", headers=bearer)
    gate.upstream.script = lambda connection, _: connection.shutdown(2)
    gate(path="/open")
    faults.failing = failure("InternalServerError", 500)
    gate(path="/items", headers=bearer)
    faults.failing = None
    while gate(path="/open").status != 429:
        gate.clock.advance(1)
    gate.handler(None, None)


@pytest.mark.parametrize("by_route", [False, True])
def test_cloudwatch_takes_every_line_of_the_gateway(
    runtime: Runtime, faults: Faults, capsys: pytest.CaptureFixture[str], by_route: bool
) -> None:
    policy = Policy(name="per-ip", key="ip", limit=12, window=3600)
    with container(runtime, policy, metrics_by_route=by_route) as gate:
        end_in_many_ways(gate, faults)
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    for line in lines:
        check(line)
        directives = line["_aws"]["CloudWatchMetrics"]
        assert len(directives) == 1 + (by_route and line["route"] is not None)
    assert {line["decision"] for line in lines} == {
        *("passed", "not_found", "ambiguous_path", "bad_request", "rate_limited"),
        *("missing_token", "invalid_token", "forbidden"),
        *("upstream_unreachable", "upstream_unavailable", "session_store_unavailable"),
    }


@pytest.mark.parametrize(
    ("changed", "counted"),
    [
        ({}, {"Requests"}),
        ({"status": 500, "decision": "internal_error"}, {"Requests", "ServerErrors"}),
        (
            {"status": 504, "decision": "upstream_timeout"},
            {"Requests", "ServerErrors", "UpstreamErrors"},
        ),
        ({"status": 429, "decision": "rate_limited"}, {"Requests", "Refusals"}),
        ({"status": 429}, {"Requests"}),
        ({"status": 403, "decision": "forbidden"}, {"Requests", "Forbidden"}),
        ({"status": 403, "decision": "cross_site_request"}, {"Requests", "Forbidden"}),
        ({"status": 403}, {"Requests"}),
        (
            {"status": 503, "decision": "signing_key_unavailable"},
            {"Requests", "ServerErrors", "StoreErrors"},
        ),
        ({"status": 401, "decision": "missing_token"}, {"Requests", "AuthenticationFailures"}),
        ({"status": 401}, {"Requests"}),
        ({"store_errors": 1}, {"Requests", "StoreErrors"}),
        (
            {"status": 503, "decision": "session_store_unavailable"},
            {"Requests", "ServerErrors", "StoreErrors"},
        ),
        ({"cold_start": True}, {"Requests", "ColdStarts"}),
    ],
)
def test_what_a_request_counts_as(changed: dict[str, object], counted: set[str]) -> None:
    members = made(**changed)
    ours = {name for name in metrics.COUNTS if members[name] == 1} - {"DynamoDBReads"}
    assert ours == counted


def test_routes_are_told_apart_only_when_asked() -> None:
    assert "Route" not in made()
    assert made(by_route=True)["Route"] == "users"
    assert "Route" not in made(by_route=True, route=None)
