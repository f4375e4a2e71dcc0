from tests.infra.engine import run


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
