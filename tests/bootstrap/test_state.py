import json
from typing import Any

import pytest
import yaml

from tests.bootstrap.engine import ACCOUNT
from tests.bootstrap.policies import allows, of_role
from tests.infra.engine import Graph, opened
from webapp.settings.files import ROOT

GATEWAY = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["name"]
STATE = f"arn:aws:s3:::tollgate-state/.pulumi/stacks/{GATEWAY}/prod.json"
LOCK = f"arn:aws:s3:::tollgate-state/.pulumi/locks/organization/{GATEWAY}/prod/1f3a.json"
OWN = "arn:aws:s3:::tollgate-state/.pulumi/stacks/tollgate-bootstrap/shared.json"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/state-key"


def only_rule(graph: Graph, kind: str) -> Any:
    [rule] = graph.one(kind).inputs["rules"]
    return rule


def test_old_states_are_kept_for_a_while(account: Graph) -> None:
    versioning = account.one("s3/bucketVersioning:BucketVersioning")
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    rule = only_rule(account, "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
    assert rule["status"] == "Enabled"
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 90}
    assert rule["expiration"] == {"expiredObjectDeleteMarker": True}


def test_the_bucket_encrypts_with_the_key_which_rotates(account: Graph) -> None:
    kind = "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    by_default = only_rule(account, kind)["applyServerSideEncryptionByDefault"]
    assert by_default == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}
    assert account.one("kms/key:Key").inputs["enableKeyRotation"] is True


def test_nobody_reaches_the_bucket_in_public_or_in_clear(account: Graph) -> None:
    block = account.one("s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs
    switches = {value for name, value in block.items() if name != "bucket"}
    assert (len(block), switches) == (5, {True})
    policy = account.one("s3/bucketPolicy:BucketPolicy").inputs["policy"]
    [statement] = json.loads(opened(policy))["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_bucket_and_key_are_protected(account: Graph) -> None:
    protected = {resource.type for resource in account.resources if resource.protect}
    assert protected == {"aws:kms/key:Key", "aws:s3/bucket:Bucket"}


def test_outputs_are_what_pulumi_takes(account: Graph) -> None:
    assert account.outputs == {
        "state_bucket": "tollgate-state",
        "backend_url": "s3://tollgate-state?region=eu-central-1",
        "secrets_provider": "awskms://alias/tollgate-state?region=eu-central-1",
        "preview_role_arn": f"arn:aws:iam::{ACCOUNT}:role/bootstrap/tollgate-preview",
        "deploy_role_arn": f"arn:aws:iam::{ACCOUNT}:role/bootstrap/tollgate-deploy",
        "permissions_boundary_arn": f"arn:aws:iam::{ACCOUNT}:policy/bootstrap/tollgate-boundary",
    }


@pytest.mark.parametrize("role", ["tollgate-preview", "tollgate-deploy"])
def test_both_roles_read_the_gateways_state_and_open_its_secrets(account: Graph, role: str) -> None:
    policy = of_role(account, role)
    assert allows(policy, "s3:ListBucket", "arn:aws:s3:::tollgate-state")
    assert allows(policy, "s3:GetObject", "arn:aws:s3:::tollgate-state/.pulumi/meta.yaml")
    assert allows(policy, "s3:GetObject", STATE)
    assert allows(policy, "kms:Decrypt", KEY)


def test_only_deploying_locks_and_writes_the_state(account: Graph) -> None:
    preview, deploy = of_role(account, "tollgate-preview"), of_role(account, "tollgate-deploy")
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert allows(deploy, action, STATE)
        assert allows(deploy, action, LOCK)
        assert not allows(preview, action, STATE)
        assert not allows(preview, action, LOCK)
    assert allows(deploy, "kms:GenerateDataKey", KEY)
    assert not allows(preview, "kms:GenerateDataKey", KEY)


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
def test_nobody_deploying_reaches_the_state_of_the_roles_themselves(
    account: Graph, action: str
) -> None:
    assert not allows(of_role(account, "tollgate-deploy"), action, OWN)


@pytest.mark.parametrize(
    "action", ["s3:DeleteBucket", "s3:PutBucketPolicy", "s3:DeleteObjectVersion"]
)
def test_nobody_deploying_changes_the_bucket_or_its_past(account: Graph, action: str) -> None:
    policy = of_role(account, "tollgate-deploy")
    assert not allows(policy, action, "arn:aws:s3:::tollgate-state")
    assert not allows(policy, action, STATE)
