import pytest

from tests.infra.engine import Graph, run

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-000000000000"
NAME, ZONE = {"name": "api.example.com"}, {"zoneId": "Z123456789ABC"}
OWN = {"certificateArn": CERTIFICATE}


@pytest.fixture(scope="module")
def zoned() -> Graph:
    return run("dev", customDomain=NAME | ZONE)


@pytest.fixture(scope="module")
def unzoned() -> Graph:
    return run("dev", customDomain=NAME | OWN, disableDefaultEndpoint=True)


def test_a_zone_brings_certificate_records_and_address(zoned: Graph) -> None:
    assert sorted(r.inputs["type"] for r in zoned.all("route53/record:Record")) == ["A", "CNAME"]
    assert zoned.outputs["api_url"] == "https://api.example.com"
    assert zoned.outputs["custom_domain_url"] == "https://api.example.com"


def test_the_certificate_is_in_the_stacks_region_and_proven_by_dns(zoned: Graph) -> None:
    certificate = zoned.one("acm/certificate:Certificate").inputs
    assert (certificate["domainName"], certificate["validationMethod"]) == (
        "api.example.com",
        "DNS",
    )
    assert "region" not in certificate
    proof = zoned.one("route53/record:Record", "certificate").inputs
    assert (proof["name"], proof["records"], proof["zoneId"]) == (
        "proof",
        ["proof"],
        ZONE["zoneId"],
    )


def test_the_name_waits_for_the_proven_certificate(zoned: Graph) -> None:
    validation = zoned.one("acm/certificateValidation:CertificateValidation").inputs
    name = zoned.one("apigatewayv2/domainName:DomainName").inputs["domainNameConfiguration"]
    assert name["certificateArn"] == validation["certificateArn"]
    assert (name["endpointType"], name["securityPolicy"]) == ("REGIONAL", "TLS_1_2")


def test_the_name_leads_to_the_api(zoned: Graph) -> None:
    mapping = zoned.one("apigatewayv2/apiMapping:ApiMapping").inputs
    assert (mapping["apiId"], mapping["stage"]) == (zoned.outputs["api_id"], "$default")
    [alias] = zoned.one("route53/record:Record", "domain").inputs["aliases"]
    assert alias["name"] == zoned.outputs["custom_domain_target"] == "t.execute-api.example"
    assert alias["zoneId"] == "Z2OJLYMUO9EFXC"


def test_without_a_zone_the_operators_certificate_is_used(unzoned: Graph) -> None:
    assert unzoned.all("route53/record:Record") == unzoned.all("acm/certificate:Certificate") == []
    assert unzoned.outputs["certificate_arn"] == CERTIFICATE
    assert unzoned.outputs["custom_domain_target"] == "t.execute-api.example"


def test_a_certificate_of_ones_own_in_a_zone_leaves_the_address_to_the_stack() -> None:
    graph = run("dev", customDomain=NAME | ZONE | OWN)
    assert graph.all("acm/certificate:Certificate") == []
    assert graph.one("route53/record:Record").inputs["type"] == "A"
    assert graph.outputs["certificate_arn"] == CERTIFICATE


def test_the_default_endpoint_stays_on_until_it_is_switched_off(
    zoned: Graph, unzoned: Graph
) -> None:
    switches = [g.one("apigatewayv2/api:Api").inputs for g in (zoned, unzoned)]
    assert [switch["disableExecuteApiEndpoint"] for switch in switches] == [False, True]


def test_there_is_no_name_unless_one_is_set(dev: Graph) -> None:
    assert dev.all("apigatewayv2/domainName:DomainName") == []
    assert not {"custom_domain_url", "custom_domain_target", "certificate_arn"} & dev.outputs.keys()
