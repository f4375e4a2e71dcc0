from functools import cache
from typing import Any

import pulumi
import pytest

from infra.archive import Package
from infra.target import Unbuildable
from tests.infra.engine import KEY, PACKAGE, Graph, run

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-4000-8000-000000000000"
KMS_KEY = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"

DOMAIN = {"name": "api.example.com", "zoneId": "Z123456789ABC"}

SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "dev": ("dev", {}),
    "prod": ("prod", {}),
    "inside a VPC": (
        "dev",
        {
            "vpc": {"subnetIds": ["subnet-12345678"], "securityGroupIds": ["sg-12345678"]},
            "kmsKeyArn": KMS_KEY,
            "tracing": "true",
            "provisionedConcurrency": "2",
            "customDomain": DOMAIN,
        },
    ),
    "at the edge": ("prod", {"edge": "true", "customDomain": DOMAIN}),
    "with a certificate": (
        "prod",
        {
            "customDomain": {"name": "api.example.com", "certificateArn": CERTIFICATE},
            "disableDefaultEndpoint": "true",
            "snapStart": "true",
        },
    ),
}


@cache
def graph(shape: str, preview: bool = False) -> Graph:
    stack, config = SHAPES[shape]
    return run(stack, preview=preview, **config)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_preview_shows_what_an_update_makes(shape: str) -> None:
    preview, update = graph(shape, preview=True), graph(shape)
    assert by_urn(preview).keys() == by_urn(update).keys()
    assert preview.outputs["settings"] == update.outputs["settings"]


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_signing_key_is_one_secret_input_and_in_no_output(shape: str, preview: bool) -> None:
    shown = graph(shape, preview)
    [holding] = [resource for resource in shown.resources if KEY in str(resource.inputs)]
    assert holding.type == "aws:secretsmanager/secretVersion:SecretVersion"
    assert pulumi.runtime.rpc.is_rpc_secret(holding.inputs["secretString"])
    assert KEY not in str(shown.outputs)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_name_begins_with_the_stacks(shape: str) -> None:
    stack, _ = SHAPES[shape]
    assert all(r.name.startswith(f"tollgate-{stack}") for r in graph(shape).resources)


def test_log_groups_are_where_they_belong(dev: Graph) -> None:
    assert dev.one("lambda/function:Function").inputs["name"] == "tollgate-dev"
    names = sorted(group.inputs["name"] for group in dev.all("cloudwatch/logGroup:LogGroup"))
    assert names == ["/aws/lambda/tollgate-dev", "/aws/vendedlogs/tollgate-dev-access"]


def test_a_changed_route_changes_the_package_and_nothing_else(dev: Graph) -> None:
    packed: list[Any] = []

    def build(settings: Any, *_: object) -> Package:
        packed.append(settings)
        return PACKAGE

    route = {"id": "status", "path": "/status", "upstream": "status", "auth": "none"}
    changed = run("dev", build=build, routes=[route])
    assert by_urn(changed) == by_urn(dev)
    assert [route.path for route in packed[0].routes] == ["/status"]


def by_urn(graph: Graph) -> dict[str, Any]:
    """An archive is equal to nothing but itself: its path stands for it."""
    return {
        resource.urn: {k: getattr(v, "path", v) for k, v in resource.inputs.items()}
        for resource in graph.resources
    }


def test_what_cannot_be_built_is_one_line_and_changes_nothing() -> None:
    def build(*_: object) -> Package:
        raise Unbuildable("no network; try again")

    with pytest.raises(pulumi.RunError, match=r"^no network; try again$"):
        run("dev", build=build)
