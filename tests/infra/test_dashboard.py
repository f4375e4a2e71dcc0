import json
from typing import Any

from tests.infra.engine import Graph, run
from webapp import metrics

API = ["ApiId", "tollgate-dev-id", "Stage", "$default"]


def widgets(graph: Graph) -> list[Any]:
    body = graph.one("cloudwatch/dashboard:Dashboard").inputs["dashboardBody"]
    shown: list[Any] = json.loads(body)["widgets"]
    return shown


def lines(graph: Graph) -> dict[tuple[str, str], list[Any]]:
    """The dimensions of each metric that is shown, by its namespace and name."""
    graphs = [widget for widget in widgets(graph) if widget["type"] == "metric"]
    shown = [line for widget in graphs for line in widget["properties"]["metrics"]]
    return {(namespace, name): rest[:-1] for namespace, name, *rest in shown}


def test_http_apis_are_asked_by_the_names_their_metrics_have(dev: Graph) -> None:
    shown = {name: rest for (space, name), rest in lines(dev).items() if space == "AWS/ApiGateway"}
    assert shown == dict.fromkeys(("Count", "4xx", "5xx", "Latency"), API)


def test_every_metric_of_the_gateway_exists(dev: Graph) -> None:
    own = {name: rest for (space, name), rest in lines(dev).items() if space == metrics.NAMESPACE}
    assert {"Refusals", "UpstreamErrors", "StoreErrors", "ColdStarts"} <= own.keys()
    assert own.keys() <= {*metrics.COUNTS, "Latency", "UpstreamLatency"}
    assert all(dimensions == ["Environment", "dev"] for dimensions in own.values())


def test_widgets_do_not_cover_each_other(dev: Graph) -> None:
    places = [(widget["x"], widget["y"]) for widget in widgets(dev)]
    assert len(set(places)) == len(places)
    assert all(x in (0, 12) and y % 6 == 0 for x, y in places)


def test_the_logs_asked_are_the_functions(dev: Graph) -> None:
    queries = [w["properties"]["query"] for w in widgets(dev) if w["type"] == "log"]
    assert queries
    assert all(query.startswith("SOURCE '/aws/lambda/tollgate-dev' | ") for query in queries)


def test_the_output_opens_it(dev: Graph) -> None:
    name = dev.one("cloudwatch/dashboard:Dashboard").inputs["dashboardName"]
    assert dev.outputs["dashboard_url"].endswith(f"#dashboards/dashboard/{name}")


def test_switched_off_there_is_none() -> None:
    graph = run("dev", dashboard="false")
    assert graph.all("cloudwatch/dashboard:Dashboard") == []
    assert "dashboard_url" not in graph.outputs
