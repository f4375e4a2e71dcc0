import json
from typing import Any

import pulumi
import pytest

from tests.infra.engine import KEY, Graph, Resource, run
from webapp import metrics


@pytest.fixture(scope="module")
def dev() -> Graph:
    return run("dev")


@pytest.fixture(scope="module")
def prod() -> Graph:
    return run("prod")


def plain(value: Any) -> Any:
    """An input with its secret opened."""
    return value["value"] if isinstance(value, dict) and "value" in value else value


def statements(graph: Graph) -> dict[str, set[str]]:
    """The actions that the function's role allows, by resource."""
    [policy] = graph.all("iam/rolePolicy:RolePolicy")
    allowed = json.loads(plain(policy.inputs["policy"]))["Statement"]
    assert all(statement["Effect"] == "Allow" for statement in allowed)
    return {statement["Resource"]: set(statement["Action"]) for statement in allowed}


def function(graph: Graph) -> Resource:
    return graph.one("lambda/function:Function")


def variables(graph: Graph) -> dict[str, str]:
    return dict(function(graph).inputs["environment"]["variables"])


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_signing_key_is_one_secret_input_and_in_no_output(stack: str, preview: bool) -> None:
    graph = run(stack, preview=preview)
    holding = [r for r in graph.resources if KEY in str(r.inputs)]
    assert [r.type for r in holding] == ["aws:secretsmanager/secretVersion:SecretVersion"]
    text = holding[0].inputs["secretString"]
    assert pulumi.runtime.rpc.is_rpc_secret(text)
    assert json.loads(plain(text)) == {"current": KEY}
    assert KEY not in str(graph.outputs)


def test_previous_key_and_upstream_secrets_travel_with_the_signing_key() -> None:
    proof = "canary-5d1f0b97c2e84a63-of-an-upstream-Lm"
    users = {"url": "https://users.example.com", "secretHeader": "X-Proof"}
    upstreams = {name: {"url": "https://a.example.com"} for name in ("products", "admin", "status")}
    graph = run(
        "dev",
        upstreams={**upstreams, "users": users},
        previousSigningKey=KEY[::-1],
        upstreamSecrets={"users": proof},
    )
    version = graph.one("secretsmanager/secretVersion:SecretVersion")
    assert json.loads(plain(version.inputs["secretString"])) == {
        "current": KEY,
        "previous": KEY[::-1],
        "upstreams": {"users": proof},
    }
    assert proof not in str(graph.outputs)


def test_the_tables_keep_their_urns(dev: Graph) -> None:
    urns = sorted(resource.urn for resource in dev.all("dynamodb/table:Table"))
    root = "urn:pulumi:dev::tollgate::tollgate:infra:Storage$aws:dynamodb/table:Table"
    assert urns == [f"{root}::tollgate-dev-rate-limits", f"{root}::tollgate-dev-sessions"]


def test_tables_are_billed_by_request_encrypted_and_forgetful(dev: Graph) -> None:
    for table in dev.all("dynamodb/table:Table"):
        assert table.inputs["billingMode"] == "PAY_PER_REQUEST"
        assert table.inputs["ttl"] == {"attributeName": "ttl", "enabled": True}
        assert table.inputs["serverSideEncryption"]["enabled"] is True
    sessions = dev.one("dynamodb/table:Table", "sessions").inputs
    assert (sessions["hashKey"], sessions["rangeKey"]) == ("user_id", "session_id")
    assert dev.one("dynamodb/table:Table", "rate-limits").inputs["hashKey"] == "rate_limit_key"


@pytest.mark.parametrize(("stack", "safe"), [("dev", False), ("prod", True)])
def test_what_is_protected_is_so_by_the_engine_and_by_aws(stack: str, safe: bool) -> None:
    graph = run(stack)
    for table in graph.all("dynamodb/table:Table"):
        assert (table.protect, table.inputs["deletionProtectionEnabled"]) == (safe, safe)
    sessions = graph.one("dynamodb/table:Table", "sessions")
    assert sessions.inputs["pointInTimeRecovery"]["enabled"] is safe


