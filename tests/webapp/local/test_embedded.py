import json
import os
from concurrent.futures import ThreadPoolExecutor

import botocore.session
import pytest
from botocore.exceptions import ClientError

from webapp.local.embedded import EmbeddedAws, embedded_aws


def keys(aws: EmbeddedAws, table: str) -> dict[str, str]:
    schema = aws.dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
    return {key["AttributeName"]: key["KeyType"] for key in schema}


def test_the_tables_are_those_of_a_stack(aws: EmbeddedAws) -> None:
    runtime = aws.runtime("dev")
    assert keys(aws, runtime.sessions_table) == {"user_id": "HASH", "session_id": "RANGE"}
    assert keys(aws, runtime.rate_limits_table) == {"rate_limit_key": "HASH"}


def test_the_secret_holds_a_key_and_one_for_each_proven_upstream(aws: EmbeddedAws) -> None:
    runtime = aws.runtime("dev", upstream_secrets=["users"])
    held = aws.secrets_manager.get_secret_value(SecretId=runtime.signing_secret_arn)
    secret = json.loads(held["SecretString"])
    assert len(secret["current"]) >= 32
    assert list(secret["upstreams"]) == ["users"]
    assert len(secret["upstreams"]["users"]) >= 32


def test_every_runtime_starts_afresh(aws: EmbeddedAws) -> None:
    first, second = aws.runtime("dev"), aws.runtime("dev")
    assert first.sessions_table != second.sessions_table
    assert first.rate_limits_table != second.rate_limits_table
    assert first.signing_secret_arn != second.signing_secret_arn


def test_the_runtime_says_what_the_function_would_be_told(aws: EmbeddedAws) -> None:
    runtime = aws.runtime("prod", log_level="DEBUG")
    assert (runtime.environment, runtime.log_level) == ("prod", "DEBUG")
    assert runtime.region == os.environ["AWS_REGION"]


def test_only_one_of_many_conditional_writes_passes(aws: EmbeddedAws) -> None:
    table = aws.runtime("dev").rate_limits_table

    def create(_: int) -> bool:
        try:
            aws.dynamodb.put_item(
                TableName=table,
                Item={"rate_limit_key": {"S": "one"}},
                ConditionExpression="attribute_not_exists(rate_limit_key)",
            )
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(create, range(40))) == 1


def test_the_environment_leads_there_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://elsewhere")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    before = dict(os.environ)
    with embedded_aws() as account:
        assert os.environ["AWS_ENDPOINT_URL"] == account.endpoint_url
        client = botocore.session.Session().create_client("dynamodb")
        assert client.meta.endpoint_url == account.endpoint_url
        assert client.list_tables()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert dict(os.environ) == before
