import jsonschema
import pytest

from webapp import metrics

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

NAME = {"type": "string", "minLength": 1, "maxLength": 1024}

# The published schema, in the words of its specification.
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": NAME,
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "array", "maxItems": 30, "items": NAME},
                            },
                            "Metrics": {
                                "type": "array",
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "properties": {
                                        "Name": NAME,
                                        "Unit": {"enum": ["Count", "Milliseconds"]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


def made(*, by_route: bool = False, **changed: object) -> dict[str, object]:
    return metrics.members(FACTS | changed, "dev", by_route=by_route)


@pytest.mark.parametrize("by_route", [False, True])
@pytest.mark.parametrize("changed", [{}, {"upstream_ms": None, "route": None}])
def test_the_members_fit_the_schema_and_hold_every_value_they_name(
    by_route: bool, changed: dict[str, object]
) -> None:
    members = made(by_route=by_route, **changed)
    jsonschema.validate(members, SCHEMA)
    for directive in members["_aws"]["CloudWatchMetrics"]:  # type: ignore[index]
        [dimensions] = directive["Dimensions"]
        for name in [*dimensions, *(metric["Name"] for metric in directive["Metrics"])]:
            assert name in members
        assert all(isinstance(members[m["Name"]], int | float) for m in directive["Metrics"])


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
