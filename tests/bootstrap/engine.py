"""The bootstrap program under the recording engine of the stack's tests."""

import sys
import warnings
from typing import Any
from unittest import mock

import pulumi
from pulumi.runtime import set_all_config
from pulumi.runtime.settings import configure

from tests.infra import engine
from tests.infra.engine import Graph
from webapp.settings.files import ROOT

with warnings.catch_warnings(action="ignore"):
    # pulumi-aws says of its own modules that they moved, when they are first imported.
    from pulumi_aws.s3 import Bucket  # noqa: F401

ACCOUNT = "123456789012"
PROJECT = "tollgate-bootstrap"


class Answers(engine.Answers):
    """What AWS would make of a resource: ARNs as they really are."""

    def new_resource(self, args: Any) -> tuple[str, dict[str, Any]]:
        identity, made = super().new_resource(args)
        path = made.get("path", "/")
        arns = {
            "aws:iam/role:Role": f"arn:aws:iam::{ACCOUNT}:role{path}{args.name}",
            "aws:iam/policy:Policy": f"arn:aws:iam::{ACCOUNT}:policy{path}{args.name}",
            "aws:kms/key:Key": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/state-key",
            "aws:s3/bucket:Bucket": f"arn:aws:s3:::{args.name}",
        }
        return identity, made | {"arn": arns.get(args.typ, made["arn"]), "bucket": args.name}

    def call(self, args: Any) -> dict[str, Any]:
        if args.token == "aws:index/getCallerIdentity:getCallerIdentity":
            return {"accountId": ACCOUNT, "arn": "arn", "id": ACCOUNT, "userId": "id"}
        return super().call(args)


class Monitor(engine.Monitor):
    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 (the engine's name for it)
        if "pulumi:pulumi:Stack::" in request.urn:
            self.exported = pulumi.runtime.rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)


def run(**config: Any) -> Graph:
    """The resources of an account for this configuration."""
    values = {"repository": "acme/gateway", "environments": ["dev", "prod"], **config}
    texts = {f"{PROJECT}:{key}": engine.passed(value) for key, value in values.items()}
    monitor = Monitor(Answers())
    settings = engine.engine_settings(PROJECT, "shared", monitor, preview=False)
    with engine.loops_closed(), mock.patch.object(sys, "path", [*sys.path]):
        set_all_config(texts)
        configure(settings)
        engine.run_program(ROOT / "bootstrap" / "__main__.py")
    return Graph(monitor.registered, monitor.exported)
