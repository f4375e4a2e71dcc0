import json
import re
from typing import Any

import pytest

from infra.queries import QUERIES
from tests.infra import published
from tests.infra.engine import Graph, run


@pytest.fixture(scope="module")
def dev() -> Graph:
    return run("dev", dashboard="true")


@pytest.fixture(scope="module")
def by_route() -> Graph:
    return run("dev", dashboard="true", metricsByRoute="true", memorySize="1536")


def widgets(graph: Graph, kind: str) -> dict[str, Any]:
    """The properties of the widgets of a kind, by title."""
    body = graph.one("cloudwatch/dashboard:Dashboard").inputs["dashboardBody"]
    shown = [
        widget["properties"] for widget in json.loads(body)["widgets"] if widget["type"] == kind
    ]
    return {properties["title"]: properties for properties in shown}


def lines(properties: Any) -> list[Any]:
    return [line for line in properties["metrics"] if isinstance(line[0], str)]


@pytest.mark.parametrize("stack", ["dev", "prod", "by_route"])
def test_every_line_shows_what_somebody_publishes(
    request: pytest.FixtureRequest, stack: str
) -> None:
    graph = request.getfixturevalue(stack)
    for properties in widgets(graph, "metric").values():
        assert lines(properties)
        for namespace, metric, *dimensions, options in lines(properties):
            pairs = dict(zip(dimensions[::2], dimensions[1::2], strict=True))
            published.check(graph, namespace, metric, pairs)
            assert options["stat"] in {"Sum", "Average", "Maximum", "p50", "p95", "p99"}


def test_formulas_calculate_with_the_hidden_lines_beside_them(dev: Graph) -> None:
    calculated = 0
    for properties in widgets(dev, "metric").values():
        formulas = [line[0]["expression"] for line in properties["metrics"] if len(line) == 1]
        named = {line[-1].get("id") for line in lines(properties)}
        used = {name for formula in formulas for name in re.findall("[a-z]\\w*", formula, re.I)}
        assert used == named - {None}
        assert all(line[-1].get("visible", True) != bool(formulas) for line in lines(properties))
        calculated += len(formulas)
    assert calculated == 3


def test_lambda_costs_by_time_and_memory() -> None:
    graph = run("dev", dashboard="true", memorySize="1536")
    [formula], *_ = widgets(graph, "metric")["Lambda (GB-seconds)"]["metrics"]
    assert formula["expression"] == "duration / 1000 * 1.5"


def test_everything_that_an_operator_asks_for_is_shown(dev: Graph) -> None:
    assert [*widgets(dev, "metric"), *widgets(dev, "log")] == [
        "Requests",
        "Latency (ms)",
        "Failed",
        "Upstreams (ms)",
        "Refused",
        "Function",
        "Containers",
        "Tables (ms)",
        "Sessions table",
        "Rate limits table",
        "DynamoDB for each request",
        "Lambda (GB-seconds)",
        "Logs (bytes)",
        "Refusals by policy",
        "Busiest callers",
        "Failures by upstream",
        "Latest failures",
        "Slowest routes",
        "Refused by the platform",
    ]


def test_what_the_stage_throttles_is_shown_where_it_is_counted(dev: Graph, prod: Graph) -> None:
    assert len(lines(widgets(dev, "metric")["Refused"])) == 3
    assert ["Tollgate", "Throttled-prod", {"stat": "Sum"}] in widgets(prod, "metric")["Refused"][
        "metrics"
    ]


def test_metrics_by_route_are_shown_for_each_route(by_route: Graph) -> None:
    routes = by_route.outputs["settings"]["gateway"]["routes"]
    for title in ("Requests by route", "Failed by route", "Latency by route (ms, p95)"):
        shown = lines(widgets(by_route, "metric")[title])
        assert sorted(line[5] for line in shown) == sorted(routes)


def test_tables_show_saved_queries_of_one_log(dev: Graph) -> None:
    saved = {query.title: query for query in QUERIES}
    logs = {"function": "/aws/lambda/tollgate-dev", "access": "/aws/vendedlogs/tollgate-dev-access"}
    for title, properties in widgets(dev, "log").items():
        [log] = saved[title].logs
        assert properties["query"] == f"SOURCE '{logs[log]}' | {saved[title].text}"


@pytest.mark.parametrize("stack", ["dev", "by_route"])
def test_widgets_do_not_cover_each_other(request: pytest.FixtureRequest, stack: str) -> None:
    graph = request.getfixturevalue(stack)
    body = graph.one("cloudwatch/dashboard:Dashboard").inputs["dashboardBody"]
    places = [(widget["x"], widget["y"]) for widget in json.loads(body)["widgets"]]
    assert len(set(places)) == len(places)
    assert all(x in (0, 12) and y % 6 == 0 for x, y in places)


def test_the_output_opens_it(dev: Graph) -> None:
    name = dev.one("cloudwatch/dashboard:Dashboard").inputs["dashboardName"]
    assert dev.outputs["dashboard_url"].endswith(f"#dashboards/dashboard/{name}")


def test_switched_off_there_is_none_but_the_queries_stay() -> None:
    graph = run("dev")
    assert graph.all("cloudwatch/dashboard:Dashboard") == []
    assert "dashboard_url" not in graph.outputs
    assert len(graph.all("cloudwatch/queryDefinition:QueryDefinition")) == len(QUERIES)
