import json
import re

import pytest

from tests.infra.engine import Graph, run
from webapp.local import assumptions

# What API Gateway puts for the variables of an access log.
LOGGED = {
    "requestId": "JKJaXmPLvHcESHA=",
    "requestTime": "26/Nov/2026:00:00:00 +0000",
    "httpMethod": "GET",
    "path": "/api/v1/users/8f14e45f",
    "protocol": "HTTP/1.1",
    "status": "200",
    "responseLength": "1024",
    "responseLatency": "134",
    "integrationLatency": "131",
    "integration.integrationStatus": "200",
    "integrationErrorMessage": "-",
    "error.message": "-",
    "identity.sourceIp": "198.51.100.7",
    "identity.userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
    " (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
}


def test_all_alarms_are_paid(prod: Graph) -> None:
    assert len(prod.all("cloudwatch/metricAlarm:MetricAlarm")) == assumptions.ALARMS
    assert len(prod.all("cloudwatch/logMetricFilter:LogMetricFilter")) == 1
    assert len(prod.all("cloudwatch/dashboard:Dashboard")) == 1


def test_all_rules_of_the_firewall_are_paid() -> None:
    rules = run("dev", edge="true").one("wafv2/webAcl:WebAcl").inputs["rules"]
    assert len(rules) == assumptions.FIREWALL_RULES


def test_a_line_of_the_access_log_has_the_bytes_that_are_paid(prod: Graph) -> None:
    form = prod.one("apigatewayv2/stage:Stage").inputs["accessLogSettings"]["format"]
    line = re.sub(r"\$context\.([\w.]+)", lambda found: LOGGED[found[1]], form)
    assert json.loads(line)["status"] == "200"
    assert len(line) == pytest.approx(assumptions.ACCESS_LINE, rel=0.1)


def test_lambda_writes_no_lines_of_its_own_that_would_be_paid(prod: Graph) -> None:
    logging = prod.one("lambda/function:Function").inputs["loggingConfig"]
    assert (logging["logFormat"], logging["systemLogLevel"]) == ("JSON", "WARN")