def test_the_role_allows_what_the_code_calls_and_nothing_else(dev: Graph) -> None:
    allowed = statements(dev)
    by_service = {
        resource.split(":")[3] if "aws" in resource else resource: actions
        for resource, actions in allowed.items()
    }
    assert "*" not in by_service
    actions = sorted(action for some in allowed.values() for action in some)
    assert actions == [
        "dynamodb:GetItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "dynamodb:UpdateItem",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "secretsmanager:GetSecretValue",
    ]
    assert dev.all("iam/rolePolicyAttachment:RolePolicyAttachment") == []


@pytest.mark.parametrize(
    ("option", "wildcard"),
    [
        ({"tracing": "true"}, {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}),
        (
            {"vpc": {"subnetIds": ["subnet-12345678"], "securityGroupIds": ["sg-12345678"]}},
            {
                "ec2:AssignPrivateIpAddresses",
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:UnassignPrivateIpAddresses",
            },
        ),
    ],
)
def test_only_what_aws_forces_is_allowed_everywhere(
    option: dict[str, Any], wildcard: set[str]
) -> None:
    assert statements(run("dev", **option))["*"] == wildcard


def test_a_key_of_the_operators_encrypts_whatever_is_kept() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"
    graph = run("dev", kmsKeyArn=key)
    for table in graph.all("dynamodb/table:Table"):
        assert table.inputs["serverSideEncryption"]["kmsKeyArn"] == key
    for group in graph.all("cloudwatch/logGroup:LogGroup"):
        assert group.inputs["kmsKeyId"] == key
    assert graph.one("secretsmanager/secret:Secret").inputs["kmsKeyId"] == key
    assert function(graph).inputs["kmsKeyArn"] == key
    assert statements(graph)[key] == {"kms:Decrypt"}


def test_names_begin_with_the_stack_and_log_groups_are_where_they_belong(dev: Graph) -> None:
    assert function(dev).inputs["name"] == "tollgate-dev"
    names = sorted(group.inputs["name"] for group in dev.all("cloudwatch/logGroup:LogGroup"))
    assert names == ["/aws/lambda/tollgate-dev", "/aws/vendedlogs/tollgate-dev-access"]
    assert all(resource.name.startswith("tollgate-dev") for resource in dev.resources)


def test_the_function_knows_its_tables_and_secret_and_no_key(dev: Graph) -> None:
    assert variables(dev) == {
        "TOLLGATE_ENVIRONMENT": "dev",
        "TOLLGATE_LOG_LEVEL": "INFO",
        "TOLLGATE_SESSIONS_TABLE": "tollgate-dev-sessions",
        "TOLLGATE_RATE_LIMITS_TABLE": "tollgate-dev-rate-limits",
        "TOLLGATE_SIGNING_SECRET_ARN": dev.outputs["signing_secret_arn"],
        "TOLLGATE_SIGNING_SECRET_VERSION": "v-1",
    }


@pytest.mark.parametrize(
    ("level", "applied"), [("ERROR", "INFO"), ("INFO", "INFO"), ("DEBUG", "DEBUG")]
)
def test_request_lines_are_never_silenced(level: str, applied: str) -> None:
    logging = function(run("dev", logLevel=level)).inputs["loggingConfig"]
    assert (logging["logFormat"], logging["applicationLogLevel"]) == ("JSON", applied)


@pytest.mark.parametrize(("pin", "version"), [("", "7"), ("3", "3")])
def test_the_alias_stands_on_the_newest_version_or_the_pinned_one(pin: str, version: str) -> None:
    alias = run("dev", pinVersion=pin).one("lambda/alias:Alias")
    assert (alias.inputs["name"], alias.inputs["functionVersion"]) == ("live", version)


def test_concurrency_and_snap_start_are_settings() -> None:
    graph = run("dev", reservedConcurrency="50", provisionedConcurrency="2")
    assert function(graph).inputs["reservedConcurrentExecutions"] == 50
    provisioned = graph.one("lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig")
    assert provisioned.inputs["provisionedConcurrentExecutions"] == 2
    snap = function(run("dev", snapStart="true")).inputs
    assert (snap["snapStart"], snap["publish"]) == ({"applyOn": "PublishedVersions"}, True)


