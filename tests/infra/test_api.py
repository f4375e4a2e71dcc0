from tests.infra.engine import Graph


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
