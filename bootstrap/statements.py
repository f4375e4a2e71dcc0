"""Statements of IAM policies, as the documents have them."""

from collections.abc import Iterable, Mapping, Sequence

import pulumi

Statement = Mapping[str, object]
Condition = Mapping[str, Mapping[str, object]]


def allow(
    actions: Sequence[str],
    resources: Sequence[pulumi.Input[str]],
    condition: Condition | None = None,
) -> Statement:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


def document(statements: Iterable[Statement]) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})
