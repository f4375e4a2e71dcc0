import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.conftest import STATUS_LIMIT, Deployed

pytestmark = pytest.mark.slow


def test_health_and_both_stores_and_the_key_are_reached(deployed: Deployed) -> None:
    # The emulator takes /health itself.
    health = deployed.client.request("GET", "/health/")
    assert (health.status, health.json["environment"]) == (200, "dev")
    ready = deployed.client.request("GET", "/health/ready")
    assert (ready.status, set(ready.json["checks"].values())) == (200, {"ok"})


def test_who_signs_in_reaches_the_upstream_by_name(deployed: Deployed) -> None:
    token = deployed.client.sign_in("ada", "user")
    answer = deployed.client.request("GET", "/api/v1/users?page=2", token=token)
    assert answer.status == 200
    assert answer.json["headers"]["x-user-id"] == "ada"
    assert token not in answer.body.decode()
    assert '"per-user";r=' in answer.headers["ratelimit"]


def test_nobody_is_401_and_the_wrong_role_403(deployed: Deployed) -> None:
    assert deployed.client.request("GET", "/api/v1/users").json["code"] == "missing_token"
    token = deployed.client.sign_in("ada", "user")
    answer = deployed.client.request("GET", "/api/v1/admin/settings", token=token)
    assert (answer.status, answer.json["code"]) == (403, "forbidden")


def test_a_limit_holds_over_the_real_table(deployed: Deployed) -> None:
    answers = [deployed.client.request("GET", "/api/v1/status") for _ in range(STATUS_LIMIT + 1)]
    assert [answer.status for answer in answers] == [200] * STATUS_LIMIT + [429]
    assert answers[-1].json["violated-policies"]
    assert int(answers[-1].headers["retry-after"]) > 0
    [counter] = items(deployed, "rate_limits_table_name", "rate_limit_key", "ip")
    assert any(name.startswith("tat:") for name in counter)
    assert int(counter["ttl"]["N"]) > time.time()


def test_after_the_logout_the_token_is_revoked(deployed: Deployed) -> None:
    token = deployed.client.sign_in("grace", "user")
    assert deployed.client.request("POST", "/api/v1/logout", token=token).status == 204
    answer = deployed.client.request("GET", "/api/v1/users", token=token)
    assert (answer.status, answer.json["code"]) == (401, "session_revoked")
    [row] = items(deployed, "sessions_table_name", "user_id", "grace")
    assert row["revoked_at"]["N"]
    assert token not in str(row)


def test_signing_out_everywhere_revokes_every_session(deployed: Deployed) -> None:
    tokens = [deployed.client.sign_in("linus", "user") for _ in range(2)]
    assert deployed.client.request("DELETE", "/auth/sessions", token=tokens[0]).status == 204
    codes = [
        deployed.client.request("GET", "/api/v1/users", token=token).json["code"]
        for token in tokens
    ]
    assert codes == ["session_revoked"] * 2


def test_each_request_is_a_line_in_the_functions_log_group(deployed: Deployed) -> None:
    token = deployed.client.sign_in("barbara", "user")
    answer = deployed.client.request("GET", "/api/v1/products", token=token)
    lines = logged(deployed)
    [line] = [li for li in lines if li.get("request_id") == answer.headers["x-request-id"]]
    assert (line["route"], line["status"], line["user_id"]) == ("products", 200, "barbara")
    assert (line["upstream"], line["environment"]) == ("products", "dev")
    assert token not in json.dumps(lines)


@pytest.mark.parametrize("method", ["scan", "delete_item"])
def test_the_role_gets_nothing_that_the_code_does_not_do(deployed: Deployed, method: str) -> None:
    dynamodb = as_the_function(deployed, "dynamodb")
    key = {"user_id": {"S": "ada"}, "session_id": {"S": "x"}}
    arguments = {"Key": key} if method == "delete_item" else {}
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(dynamodb, method)(TableName=deployed.output("sessions_table_name"), **arguments)


def test_the_role_reads_no_other_secret(deployed: Deployed) -> None:
    deployed.account.secrets.create_secret(Name="another", SecretString="of-another-service")
    with pytest.raises(ClientError, match="AccessDenied"):
        as_the_function(deployed, "secretsmanager").get_secret_value(SecretId="another")


def as_the_function(deployed: Deployed, service: str) -> Any:
    arn = deployed.output("function_role_arn")
    answer = deployed.account.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
    credentials = answer["Credentials"]
    return deployed.account.client(
        service,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def items(deployed: Deployed, table: str, key: str, part: str) -> list[Any]:
    """The items of the table whose `key` holds `part`."""
    found = deployed.account.dynamodb.scan(TableName=deployed.output(table))["Items"]
    return [item for item in found if part in item[key]["S"]]


def logged(deployed: Deployed) -> list[dict[str, Any]]:
    """The function's log, less what is not JSON."""
    group = deployed.output("log_group_name")
    answer = deployed.account.logs.filter_log_events(logGroupName=group)
    messages = [event["message"] for event in answer["events"]]
    return [json.loads(message) for message in messages if message.startswith("{")]
