import hashlib
import hmac
from typing import Any

import pytest

from tests.infra.engine import KEY, Graph, Resource, run

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-000000000000"
PREVIOUS = "previous-canary-7f1e9d3c5b2a48-Wv"
ZONED = {"name": "api.example.com", "zoneId": "Z123456789ABC"}


@pytest.fixture(scope="module")
def edge() -> Graph:
    return run("dev", edge="true")


@pytest.fixture(scope="module")
def domain() -> Graph:
    return run("dev", edge="true", customDomain=ZONED, previousSigningKey=PREVIOUS)


def distribution(graph: Graph) -> Resource:
    return graph.one("cloudfront/distribution:Distribution")


def origin(graph: Graph) -> Any:
    """All of it is secret: the engine knows no smaller part of an input."""
    [only] = distribution(graph).inputs["origins"]["value"]
    return only


def proof(key: str) -> str:
    return hmac.new(key.encode(), b"tollgate-edge-proof", hashlib.sha256).hexdigest()


def rules(graph: Graph) -> dict[str, Any]:
    return {rule["name"]: rule for rule in graph.one("wafv2/webAcl:WebAcl").inputs["rules"]}


def test_the_api_is_reached_by_its_default_endpoint_over_tls(edge: Graph) -> None:
    assert origin(edge)["domainName"] == "a.example"
    assert origin(edge)["customOriginConfig"]["originProtocolPolicy"] == "https-only"
    assert origin(edge)["customOriginConfig"]["originReadTimeout"] > 30
    assert edge.one("apigatewayv2/api:Api").inputs["disableExecuteApiEndpoint"] is False


def test_the_proof_is_derived_from_the_key_and_secret(edge: Graph) -> None:
    [header] = origin(edge)["customHeaders"]
    derived = proof(KEY)
    assert header["name"] == "tollgate-edge-proof"
    assert header["value"] == derived
    assert derived not in str(edge.outputs)
    assert KEY not in str(distribution(edge).inputs)


def test_the_viewer_is_handed_over_before_anything_else(edge: Graph) -> None:
    code = edge.one("cloudfront/function:Function").inputs["code"]
    assert 'headers["tollgate-edge-address"] = {value: event.viewer.ip}' in code
    assert 'headers["tollgate-edge-host"] = {value: headers.host.value}' in code
    [association] = distribution(edge).inputs["defaultCacheBehavior"]["functionAssociations"]
    assert association["eventType"] == "viewer-request"


def test_nothing_is_cached_and_every_method_passes(edge: Graph) -> None:
    behavior = distribution(edge).inputs["defaultCacheBehavior"]
    assert behavior["cachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} < set(behavior["allowedMethods"])
    assert behavior["viewerProtocolPolicy"] == "https-only"


def test_large_bodies_are_only_counted(edge: Graph) -> None:
    common = rules(edge)["AWSManagedRulesCommonRuleSet"]
    [override] = common["statement"]["managedRuleGroupStatement"]["ruleActionOverrides"]
    assert override == {"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}


def test_floods_of_one_address_are_blocked(edge: Graph) -> None:
    flood = rules(edge)["flood"]
    assert flood["action"] == {"block": {}}
    assert flood["statement"]["rateBasedStatement"]["aggregateKeyType"] == "IP"


def test_the_firewall_is_where_cloudfront_looks_for_it(edge: Graph) -> None:
    acl = edge.one("wafv2/webAcl:WebAcl")
    assert (acl.inputs["region"], acl.inputs["scope"]) == ("us-east-1", "CLOUDFRONT")
    assert distribution(edge).inputs["webAclId"] == "arn:aws:aws:wafv2/webAcl:WebAcl:tollgate-dev"


def test_the_managed_rules_block_and_stand_behind_the_flood_rule(edge: Graph) -> None:
    flood, *managed = sorted(rules(edge).values(), key=lambda rule: rule["priority"])
    assert flood["name"] == "flood"
    assert {rule["name"] for rule in managed} == {
        "AWSManagedRulesAmazonIpReputationList",
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
    }
    assert all(rule["overrideAction"] == {"none": {}} for rule in managed)


def test_every_rule_is_seen_under_the_name_that_the_docs_ask_for(edge: Graph) -> None:
    for name, rule in rules(edge).items():
        assert rule["visibilityConfig"]["metricName"] == f"tollgate-dev-{name}"
        assert rule["visibilityConfig"]["sampledRequestsEnabled"] is True


def test_the_proof_is_of_the_key_that_signs_while_one_is_rotated(domain: Graph) -> None:
    [header] = origin(domain)["customHeaders"]
    assert header["value"] == proof(KEY)


def test_without_a_domain_the_distributions_own_name_is_the_address(edge: Graph) -> None:
    assert edge.outputs["api_url"] == "https://d.cloudfront.example"
    assert "custom_domain_url" not in edge.outputs
    assert distribution(edge).inputs["viewerCertificate"] == {"cloudfrontDefaultCertificate": True}


def test_a_domain_is_the_distributions(domain: Graph) -> None:
    assert distribution(domain).inputs["aliases"] == ["api.example.com"]
    assert domain.one("acm/certificate:Certificate").inputs["region"] == "us-east-1"
    records = {r.inputs["type"] for r in domain.all("route53/record:Record")}
    assert records == {"A", "AAAA", "CNAME"}
    assert domain.all("apigatewayv2/domainName:DomainName") == []
    assert domain.outputs["api_url"] == "https://api.example.com"
    assert domain.outputs["custom_domain_target"] == "d.cloudfront.example"


def test_without_a_zone_the_operators_certificate_is_used() -> None:
    own = {"name": "api.example.com", "certificateArn": CERTIFICATE}
    graph = run("dev", edge="true", customDomain=own)
    viewer = distribution(graph).inputs["viewerCertificate"]
    assert viewer["acmCertificateArn"] == CERTIFICATE
    assert viewer["minimumProtocolVersion"] == "TLSv1.2_2021"
    assert graph.all("route53/record:Record") == graph.all("acm/certificate:Certificate") == []


def test_a_certificate_of_ones_own_in_a_zone_leaves_the_addresses_to_the_stack() -> None:
    graph = run("dev", edge="true", customDomain=ZONED | {"certificateArn": CERTIFICATE})
    assert graph.all("acm/certificate:Certificate") == []
    assert {r.inputs["type"] for r in graph.all("route53/record:Record")} == {"A", "AAAA"}


@pytest.mark.parametrize("option", [{}, {"customDomain": ZONED}])
def test_a_preview_gets_by_without_knowing_what_aws_will_answer(option: dict[str, Any]) -> None:
    assert distribution(run("dev", preview=True, edge="true", **option))
