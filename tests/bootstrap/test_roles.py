import json
from typing import Any

import pytest

from tests.bootstrap.engine import ACCOUNT, run
from tests.infra.engine import Graph, opened

EXISTING = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
ISSUER = "token.actions.githubusercontent.com"


def trusted(graph: Graph, role: str) -> Any:
    [statement] = json.loads(opened(graph.one("iam/role:Role", role).inputs["assumeRolePolicy"]))[
        "Statement"
    ]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    [(operator, condition)] = statement["Condition"].items()
    assert operator == "StringEquals"
    assert condition.pop(f"{ISSUER}:aud") == "sts.amazonaws.com"
    return statement["Principal"]["Federated"], condition.pop(f"{ISSUER}:sub"), condition


def test_a_preview_is_for_pull_requests_and_main(account: Graph) -> None:
    _, subjects, rest = trusted(account, "tollgate-preview")
    assert subjects == ["repo:acme/gateway:pull_request", "repo:acme/gateway:ref:refs/heads/main"]
    assert rest == {}


def test_deploying_is_for_jobs_of_the_environments_only(account: Graph) -> None:
    _, subjects, rest = trusted(account, "tollgate-deploy")
    assert subjects == ["repo:acme/gateway:environment:dev", "repo:acme/gateway:environment:prod"]
    assert rest == {}


def test_environments_are_the_operators_to_name() -> None:
    _, subjects, _ = trusted(run(environments=["live"]), "tollgate-deploy")
    assert subjects == ["repo:acme/gateway:environment:live"]


def test_subjects_may_carry_githubs_own_ids() -> None:
    _, subjects, _ = trusted(run(repository="acme@17/gateway@42"), "tollgate-preview")
    assert subjects[0] == "repo:acme@17/gateway@42:pull_request"


def test_the_provider_is_made_for_the_audience_of_aws(account: Graph) -> None:
    made = account.one("iam/openIdConnectProvider:OpenIdConnectProvider").inputs
    assert made["url"] == f"https://{ISSUER}"
    assert made["clientIdLists"] == ["sts.amazonaws.com"]


def test_an_account_that_has_the_provider_keeps_it() -> None:
    graph = run(oidcProviderArn=EXISTING)
    assert graph.all("iam/openIdConnectProvider:OpenIdConnectProvider") == []
    assert {trusted(graph, role)[0] for role in ("tollgate-preview", "tollgate-deploy")} == {
        EXISTING
    }


@pytest.mark.parametrize("role", ["tollgate-preview", "tollgate-deploy"])
def test_a_roles_policies_fit_in_what_iam_takes(account: Graph, role: str) -> None:
    policies = [p for p in account.all("iam/rolePolicy:RolePolicy") if p.name.startswith(role)]
    sizes = [len("".join(opened(policy.inputs["policy"]).split())) for policy in policies]
    assert sum(sizes) < 10_240
