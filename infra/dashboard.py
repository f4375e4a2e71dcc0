"""The dashboard: traffic, latency, refusals, containers and stores of one stack on one page."""

from collections.abc import Sequence
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from infra.api import Api
from infra.function import Function
from infra.settings import Deployment
from infra.storage import Storage

_WIDTH, _HEIGHT = 12, 6
_COLUMNS = 2

_GATEWAY = "Tollgate"
_HTTP_API = "AWS/ApiGateway"
_LAMBDA = "AWS/Lambda"
_DYNAMODB = "AWS/DynamoDB"
_CAPACITY = (
    *("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"),
    *("ReadThrottleEvents", "WriteThrottleEvents"),
)

_BY_ROUTE = (
    "filter ispresent(route)"
    " | stats count(*) as requests, sum(status >= 500) as failed,"
    " pct(latency_ms, 50) as p50, pct(latency_ms, 99) as p99 by route"
    " | sort requests desc"
)
_FAILURES = (
    "fields @timestamp, request_id, method, path, status, decision, upstream, upstream_status"
    " | filter status >= 500 | sort @timestamp desc | limit 20"
)


class Line(NamedTuple):
    """One metric in a graph; `dimensions` are names and values in turn, as CloudWatch has them."""

    namespace: str
    metric: str
    dimensions: Sequence[pulumi.Input[str]]
    statistic: str = "Sum"


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
        group = function.log_group.name
        graphs = [
            _graph(title, lines, region)
            for title, lines in _graphs(deployment, storage, function, api)
        ]
        tables = [
            _table("By route", _BY_ROUTE, group, region),
            _table("Latest failures", _FAILURES, group, region),
        ]
        dashboard = aws.cloudwatch.Dashboard(
            deployment.name,
            dashboard_name=deployment.name,
            dashboard_body=pulumi.Output.json_dumps({"widgets": _placed([*graphs, *tables])}),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = pulumi.Output.concat(
            *("https://", region, ".console.aws.amazon.com/cloudwatch/home?region=", region),
            *("#dashboards/dashboard/", dashboard.dashboard_name),
        )
        self.register_outputs({})


def _graphs(
    deployment: Deployment, storage: Storage, function: Function, api: Api
) -> Sequence[tuple[str, Sequence[Line]]]:
    gateway = ("Environment", deployment.stack.environment)
    http = ("ApiId", api.api.id, "Stage", api.stage.name)
    of = ("FunctionName", function.function.name)
    sessions = ("TableName", storage.sessions.name)
    limits = ("TableName", storage.rate_limits.name)
    return [
        ("Requests", _lines(_HTTP_API, http, "Count", "4xx", "5xx")),
        ("Latency (ms)", [
            *(Line(_HTTP_API, "Latency", http, statistic) for statistic in ("p50", "p95", "p99")),
            Line(_GATEWAY, "UpstreamLatency", gateway, "p95"),
        ]),
        ("Refused", _lines(_GATEWAY, gateway, "Refusals", "AuthenticationFailures")),
        ("Failed", _lines(_GATEWAY, gateway, "ServerErrors", "UpstreamErrors", "StoreErrors")),
        ("Function", _lines(_LAMBDA, of, "Errors", "Throttles")),
        ("Containers", [
            Line(_LAMBDA, "ConcurrentExecutions", of, "Maximum"),
            Line(_GATEWAY, "ColdStarts", gateway),
        ]),
        ("Sessions table", _lines(_DYNAMODB, sessions, *_CAPACITY)),
        ("Rate limits table", _lines(_DYNAMODB, limits, *_CAPACITY)),
    ]  # fmt: skip


def _lines(
    namespace: str, dimensions: Sequence[pulumi.Input[str]], *metrics: str
) -> Sequence[Line]:
    return [Line(namespace, metric, dimensions) for metric in metrics]


def _graph(title: str, lines: Sequence[Line], region: pulumi.Input[str]) -> dict[str, object]:
    metrics = [
        [line.namespace, line.metric, *line.dimensions, {"stat": line.statistic}] for line in lines
    ]
    properties = {"title": title, "metrics": metrics, "region": region, "period": 60}
    return {"type": "metric", "properties": properties | {"view": "timeSeries"}}


def _table(
    title: str, query: str, group: pulumi.Input[str], region: pulumi.Input[str]
) -> dict[str, object]:
    source = pulumi.Output.concat("SOURCE '", group, "' | ", query)
    properties = {"title": title, "query": source, "region": region, "view": "table"}
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
