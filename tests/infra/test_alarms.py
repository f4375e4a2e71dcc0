import json
import re
from typing import Any

import pytest

from tests.infra import published
from tests.infra.engine import Graph, run

# docs/operating.md has an entry for each.
NAMES = [
    "api-5xx",
    "api-latency",
    "api-throttled",
    "authentication-failures",
    "forbidden",
    "function-concurrency",
    "function-duration",
    "function-errors",
    "function-throttles",
    "limit-refusals",
    "rate-limits-read-throttles",
    "rate-limits-write-throttles",
    "server-errors",
    "sessions-read-throttles",
    "sessions-write-throttles",
    "store-errors",
    "upstream-errors",
]


def alarms(graph: Graph) -> dict[str, Any]:
    made = [resource.inputs for resource in graph.all("cloudwatch/metricAlarm:MetricAlarm")]
    return {inputs["name"].removeprefix("tollgate-prod-"): inputs for inputs in made}


def test_what_can_ring(prod: Graph) -> None:
    assert sorted(alarms(prod)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_alarm_watches_what_somebody_publishes(prod: Graph, name: str) -> None:
    alarm = alarms(prod)[name]
    published.check(prod, alarm["namespace"], alarm["metricName"], alarm.get("dimensions", {}))
    assert ("statistic" in alarm) != ("extendedStatistic" in alarm)


@pytest.mark.parametrize("name", NAMES)
def test_an_alarm_says_why_it_rings_and_where_to_look(prod: Graph, name: str) -> None:
    alarm = alarms(prod)[name]
    assert re.fullmatch(
        rf"[A-Z].{{20,}}\. What to do: docs/operating\.md, {name}\.", alarm["alarmDescription"]
    )
    assert alarm["alarmActions"] == alarm["okActions"] == [prod.outputs["alarm_topic_arn"]]


@pytest.mark.parametrize("name", NAMES)
def test_an_alarm_waits_some_minutes_and_not_for_data(prod: Graph, name: str) -> None:
    alarm = alarms(prod)[name]
    assert alarm["period"] == 60
    assert 1 <= alarm["evaluationPeriods"] <= 5
    assert alarm["comparisonOperator"] == "GreaterThanThreshold"
    assert alarm["treatMissingData"] == "notBreaching"


def test_thresholds_follow_the_stacks_own_bounds(prod: Graph) -> None:
    other = alarms(run("prod", reservedConcurrency="50"))
    short = alarms(run("prod", timeout="5"))
    assert alarms(prod)["function-duration"]["threshold"] == 9_000
    assert short["function-duration"]["threshold"] == 4_500
    assert alarms(prod)["api-5xx"]["threshold"] == 600
    assert alarms(run("prod", throttlingRateLimit="2"))["api-5xx"]["threshold"] == 5
    assert alarms(prod)["function-concurrency"]["threshold"] == 80
    assert other["function-concurrency"]["threshold"] == 40


def test_shares_of_all_requests_are_at_most_one(prod: Graph) -> None:
    shares = {
        name: alarm["threshold"]
        for name, alarm in alarms(prod).items()
        if alarm.get("statistic") == "Average"
    }
    assert shares == {
        "server-errors": 0.05,
        "limit-refusals": 0.2,
        "authentication-failures": 0.5,
        "forbidden": 0.5,
        "store-errors": 0.01,
        "upstream-errors": 0.01,
    }
    assert all(published.line()[alarms(prod)[name]["metricName"]] in {0, 1} for name in shares)


def test_the_stages_own_refusals_are_counted_from_the_access_log(prod: Graph) -> None:
    counted = prod.one("cloudwatch/logMetricFilter:LogMetricFilter").inputs
    assert counted["logGroupName"] == "/aws/vendedlogs/tollgate-prod-access"
    access = json.loads(prod.one("apigatewayv2/stage:Stage").inputs["accessLogSettings"]["format"])
    assert {"status", "integrationStatus"} <= access.keys()


def test_an_alarm_topic_of_the_operators_is_used(dev: Graph) -> None:
    arn = "arn:aws:sns:us-east-1:123456789012:pager"
    graph = run("dev", alarms="true", alarmTopicArn=arn)
    assert graph.all("sns/topic:Topic") == []
    assert graph.outputs["alarm_topic_arn"] == arn
    assert dev.all("cloudwatch/metricAlarm:MetricAlarm") == []
