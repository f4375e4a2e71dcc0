"""What there is to be watched: the metrics that AWS and the gateway publish, by their dimensions.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
"""

import contextlib
import io
import json
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from tests.infra.engine import Graph, allowed
from tests.webapp.containers import container
from webapp.settings import Runtime

Sets = Collection[frozenset[str]]

_API = [frozenset({"ApiId"}), frozenset({"ApiId", "Stage"})]
_FUNCTION = [frozenset({"FunctionName"}), frozenset({"FunctionName", "Resource"})]
_TABLE = [frozenset({"TableName"})]
_OPERATION = [frozenset({"TableName", "Operation"})]
_LOG_GROUP = [frozenset({"LogGroupName"})]

AWS: Mapping[str, Mapping[str, Sets]] = {
    "AWS/ApiGateway": dict.fromkeys(
        ("Count", "4xx", "5xx", "Latency", "IntegrationLatency", "DataProcessed"), _API
    ),
    "AWS/Lambda": dict.fromkeys(
        ("Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"), _FUNCTION
    ),
    "AWS/DynamoDB": {
        "ConsumedReadCapacityUnits": _TABLE,
        "ConsumedWriteCapacityUnits": _TABLE,
        "ReadThrottleEvents": _TABLE,
        "WriteThrottleEvents": _TABLE,
        "ConditionalCheckFailedRequests": _TABLE,
        "TimeToLiveDeletedItemCount": _TABLE,
        "SuccessfulRequestLatency": _OPERATION,
        "ThrottledRequests": _OPERATION,
        "SystemErrors": _OPERATION,
    },
    "AWS/Logs": dict.fromkeys(("IncomingBytes", "IncomingLogEvents"), _LOG_GROUP),
}


@cache
def line() -> Mapping[str, Any]:
    """What the gateway writes about a request that went to an upstream, and is by route."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), container(Runtime(), metrics_by_route=True) as gate:
        assert gate(path="/open").status == 200
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def check(graph: Graph, namespace: str, metric: str, dimensions: Mapping[str, str]) -> None:
    """Whether somebody publishes this for the very resources of the stack."""
    assert frozenset(dimensions) in _sets(graph, namespace)[metric]
    known = _values(graph)
    for name, value in dimensions.items():
        assert value in known[name]
    if operation := dimensions.get("Operation"):
        table = dimensions["TableName"]
        [actions] = [do for arn, do in allowed(graph).items() if arn.endswith(f":{table}")]
        assert f"dynamodb:{operation}" in actions


def _sets(graph: Graph, namespace: str) -> Mapping[str, Sets]:
    if namespace in AWS:
        return AWS[namespace]
    sets: dict[str, list[frozenset[str]]] = {}
    for directive in line()["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"] == namespace
        for metric in directive["Metrics"]:
            sets.setdefault(metric["Name"], []).extend(map(frozenset, directive["Dimensions"]))
    for counting in graph.all("cloudwatch/logMetricFilter:LogMetricFilter"):
        made = counting.inputs["metricTransformation"]
        assert made["namespace"] == namespace
        sets[made["name"]] = [frozenset(made.get("dimensions", {}))]
    return sets


def _values(graph: Graph) -> Mapping[str, Collection[str]]:
    function = graph.one("lambda/function:Function").inputs

    def names(kind: str) -> set[str]:
        return {made.inputs["name"] for made in graph.all(kind)}

    return {
        "ApiId": {graph.outputs["api_id"]},
        "Stage": names("apigatewayv2/stage:Stage"),
        "FunctionName": {function["name"]},
        "TableName": {
            graph.outputs[f"{table}_table_name"] for table in ("sessions", "rate_limits")
        },
        "Operation": {"GetItem", "PutItem", "Query", "UpdateItem"},
        "LogGroupName": names("cloudwatch/logGroup:LogGroup"),
        "Environment": {function["environment"]["variables"]["TOLLGATE_ENVIRONMENT"]},
        "Route": set(graph.outputs["settings"]["gateway"]["routes"]),
    }
