"""The dashboard: traffic, latency, refusals, failures, stores and cost of a stack on one page."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from infra.api import Api
from infra.function import Function
from infra.queries import (
    BUSIEST_CALLERS,
    FAILURES_BY_UPSTREAM,
    LATEST_FAILURES,
    REFUSALS_BY_POLICY,
    REFUSED_BY_THE_PLATFORM,
    SLOWEST_ROUTES,
    Log,
    Query,
    log_groups,
)
from infra.settings import Deployment
from infra.storage import Storage

_WIDTH, _HEIGHT = 12, 6
_COLUMNS = 2

_GATEWAY = "Tollgate"
_HTTP_API = "AWS/ApiGateway"
_LAMBDA = "AWS/Lambda"
_DYNAMODB = "AWS/DynamoDB"
_LOGS = "AWS/Logs"

_CAPACITY = (
    *("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"),
    *("ReadThrottleEvents", "WriteThrottleEvents"),
)

_TABLES = (
    *(REFUSALS_BY_POLICY, BUSIEST_CALLERS, FAILURES_BY_UPSTREAM),
    *(LATEST_FAILURES, SLOWEST_ROUTES, REFUSED_BY_THE_PLATFORM),
)


class Line(NamedTuple):
    """One metric in a graph; `dimensions` are names and values in turn, as CloudWatch has them."""

    namespace: str
    metric: str
    dimensions: Sequence[pulumi.Input[str]]
    statistic: str = "Sum"


class Graph(NamedTuple):
    """`formulas`, if there are any, are shown in place of the lines that they calculate with.

    They call a line by its metric's name, whose first letter is small there.
    """

    title: str
    lines: Sequence[Line]
    formulas: Mapping[str, str] = {}


class Dashboard(pulumi.ComponentResource):
    """`url` opens it in the console."""

    def __init__(
        self,
        deployment: Deployment,
        storage: Storage,
        function: Function,
        api: Api,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("tollgate:infra:Dashboard", deployment.name, None, opts)
        region = aws.get_region_output().region
        groups = log_groups(function, api)
        graphs = [
            *_graphs(deployment, function, api),
            *_graphs_of_stores(storage),
            *_graphs_of_cost(deployment, function, api),
            *_graphs_by_route(deployment),
        ]
        shown = [_drawn(graph, region) for graph in graphs]
        shown += [_listed(query, groups, region) for query in _TABLES]
        dashboard = aws.cloudwatch.Dashboard(
            deployment.name,
            dashboard_name=deployment.name,
            dashboard_body=pulumi.Output.json_dumps({"widgets": _placed(shown)}),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = pulumi.Output.concat(
            *("https://", region, ".console.aws.amazon.com/cloudwatch/home?region=", region),
            *("#dashboards/dashboard/", dashboard.dashboard_name),
        )
        self.register_outputs({})


def _graphs(deployment: Deployment, function: Function, api: Api) -> Sequence[Graph]:
    stack = deployment.stack
    gateway = _gateway(deployment)
    http = ("ApiId", api.api.id, "Stage", api.stage.name)
    of = ("FunctionName", function.function.name)
    refused = _lines(_GATEWAY, gateway, "Refusals", "AuthenticationFailures", "Forbidden")
    # Only the alarms count them.
    throttled = _lines(_GATEWAY, (), f"Throttled-{stack.environment}") if stack.alarms else ()
    return [
        Graph("Requests", _lines(_HTTP_API, http, "Count", "4xx", "5xx")),
        Graph("Latency (ms)", _percentiles(_HTTP_API, http, "Latency")),
        Graph("Failed", _lines(_GATEWAY, gateway, "ServerErrors", "UpstreamErrors", "StoreErrors")),
        Graph("Upstreams (ms)", _percentiles(_GATEWAY, gateway, "UpstreamLatency")),
        Graph("Refused", [*refused, *throttled]),
        Graph("Function", _lines(_LAMBDA, of, "Errors", "Throttles")),
        Graph("Containers", [
            Line(_LAMBDA, "ConcurrentExecutions", of, "Maximum"),
            Line(_GATEWAY, "ColdStarts", gateway),
        ]),
    ]  # fmt: skip


def _graphs_of_stores(storage: Storage) -> Sequence[Graph]:
    sessions = ("TableName", storage.sessions.name)
    limits = ("TableName", storage.rate_limits.name)
    latency = "SuccessfulRequestLatency"
    return [
        Graph("Tables (ms)", [
            Line(_DYNAMODB, latency, (*sessions, "Operation", "GetItem"), "Average"),
            Line(_DYNAMODB, latency, (*limits, "Operation", "UpdateItem"), "Average"),
        ]),
        Graph("Sessions table", _lines(_DYNAMODB, sessions, *_CAPACITY)),
        Graph("Rate limits table", _lines(_DYNAMODB, limits, *_CAPACITY)),
    ]  # fmt: skip


def _graphs_of_cost(deployment: Deployment, function: Function, api: Api) -> Sequence[Graph]:
    used = _lines(_GATEWAY, _gateway(deployment), "Requests", "DynamoDBReads", "DynamoDBWrites")
    of = ("FunctionName", function.function.name)
    gigabytes = deployment.stack.memory_size / 1024
    written = [
        Line(_LOGS, "IncomingBytes", ("LogGroupName", group))
        for group in log_groups(function, api).values()
    ]
    return [
        Graph("DynamoDB for each request", used, {
            "reads": "dynamoDBReads / requests",
            "writes": "dynamoDBWrites / requests",
        }),
        Graph("Lambda (GB-seconds)", _lines(_LAMBDA, of, "Duration"), {
            "GB-seconds": f"duration / 1000 * {gigabytes}",
        }),
        Graph("Logs (bytes)", written),
    ]  # fmt: skip


def _graphs_by_route(deployment: Deployment) -> Sequence[Graph]:
    if not deployment.stack.metrics_by_route:
        return []
    of = [(*_gateway(deployment), "Route", route.id) for route in deployment.settings.routes]
    return [
        Graph("Requests by route", [Line(_GATEWAY, "Requests", route) for route in of]),
        Graph("Failed by route", [Line(_GATEWAY, "ServerErrors", route) for route in of]),
        Graph("Latency by route (ms, p95)", [Line(_GATEWAY, "Latency", r, "p95") for r in of]),
    ]


def _gateway(deployment: Deployment) -> tuple[str, str]:
    return ("Environment", deployment.stack.environment)


def _lines(
    namespace: str, dimensions: Sequence[pulumi.Input[str]], *metrics: str
) -> Sequence[Line]:
    return [Line(namespace, metric, dimensions) for metric in metrics]


def _percentiles(
    namespace: str, dimensions: Sequence[pulumi.Input[str]], metric: str
) -> Sequence[Line]:
    return [Line(namespace, metric, dimensions, p) for p in ("p50", "p95", "p99")]


def _drawn(graph: Graph, region: pulumi.Input[str]) -> dict[str, object]:
    metrics: list[object] = [
        [{"label": label, "expression": formula}] for label, formula in graph.formulas.items()
    ]
    for line in graph.lines:
        name = {"id": line.metric[0].lower() + line.metric[1:], "visible": False}
        options = {"stat": line.statistic, **(name if graph.formulas else {})}
        metrics.append([line.namespace, line.metric, *line.dimensions, options])
    properties = {"title": graph.title, "metrics": metrics, "region": region, "period": 60}
    return {"type": "metric", "properties": properties | {"view": "timeSeries"}}


def _listed(
    query: Query, groups: Mapping[Log, pulumi.Input[str]], region: pulumi.Input[str]
) -> dict[str, object]:
    [log] = query.logs
    source = pulumi.Output.concat("SOURCE '", groups[log], "' | ", query.text)
    properties = {"title": query.title, "query": source, "region": region, "view": "table"}
    return {"type": "log", "properties": properties}


def _placed(widgets: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Two in a row, in the order in which they are listed."""
    return [
        {
            "x": place % _COLUMNS * _WIDTH,
            "y": place // _COLUMNS * _HEIGHT,
            "width": _WIDTH,
            "height": _HEIGHT,
            **widget,
        }
        for place, widget in enumerate(widgets)
    ]
