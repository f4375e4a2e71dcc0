"""A role of GitHub Actions, and the policies that say what its jobs may do."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from bootstrap.boundary import PATH
from bootstrap.statements import Statement, document


def role(
    name: str,
    description: str,
    trust: pulumi.Input[str],
    may: Mapping[str, Sequence[Statement]],
) -> aws.iam.Role:
    """`may` holds the statements by the name of the policy that they stand in."""
    made = aws.iam.Role(
        name, name=name, path=PATH, description=description, assume_role_policy=trust
    )
    for purpose, statements in may.items():
        aws.iam.RolePolicy(
            f"{name}-{purpose}",
            name=purpose,
            role=made.id,
            policy=document(statements),
            opts=pulumi.ResourceOptions(parent=made),
        )
    return made