def test_the_stage_has_both_throttles(dev: Graph) -> None:
    stage = dev.one("apigatewayv2/stage:Stage").inputs
    throttles = stage["defaultRouteSettings"]
    assert (stage["name"], stage["autoDeploy"]) == ("$default", True)
    assert (throttles["throttlingRateLimit"], throttles["throttlingBurstLimit"]) == (50, 100)


def test_only_this_api_may_call_the_alias(dev: Graph) -> None:
    permission = dev.one("lambda/permission:Permission").inputs
    assert permission["sourceArn"] == "arn:aws:execute-api:r:1:api/*/*"
    assert (permission["qualifier"], permission["principal"]) == (
        "live",
        "apigateway.amazonaws.com",
    )


def test_cors_always_exposes_the_gateways_own_headers(dev: Graph, prod: Graph) -> None:
    assert "corsConfiguration" not in dev.one("apigatewayv2/api:Api").inputs
    cors = prod.one("apigatewayv2/api:Api").inputs["corsConfiguration"]
    assert {"RateLimit", "Retry-After", "X-Request-Id"} <= set(cors["exposeHeaders"])
    assert "*" not in cors["allowOrigins"]


def test_a_zone_brings_certificate_records_and_address() -> None:
    domain = {"name": "api.example.com", "zoneId": "Z123456789ABC"}
    graph = run("dev", customDomain=domain)
    assert sorted(r.inputs["type"] for r in graph.all("route53/record:Record")) == ["A", "CNAME"]
    assert graph.outputs["api_url"] == "https://api.example.com"
    assert graph.outputs["custom_domain_url"] == "https://api.example.com"


def test_without_a_zone_the_operators_certificate_is_used() -> None:
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-000000000000"
    graph = run("dev", customDomain={"name": "api.example.com", "certificateArn": arn})
    assert graph.all("route53/record:Record") == graph.all("acm/certificate:Certificate") == []
    assert graph.outputs["certificate_arn"] == arn


def test_outputs_of_what_is_off_are_absent(dev: Graph) -> None:
    assert not {"custom_domain_url", "certificate_arn"} & dev.outputs.keys()
    assert dev.outputs["api_url"] == "https://a.example"
    assert dev.outputs["log_group_name"] == "/aws/lambda/tollgate-dev"


def test_a_changed_limit_shows_as_one_changed_field(dev: Graph) -> None:
    limits = [
        {"name": "per-ip", "key": "ip", "limit": 99, "window": 60, "burst": 120},
        {"name": "per-user", "key": "user", "limit": 500, "window": 60, "burst": 600},
    ]
    before, after = dev.outputs["settings"], run("dev", rateLimits=limits).outputs["settings"]
    assert (before["gateway"]["rateLimits"]["per-ip"]["limit"], 99) == (100, 99)
    after["gateway"]["rateLimits"]["per-ip"]["limit"] = 100
    assert after == before


def test_the_budget_of_prod_warns_by_mail(prod: Graph, dev: Graph) -> None:
    budget = prod.one("budgets/budget:Budget").inputs
    assert {n["notificationType"] for n in budget["notifications"]} == {"ACTUAL", "FORECASTED"}
    assert dev.all("budgets/budget:Budget") == []


def test_every_mistake_is_told_before_a_resource_is_registered() -> None:
    with pytest.raises(pulumi.RunError) as raised:
        run("dev", memorySize="64", timeout="30", typo="1")
    message = str(raised.value)
    for place in ("tollgate:memorySize", "tollgate:timeout", "tollgate:typo"):
        assert place in message


def test_a_plain_secret_is_refused_without_being_shown() -> None:
    with pytest.raises(pulumi.RunError) as raised:
        run("dev", clear=("previousSigningKey",), previousSigningKey=KEY[::-1])
    assert "tollgate:previousSigningKey" in str(raised.value)
    assert KEY[::-1] not in str(raised.value)


def test_a_stacks_name_must_leave_room() -> None:
    with pytest.raises(pulumi.RunError, match="the stack's name"):
        run("dev", named="x" * 40, environment="dev")


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
