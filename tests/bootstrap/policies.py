"""IAM's answer to a request, as far as the bootstrap's documents need it."""

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from tests.infra.engine import Graph, opened

Statements = list[dict[str, Any]]


def statements(document: Any) -> Statements:
    found: Statements = json.loads(opened(document))["Statement"]
    assert all(statement["Effect"] == "Allow" for statement in found)
    return found


def of_role(graph: Graph, role: str) -> Statements:
    policies = [p for p in graph.all("iam/rolePolicy:RolePolicy") if p.name.startswith(role)]
    return [s for policy in policies for s in statements(policy.inputs["policy"])]


def of_boundary(graph: Graph) -> Statements:
    return statements(graph.one("iam/policy:Policy").inputs["policy"])


def allows(
    policy: Statements, action: str, resource: str = "*", context: Mapping[str, str] | None = None
) -> bool:
    """Whether a statement allows `action` on `resource` where the request carries `context`."""
    return any(
        _any(action, statement["Action"])
        and _covers(statement, resource)
        and _holds(statement.get("Condition", {}), context or {})
        for statement in policy
    )


def _covers(statement: dict[str, Any], resource: str) -> bool:
    if "NotResource" in statement:
        return not _any(resource, statement["NotResource"])
    return _any(resource, statement["Resource"])


def _holds(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    """A key that the request does not carry fails its test."""
    assert condition.keys() <= {"StringEquals", "StringLike", "ForAllValues:StringEquals"}
    return all(
        key in context and _any(context[key], wanted)
        for tests in condition.values()
        for key, wanted in tests.items()
    )


def _any(value: str, patterns: str | Iterable[str]) -> bool:
    listed = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatchcase(value, pattern) for pattern in listed)
