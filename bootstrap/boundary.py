"""The permissions boundary: what a role that the deploy role makes can do at most."""

import pulumi_aws as aws

from bootstrap.state import State
from bootstrap.statements import Statement, allow, document

_NAME = "tollgate-boundary"

# The deploy role may change `tollgate-*` roles; a path keeps what binds it out of that.
PATH = "/bootstrap/"


def arn(account: str) -> str:
    return f"arn:aws:iam::{account}:policy{PATH}{_NAME}"


def boundary(account: str, state: State) -> aws.iam.Policy:
    """Wider than the function's role is today, so that a new query needs no new boundary."""
    return aws.iam.Policy(
        _NAME,
        name=_NAME,
        path=PATH,
        description="What the functions of Tollgate's stacks can do at most",
        policy=document([*_stores(account), *_everywhere(), _foreign_keys(state)]),
    )


def _stores(account: str) -> list[Statement]:
    return [
        allow(
            [
                "dynamodb:BatchGetItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:ConditionCheckItem",
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:Scan",
                "dynamodb:UpdateItem",
            ],
            [f"arn:aws:dynamodb:*:{account}:table/tollgate-*"],
        ),
        allow(
            ["secretsmanager:GetSecretValue"],
            [f"arn:aws:secretsmanager:*:{account}:secret:tollgate-*"],
        ),
        allow(
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            [f"arn:aws:logs:*:{account}:log-group:/aws/lambda/tollgate-*"],
        ),
    ]


def _everywhere() -> list[Statement]:
    """X-Ray knows no resources, and EC2 describes no single interface."""
    return [
        allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], ["*"]),
        allow(
            [
                "ec2:AssignPrivateIpAddresses",
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:UnassignPrivateIpAddresses",
            ],
            ["*"],
        ),
    ]


def _foreign_keys(state: State) -> Statement:
    """A stack's own key may be any but the one that opens all stacks' secrets."""
    return {"Effect": "Allow", "Action": "kms:Decrypt", "NotResource": state.key.arn}
