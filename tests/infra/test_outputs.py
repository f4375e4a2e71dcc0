from tests.infra.engine import Graph, run


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
