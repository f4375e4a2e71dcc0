from typing import Any

import pulumi
import pytest

from tests.bootstrap.engine import run


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"repository": "https://github.com/acme/gateway"},
            'tollgate-bootstrap:repository: "https://github.com/acme/gateway" is no repository;'
            " write owner/name, or owner@id/name@id",
        ),
        (
            {"repository": "acme/gateway.git"},
            'tollgate-bootstrap:repository: "acme/gateway.git" is no repository;'
            " write owner/name, or owner@id/name@id",
        ),
        (
            {"repository": "acme@17/gateway"},
            'tollgate-bootstrap:repository: "acme@17/gateway" is no repository;'
            " write owner/name, or owner@id/name@id",
        ),
        (
            {"environments": []},
            "tollgate-bootstrap:environments: nobody could deploy; name one or more",
        ),
        (
            {"environments": ["dev", "*"]},
            'tollgate-bootstrap:environments: "*" is no name; write them out, as in [dev, prod]',
        ),
        (
            {"oidcProviderArn": "arn:aws:iam::123456789012:oidc-provider/example.com"},
            'tollgate-bootstrap:oidcProviderArn: "arn:aws:iam::123456789012:oidc-provider/'
            "example.com\" is not GitHub's provider; `aws iam list-open-id-connect-providers`"
            " shows it",
        ),
        (
            {"oidcProvidrArn": "x"},
            'tollgate-bootstrap:oidcProvidrArn: unknown key (did you mean "oidcProviderArn"?)',
        ),
    ],
)
def test_a_mistake_is_named_by_place_and_remedy(config: dict[str, Any], message: str) -> None:
    with pytest.raises(pulumi.RunError) as raised:
        run(**config)
    assert str(raised.value) == f"the configuration has mistakes:\n{message}"


def test_all_mistakes_are_in_one_message() -> None:
    with pytest.raises(pulumi.RunError) as raised:
        run(repository="gateway", environments=[], oidcProviderArn="no")
    assert len(str(raised.value).splitlines()) == 4
