"""Statements of IAM policies, and the permissions that they are made from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pulumi

Statement = Mapping[str, object]
Condition = Mapping[str, Mapping[str, object]]


class Permission(NamedTuple):
    """Actions of one service on `resources`, apart into those of a preview and of an update.

    `types` are the Pulumi resources that ask for them.
    """

    types: str
    service: str
    resources: Sequence[str]
    reads: str = ""
    writes: str = ""
    condition: Condition | None = None


def reading(permissions: Iterable[Permission]) -> list[Statement]:
    """What `pulumi preview --refresh` asks; the values of secrets are among it."""
    return [_statement(p, p.reads) for p in permissions if p.reads]


def changing(permissions: Iterable[Permission]) -> list[Statement]:
    """What `pulumi up` and `pulumi destroy` ask, reading included."""
    return [_statement(p, f"{p.reads} {p.writes}") for p in permissions]


def allow(
    actions: Sequence[str],
    resources: Sequence[pulumi.Input[str]],
    condition: Condition | None = None,
) -> Statement:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


def document(statements: Iterable[Statement]) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _statement(permission: Permission, actions: str) -> Statement:
    named = [f"{permission.service}:{action}" for action in actions.split()]
    return allow(named, permission.resources, permission.condition)
