"""Whom the account believes in GitHub Actions: jobs of one repository, by their subject."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from bootstrap.statements import document

_ISSUER = "token.actions.githubusercontent.com"
_AUDIENCE = "sts.amazonaws.com"


def provider_arn(existing: str) -> pulumi.Output[str]:
    """Of the account's provider for GitHub's tokens; it is made where there is none yet."""
    if existing:
        return pulumi.Output.from_input(existing)
    made = aws.iam.OpenIdConnectProvider(
        "github", url=f"https://{_ISSUER}", client_id_lists=[_AUDIENCE]
    )
    return made.arn


def trust(provider: pulumi.Input[str], subjects: Sequence[str]) -> pulumi.Output[str]:
    """The assume-role policy of a role that jobs with one of these subjects may take.

    Subjects are compared as a whole: a pattern would let in repositories with a longer name.
    """
    return document(
        [
            {
                "Effect": "Allow",
                "Principal": {"Federated": provider},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {f"{_ISSUER}:aud": _AUDIENCE, f"{_ISSUER}:sub": subjects}
                },
            }
        ]
    )
