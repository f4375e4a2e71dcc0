"""Metrics: the members of a log line from which CloudWatch makes them (embedded metric format).

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Mapping

NAMESPACE = "Tollgate"

COUNTS = (
    "Requests",
    "ServerErrors",
    "UpstreamErrors",
    "Refusals",
    "AuthenticationFailures",
    "Forbidden",
    "StoreErrors",
    "DynamoDBReads",
    "DynamoDBWrites",
    "ColdStarts",
)

# Policies whose counters did not answer are counted one by one.
_UNANSWERED = ("session_store_unavailable", "signing_key_unavailable")

# What `metricsByRoute` adds: each metric of each route costs as much as one of the whole stack.
BY_ROUTE = ("Requests", "ServerErrors", "Latency")


def members(facts: Mapping[str, object], environment: str, *, by_route: bool) -> dict[str, object]:
    """The metrics of one request's facts and, as `_aws`, what CloudWatch is to make of them."""
    values = _values(facts)
    directives = [_directive(["Environment"], values)]
    dimensions: dict[str, object] = {"Environment": environment}
    if by_route and facts["route"]:
        directives.append(_directive(["Environment", "Route"], BY_ROUTE))
        dimensions["Route"] = facts["route"]
    return {
        "_aws": {"Timestamp": facts["timestamp"], "CloudWatchMetrics": directives},
        **dimensions,
        **values,
    }


def _values(facts: Mapping[str, object]) -> dict[str, object]:
    status, undecided = facts["status"], facts["store_errors"]
    assert isinstance(status, int)
    assert isinstance(undecided, int)
    code = str(facts["decision"])
    values: dict[str, object] = {
        "Requests": 1,
        "ServerErrors": int(status >= 500),
        "UpstreamErrors": int(code.startswith("upstream_")),
        "Refusals": int(code == "rate_limited"),
        "AuthenticationFailures": int(status == 401 and code != "passed"),
        "Forbidden": int(status == 403 and code != "passed"),
        "StoreErrors": undecided + int(code in _UNANSWERED),
        "DynamoDBReads": facts["dynamodb_reads"],
        "DynamoDBWrites": facts["dynamodb_writes"],
        "ColdStarts": int(bool(facts["cold_start"])),
        "Latency": facts["latency_ms"],
    }
    if facts["upstream_ms"] is not None:
        values["UpstreamLatency"] = facts["upstream_ms"]
    return values


def _directive(dimensions: list[str], names: object) -> dict[str, object]:
    assert isinstance(names, dict | tuple)
    return {
        "Namespace": NAMESPACE,
        "Dimensions": [dimensions],
        "Metrics": [
            {"Name": name, "Unit": "Count" if name in COUNTS else "Milliseconds"} for name in names
        ],
    }
