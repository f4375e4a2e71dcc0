from pathlib import Path

import pytest

from webapp.local.deployed import rate_limits, sessions_table, signing_secret
from webapp.settings.mistakes import Mistakes

PULUMI = """#!/bin/sh
case "$*" in
"stack output rate_limits_table_name --stack prod --non-interactive") echo limits-1a2b;;
"stack output sessions_table_name --stack prod --non-interactive") echo sessions-1a2b;;
"stack output signing_secret_arn --stack prod --non-interactive") echo arn:aws:secret;;
"config get aws:region --stack prod --non-interactive") echo eu-west-1;;
*) echo "error: no stack named 'dev' found" >&2; echo more >&2; exit 255;;
esac
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TOLLGATE_RATE_LIMITS_TABLE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")


@pytest.fixture
def pulumi(tmp_path: Path) -> None:
    command = tmp_path / "pulumi"
    command.write_text(PULUMI)
    command.chmod(0o755)


@pytest.mark.usefixtures("pulumi")
def test_the_table_is_the_one_that_the_stack_puts_out() -> None:
    client, table = rate_limits("prod")
    assert (client.meta.region_name, table) == ("eu-west-1", "limits-1a2b")


@pytest.mark.usefixtures("pulumi")
def test_the_sessions_are_where_the_stack_puts_them() -> None:
    assert (sessions_table("prod"), signing_secret("prod")) == ("sessions-1a2b", "arn:aws:secret")
    with pytest.raises(Mistakes, match="or set TOLLGATE_SIGNING_SECRET_ARN"):
        signing_secret("dev")


def test_the_environment_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLLGATE_RATE_LIMITS_TABLE", "mine")
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    client, table = rate_limits("dev")
    assert (client.meta.region_name, table) == ("us-west-2", "mine")


@pytest.mark.usefixtures("pulumi")
def test_a_stack_that_is_not_deployed_is_one_line() -> None:
    with pytest.raises(Mistakes) as raised:
        rate_limits("dev")
    assert str(raised.value) == (
        "--stack dev: no stack named 'dev' found;"
        " deploy it (`pulumi up --stack dev`) or set TOLLGATE_RATE_LIMITS_TABLE"
    )


def test_without_the_engine_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(Mistakes, match="pulumi is not installed; install it, or set TOLLGATE_"):
        rate_limits("dev")
