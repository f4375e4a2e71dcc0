import pytest

from tests.infra.engine import Graph, allowed, run


def test_the_tables_keep_their_urns(dev: Graph) -> None:
    urns = sorted(resource.urn for resource in dev.all("dynamodb/table:Table"))
    root = "urn:pulumi:dev::tollgate::tollgate:infra:Storage$aws:dynamodb/table:Table"
    assert urns == [f"{root}::tollgate-dev-rate-limits", f"{root}::tollgate-dev-sessions"]


def test_tables_are_billed_by_request_encrypted_and_forgetful(dev: Graph) -> None:
    for table in dev.all("dynamodb/table:Table"):
        assert table.inputs["billingMode"] == "PAY_PER_REQUEST"
        assert table.inputs["ttl"] == {"attributeName": "ttl", "enabled": True}
        assert table.inputs["serverSideEncryption"]["enabled"] is True
    sessions = dev.one("dynamodb/table:Table", "sessions").inputs
    assert (sessions["hashKey"], sessions["rangeKey"]) == ("user_id", "session_id")
    assert dev.one("dynamodb/table:Table", "rate-limits").inputs["hashKey"] == "rate_limit_key"


@pytest.mark.parametrize(("stack", "safe"), [("dev", False), ("prod", True)])
def test_what_is_protected_is_so_by_the_engine_and_by_aws(stack: str, safe: bool) -> None:
    graph = run(stack)
    for table in graph.all("dynamodb/table:Table"):
        assert (table.protect, table.inputs["deletionProtectionEnabled"]) == (safe, safe)
    sessions = graph.one("dynamodb/table:Table", "sessions")
    assert sessions.inputs["pointInTimeRecovery"]["enabled"] is safe


def test_a_key_of_the_operators_encrypts_whatever_is_kept() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000000"
    graph = run("dev", kmsKeyArn=key)
    for table in graph.all("dynamodb/table:Table"):
        assert table.inputs["serverSideEncryption"]["kmsKeyArn"] == key
    for group in graph.all("cloudwatch/logGroup:LogGroup"):
        assert group.inputs["kmsKeyId"] == key
    assert graph.one("secretsmanager/secret:Secret").inputs["kmsKeyId"] == key
    assert graph.one("lambda/function:Function").inputs["kmsKeyArn"] == key
    assert allowed(graph)[key] == {"kms:Decrypt"}
