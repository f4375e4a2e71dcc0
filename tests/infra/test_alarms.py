import json

from tests.infra.engine import Graph, run
from webapp import metrics


def test_alarms_ring_for_metrics_that_something_emits(prod: Graph) -> None:
    emitted = {
        "AWS/Lambda": {"Errors", "Throttles", "Duration", "ConcurrentExecutions"},
        "AWS/ApiGateway": {"4xx", "5xx", "Count", "Latency", "IntegrationLatency"},
        "AWS/DynamoDB": {"ReadThrottleEvents", "WriteThrottleEvents"},
        "Tollgate": {*metrics.COUNTS, "Throttled-prod"},
    }
    dimensions = {
        "AWS/Lambda": {"FunctionName"},
        "AWS/ApiGateway": {"ApiId", "Stage"},
        "AWS/DynamoDB": {"TableName"},
    }
    alarms = [r.inputs for r in prod.all("cloudwatch/metricAlarm:MetricAlarm")]
    assert len(alarms) == 14
    for alarm in alarms:
        namespace = alarm["namespace"]
        assert alarm["metricName"] in emitted[namespace]
        own = set() if alarm["metricName"] == "Throttled-prod" else {"Environment"}
        assert set(alarm.get("dimensions", {})) == dimensions.get(namespace, own)
        assert ("statistic" in alarm) != ("extendedStatistic" in alarm)
        assert alarm["alarmActions"] == alarm["okActions"] == [prod.outputs["alarm_topic_arn"]]
        assert alarm["treatMissingData"] == "notBreaching"


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
