from pathlib import Path

import pytest

from bootstrap.permissions import permissions
from tests.bootstrap.engine import ACCOUNT
from tests.bootstrap.policies import allows, of_role
from tests.infra.engine import Graph
from tests.infra.test_stack import SHAPES, graph

ROLE = f"arn:aws:iam::{ACCOUNT}:role/tollgate-dev-function-1a2b3c4"
OWN = f"arn:aws:iam::{ACCOUNT}:role/bootstrap/tollgate-deploy"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/bootstrap/tollgate-boundary"
BOUND = {"iam:PermissionsBoundary": BOUNDARY}
ZONE = "arn:aws:route53:::hostedzone/Z123456789ABC"
RECORD_TYPE = "route53:ChangeResourceRecordSetsRecordTypes"


CALLS = Path(__file__).with_name("calls.txt").read_text()


def called(when: str) -> list[tuple[str, str]]:
    """What the provider asked AWS for, as IAM names it: action, resource."""
    section = CALLS.split(f"[{when}]\n")[1].split("\n[")[0]
    pairs = (line.split(" ", 1) for line in section.replace("{account}", ACCOUNT).splitlines())
    return [(action, resource) for action, resource in pairs]


@pytest.mark.parametrize(
    ("role", "when"),
    [("preview", "refresh"), ("deploy", "refresh"), ("deploy", "update and destroy")],
)
def test_the_role_allows_what_the_provider_asks(account: Graph, role: str, when: str) -> None:
    policy, context = of_role(account, f"tollgate-{role}"), {**BOUND, RECORD_TYPE: "A"}
    assert called(when)
    assert [call for call in called(when) if not allows(policy, *call, context)] == []


@pytest.mark.parametrize("shape", SHAPES)
def test_every_type_that_the_stack_registers_has_a_permission(shape: str) -> None:
    known = {f"aws:{kind}" for p in permissions(ACCOUNT) for kind in p.types.split()}
    registered = {r.type for r in graph(shape).resources if r.type.startswith("aws:")}
    assert registered - known == set(), "say in bootstrap/permissions.py what it asks of IAM"


def test_roles_are_made_and_filled_within_the_boundary_only(account: Graph) -> None:
    deploy = of_role(account, "tollgate-deploy")
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        assert allows(deploy, action, ROLE, BOUND)
        assert not allows(deploy, action, ROLE)
        assert not allows(deploy, action, ROLE, {"iam:PermissionsBoundary": BOUNDARY + "-2"})


def test_roles_are_handed_to_lambda_only(account: Graph) -> None:
    deploy = of_role(account, "tollgate-deploy")
    assert allows(deploy, "iam:PassRole", ROLE, {"iam:PassedToService": "lambda.amazonaws.com"})
    assert not allows(deploy, "iam:PassRole", ROLE, {"iam:PassedToService": "ec2.amazonaws.com"})
    assert not allows(deploy, "iam:PassRole", OWN, {"iam:PassedToService": "lambda.amazonaws.com"})


@pytest.mark.parametrize(
    "action",
    [
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:PutRolePolicy",
        "iam:UpdateAssumeRolePolicy",
    ],
)
@pytest.mark.parametrize("role", ["tollgate-deploy", "tollgate-preview"])
def test_no_deployment_changes_the_roles_of_the_bootstrap(
    account: Graph, role: str, action: str
) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/bootstrap/{role}"
    assert not allows(of_role(account, "tollgate-deploy"), action, arn, BOUND)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreatePolicyVersion", BOUNDARY),
        ("iam:SetDefaultPolicyVersion", BOUNDARY),
        ("iam:DeleteRolePermissionsBoundary", ROLE),
        ("iam:AttachRolePolicy", ROLE),
        ("iam:UpdateAssumeRolePolicy", ROLE),
        ("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/tollgate-eve"),
        ("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/tollgate-eve"),
        ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/admin"),
        ("dynamodb:DeleteTable", f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/orders"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:billing"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:r:{ACCOUNT}:secret:billing"),
        ("logs:DeleteLogGroup", f"arn:aws:logs:r:{ACCOUNT}:log-group:/aws/lambda/billing:*"),
        ("kms:ScheduleKeyDeletion", f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/state-key"),
        ("kms:PutKeyPolicy", f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/state-key"),
        ("kms:Decrypt", f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/another"),
        ("cloudtrail:StopLogging", f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT}:trail/account"),
    ],
)
def test_a_deployment_cannot(account: Graph, action: str, resource: str) -> None:
    assert not allows(of_role(account, "tollgate-deploy"), action, resource, BOUND)


@pytest.mark.parametrize(("kind", "may"), [("A", True), ("CNAME", True), ("MX", False)])
def test_dns_is_changed_by_addresses_only(account: Graph, kind: str, may: bool) -> None:
    deploy = of_role(account, "tollgate-deploy")
    change = "route53:ChangeResourceRecordSets"
    assert allows(deploy, change, ZONE, {RECORD_TYPE: kind}) is may


def test_a_key_of_the_stacks_own_is_used_through_the_services_only(account: Graph) -> None:
    deploy = of_role(account, "tollgate-deploy")
    key = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/another"
    via = {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}
    assert allows(deploy, "kms:GenerateDataKey", key, via)
    assert not allows(deploy, "kms:GenerateDataKey", key)


def test_a_preview_changes_nothing(account: Graph) -> None:
    actions = {
        action
        for statement in of_role(account, "tollgate-preview")
        for action in _listed(statement["Action"])
    }
    reading = ("Get", "List", "Describe", "View", "GET", "Decrypt")
    assert [a for a in sorted(actions) if not a.partition(":")[2].startswith(reading)] == []


def _listed(action: str | list[str]) -> list[str]:
    return [action] if isinstance(action, str) else action
