import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webapp.settings.builders import configuration, policy, route, upstream
from webapp import settings
from webapp.settings import Runtime, Settings, current, digest, encode
from webapp.settings.read import load

ENVIRON = {
    "TOLLGATE_ENVIRONMENT": "prod",
    "TOLLGATE_LOG_LEVEL": "DEBUG",
    "TOLLGATE_SESSIONS_TABLE": "sessions",
    "TOLLGATE_RATE_LIMITS_TABLE": "limits",
    "TOLLGATE_SIGNING_SECRET_ARN": "arn",
    "AWS_LAMBDA_FUNCTION_VERSION": "7",
    "AWS_REGION": "eu-west-1",
}


def test_the_environment_is_read() -> None:
    assert Runtime.from_environ(ENVIRON) == Runtime(
        environment="prod",
        log_level="DEBUG",
        sessions_table="sessions",
        rate_limits_table="limits",
        signing_secret_arn="arn",
        function_version="7",
        region="eu-west-1",
    )


def test_an_empty_environment_is_that_of_a_developer() -> None:
    assert Runtime.from_environ({}) == Runtime(environment="dev", log_level="INFO")
    assert Runtime.from_environ({"AWS_DEFAULT_REGION": "eu-west-2"}).region == "eu-west-2"


def test_in_a_clone_the_stack_files_count() -> None:
    assert current("prod") == load("prod").settings


def test_in_the_package_the_packed_file_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "settings.json"
    packed.write_bytes(encode(configuration(adminRole="root").settings))
    monkeypatch.setattr(settings, "PACKED", packed)
    assert current("prod").admin_role == "root"


def test_a_packed_file_with_unknown_keys_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "settings.json"
    packed.write_bytes(b'{"adminrole": "root"}')
    monkeypatch.setattr(settings, "PACKED", packed)
    with pytest.raises(msgspec.ValidationError):
        current("prod")


def test_the_digest_follows_the_content_alone() -> None:
    one = {"a": upstream(), "users": upstream()}
    other = dict(reversed(one.items()))
    same = [configuration(upstreams=upstreams).settings for upstreams in (one, other)]
    assert digest(same[0]) == digest(same[1])
    assert digest(same[0]) != digest(configuration().settings)


@given(
    st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True), unique=True),
    st.integers(1, 10**9),
    st.floats(0.001, 29),
    st.sampled_from(["ip", ["ip", "route"]]),
)
def test_settings_survive_being_packed(
    ids: list[str], limit: int, timeout: float, key: str | list[str]
) -> None:
    packed = configuration(
        routes=[route(id=name, path=f"/api/{name}", timeout=timeout) for name in ids],
        rateLimits=[policy(key=key, limit=limit)],
    ).settings
    assert msgspec.json.decode(encode(packed), type=Settings) == packed


def test_the_shipped_part_loads_neither_yaml_nor_checks() -> None:
    names = "yaml", "webapp.settings.stack", "webapp.settings.read", "webapp.settings.checks"
    code = f"import sys, webapp.settings.secrets; sys.exit(any(n in sys.modules for n in {names}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
