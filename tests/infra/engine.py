"""The Pulumi program under a recording engine: a stack's configuration in, its resources out."""

import asyncio
import json
import runpy
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pulumi
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime import Mocks, mocks, set_all_config
from pulumi.runtime.settings import configure

from infra.archive import Package
from webapp.settings.files import ROOT, stack_values

SECRETS = ("signingKey", "previousSigningKey", "upstreamSecrets")

PACKAGE = Package(Path("t.zip"), size=1, files=1, digest="d")

KEY = "canary-2f9c1e7ab04d5836-of-a-signing-key-Qz"


class Resource(NamedTuple):
    """One resource as it was registered; secrets in `inputs` are {"value": …, "secret": True}."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool
    urn: str


class Graph:
    def __init__(self, resources: list[Resource], outputs: dict[str, Any]) -> None:
        self.resources = resources
        self.outputs = outputs

    def all(self, kind: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == f"aws:{kind}"]

    def one(self, kind: str, name: str = "") -> Resource:
        [found] = [r for r in self.all(kind) if name in r.name]
        return found


def opened(value: Any) -> Any:
    """An input with its secret opened."""
    return value["value"] if pulumi.runtime.rpc.is_rpc_secret(value) else value


def allowed(graph: Graph) -> dict[str, set[str]]:
    """The actions that the function's role allows, by resource."""
    policy = json.loads(opened(graph.one("iam/rolePolicy:RolePolicy").inputs["policy"]))
    assert all(statement["Effect"] == "Allow" for statement in policy["Statement"])
    return {statement["Resource"]: set(statement["Action"]) for statement in policy["Statement"]}


class Answers(Mocks):
    """What AWS would make of a resource."""

    def new_resource(self, args: Any) -> tuple[str, dict[str, Any]]:
        made = {"arn": f"arn:aws:{args.typ}:{args.name}", "name": args.name, **args.inputs}
        made |= {"executionArn": "arn:aws:execute-api:r:1:api", "apiEndpoint": "https://a.example"}
        made |= {"invokeArn": "arn:aws:invoke", "version": "7", "versionId": "v-1"}
        made |= {"domainName": "d.cloudfront.example", "hostedZoneId": "Z2FDTNDATAQYW2"}
        if args.typ == "aws:acm/certificate:Certificate":
            proof = dict.fromkeys(("resourceRecordName", "resourceRecordValue"), "proof")
            made["domainValidationOptions"] = [proof | {"resourceRecordType": "CNAME"}]
        if args.typ == "aws:apigatewayv2/domainName:DomainName":
            target = {"targetDomainName": "t.execute-api.example", "hostedZoneId": "Z2OJLYMUO9EFXC"}
            made["domainNameConfiguration"] |= target
        return f"{args.name}-id", made

    def call(self, args: Any) -> dict[str, Any]:
        assert args.token == "aws:index/getRegion:getRegion", args.token
        return {"region": "eu-central-1", "id": "eu-central-1"}


class Unanswered(Answers):
    """A preview: of what AWS has yet to make only the inputs are known."""

    def new_resource(self, args: Any) -> tuple[str, dict[str, Any]]:
        return "", dict(args.inputs)


class Monitor(mocks.MockMonitor):
    """Also sees what mocks are not shown, such as `protect`."""

    def __init__(self, answers: Mocks) -> None:
        super().__init__(answers)
        self.registered: list[Resource] = []
        self.exported: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (the engine's name for it)
        response = super().RegisterResource(request)
        inputs = pulumi.runtime.rpc.deserialize_properties(request.object, keep_unknowns=True)
        self.registered.append(
            Resource(request.type, request.name, inputs, request.protect, response.urn)
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if request.urn.endswith(f"pulumi:pulumi:Stack::tollgate-{pulumi.get_stack()}"):
            self.exported = pulumi.runtime.rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)


def run(
    stack: str,
    *,
    preview: bool = False,
    clear: Collection[str] = (),
    named: str = "",
    answers: Mocks | None = None,
    build: Callable[..., Package] = lambda *_: PACKAGE,
    **config: Any,
) -> Graph:
    """The resources that the program registers for a shipped stack with `config` on top.

    `clear` names secrets that are not encrypted, `named` gives the stack another name, `answers`
    stands in for AWS, `build` for the packager.
    """
    values = {**stack_values(stack), "signingKey": KEY, **config}
    monitor = Monitor(answers or (Unanswered() if preview else Answers()))
    texts = {f"tollgate:{key}": passed(value) for key, value in values.items()}
    sealed = [f"tollgate:{key}" for key in SECRETS if key in values and key not in clear]
    with (
        mock.patch("infra.package.build", build),
        loops_closed(),
    ):
        set_all_config(texts, sealed)
        configure(engine_settings("tollgate", named or stack, monitor, preview))
        run_program(ROOT / "__main__.py")
    return Graph(monitor.registered, monitor.exported)


def run_program(program: Path) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(
            pulumi.runtime.run_in_stack(lambda: runpy.run_path(str(program), run_name="__main__"))
        )
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@contextmanager
def loops_closed() -> Iterator[None]:
    """The mocks make an event loop in each of their threads and leave it open."""
    made: list[asyncio.AbstractEventLoop] = []

    def ensure() -> asyncio.AbstractEventLoop:
        made.append(asyncio.new_event_loop())
        asyncio.set_event_loop(made[-1])
        return made[-1]

    with mock.patch("pulumi.runtime.mocks._ensure_event_loop", ensure):
        yield
    for loop in made:
        loop.close()


def engine_settings(
    project: str, stack: str, monitor: Monitor, preview: bool
) -> mocks.MockSettings:
    """As `set_mocks` makes them, less its stack resource: `run_in_stack` makes the real one."""
    return mocks.MockSettings(
        monitor=monitor,
        monitor_features=set(monitor.GetDeploymentInfo(Empty()).supportedFeatures),
        engine=mocks.MockEngine(None),
        project=project,
        stack=stack,
        dry_run=preview,
        organization="organization",
        callbacks=None,
    )


def passed(value: Any) -> str:
    """Scalars and objects as the engine hands them over."""
    return value if isinstance(value, str) else json.dumps(value)
