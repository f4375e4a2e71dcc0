import json
from unittest import mock

import pulumi
import pytest

from tests.infra.engine import KEY, Answers, Graph, opened, run


def test_what_is_unset_stays_out_of_the_secret(dev: Graph) -> None:
    version = dev.one("secretsmanager/secretVersion:SecretVersion")
    assert json.loads(opened(version.inputs["secretString"])) == {"current": KEY}


def test_previous_key_and_upstream_secrets_travel_with_the_signing_key() -> None:
    proof = "canary-5d1f0b97c2e84a63-of-an-upstream-Lm"
    users = {"url": "https://users.example.com", "secretHeader": "X-Proof"}
    upstreams = {name: {"url": "https://a.example.com"} for name in ("products", "admin", "status")}
    graph = run(
        "dev",
        upstreams={**upstreams, "users": users},
        previousSigningKey=KEY[::-1],
        upstreamSecrets={"users": proof},
    )
    version = graph.one("secretsmanager/secretVersion:SecretVersion")
    assert json.loads(opened(version.inputs["secretString"])) == {
        "current": KEY,
        "previous": KEY[::-1],
        "upstreams": {"users": proof},
    }
    assert proof not in str(graph.outputs)


def test_every_mistake_is_told_before_a_resource_is_registered() -> None:
    answers = mock.Mock(spec=Answers)
    with pytest.raises(pulumi.RunError) as raised:
        run("dev", answers=answers, memorySize="64", timeout="30", typo="1")
    answers.new_resource.assert_not_called()
    message = str(raised.value)
    for place in ("tollgate:memorySize", "tollgate:timeout", "tollgate:typo"):
        assert place in message


def test_a_preview_warns_of_what_check_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    warn = mock.Mock()
    monkeypatch.setattr("pulumi.log.warn", warn)
    run("dev", budgetEmail="ops@example.com", cors='{"maxAge": 600}')
    assert [call.args[0].partition(": ")[0] for call in warn.call_args_list] == [
        "tollgate:budgetEmail",
        "tollgate:cors.maxAge",
    ]


def test_a_plain_secret_is_refused_without_being_shown() -> None:
    with pytest.raises(pulumi.RunError) as raised:
        run("dev", clear=("previousSigningKey",), previousSigningKey=KEY[::-1])
    assert "tollgate:previousSigningKey" in str(raised.value)
    assert KEY[::-1] not in str(raised.value)


def test_a_stacks_name_must_leave_room() -> None:
    with pytest.raises(pulumi.RunError, match="the stack's name"):
        run("dev", named="x" * 40, environment="dev")
