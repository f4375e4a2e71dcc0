import pytest

from tests.bootstrap.engine import ACCOUNT
from tests.bootstrap.policies import allows, of_boundary, statements
from tests.infra.engine import Graph, opened
from tests.infra.test_stack import SHAPES, graph

STATE_KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/state-key"


def arn(resource: str) -> str:
    """The real form of an ARN of the stack's mock engine."""
    for kind, real in {
        "arn:aws:aws:dynamodb/table:Table:": "dynamodb:eu-central-1:{}:table/",
        "arn:aws:aws:secretsmanager/secret:Secret:": "secretsmanager:eu-central-1:{}:secret:",
        "arn:aws:aws:cloudwatch/logGroup:LogGroup:": "logs:eu-central-1:{}:log-group:/aws/lambda/",
    }.items():
        if resource.startswith(kind):
            return f"arn:aws:{real.format(ACCOUNT)}{resource.removeprefix(kind)}"
    return resource


@pytest.mark.parametrize("shape", SHAPES)
def test_the_function_keeps_all_that_its_role_allows(account: Graph, shape: str) -> None:
    boundary = of_boundary(account)
    role = statements(graph(shape).one("iam/rolePolicy:RolePolicy").inputs["policy"])
    asked = [(action, arn(s["Resource"])) for s in role for action in s["Action"]]
    assert [request for request in asked if not allows(boundary, *request)] == []


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:GetItem", f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/orders"),
        ("dynamodb:DeleteTable", f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/tollgate-dev"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:r:{ACCOUNT}:secret:billing"),
        ("kms:Decrypt", STATE_KEY),
        ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/bootstrap/tollgate-deploy"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/tollgate-dev"),
        ("s3:GetObject", "arn:aws:s3:::tollgate-state/.pulumi/stacks/tollgate/prod.json"),
        ("lambda:InvokeFunction", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:other"),
    ],
)
def test_no_role_within_it_does_more_than_a_gateway(
    account: Graph, action: str, resource: str
) -> None:
    assert not allows(of_boundary(account), action, resource)


def test_it_fits_in_what_iam_takes(account: Graph) -> None:
    policy = opened(account.one("iam/policy:Policy").inputs["policy"])
    assert len("".join(policy.split())) < 6_144
