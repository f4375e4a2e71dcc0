import json
import logging
from typing import Any

import pytest

from tests.webapp.containers import Clock
from tests.webapp.faults import DOWN, Faults, failure
from webapp.errors import Problem
from webapp.keys import Keys
from webapp.local.embedded import EmbeddedAws
from webapp.settings import Runtime
from webapp.tables import Stores

NEW = "n3w-Qm7hXc92LkVbT5rZs8WdYpGfJa4E"
OLD = "0ld-Hs61RkPz8MvCq3YtNb7XwGfUj5De"


class Secret:
    """The secret of one stack, and a container that reads it."""

    def __init__(self, aws: EmbeddedAws, runtime: Runtime, stores: Stores, clock: Clock) -> None:
        self._client = aws.secrets_manager
        self._arn = runtime.signing_secret_arn
        self.keys = Keys(stores, self._arn, clock)

    def write(self, text: str | None = None, **document: Any) -> None:
        held = json.dumps(document) if text is None else text
        self._client.put_secret_value(SecretId=self._arn, SecretString=held)


@pytest.fixture
def secret(aws: EmbeddedAws, runtime: Runtime, stores: Stores, clock: Clock) -> Secret:
    made = Secret(aws, runtime, stores, clock)
    made.write(current=NEW)
    return made


def unavailable(keys: Keys) -> bool:
    with pytest.raises(Problem) as refused:
        keys.secrets()
    assert refused.value.headers["Retry-After"] == "1"
    return (refused.value.status, refused.value.code) == (503, "signing_key_unavailable")


def test_the_current_key_comes_before_the_previous(secret: Secret) -> None:
    secret.write(current=NEW, previous=OLD, upstreams={"users": "proof"})
    assert secret.keys.secrets().signing == (NEW, OLD)
    assert secret.keys.secrets().upstreams == {"users": "proof"}


@pytest.mark.parametrize("absent", [{}, {"previous": None, "upstreams": None}, {"previous": ""}])
def test_previous_and_upstreams_may_be_missing(secret: Secret, absent: dict[str, Any]) -> None:
    secret.write(current=NEW, **absent)
    assert secret.keys.secrets().signing == (NEW,)
    assert secret.keys.secrets().upstreams == {}


def test_the_secret_is_read_once(secret: Secret, faults: Faults) -> None:
    for _ in range(3):
        secret.keys.secrets()
    assert faults.operations == ["GetSecretValue"]


def test_it_is_read_again_at_most_once_a_minute(
    secret: Secret, faults: Faults, clock: Clock
) -> None:
    secret.keys.secrets()
    assert not secret.keys.reread()
    secret.write(current=OLD)
    clock.advance(59.9)
    assert not secret.keys.reread()
    clock.advance(0.1)
    assert secret.keys.reread()
    assert not secret.keys.reread()
    assert secret.keys.secrets().signing == (OLD,)
    assert faults.operations == ["GetSecretValue"] * 3


def test_a_container_that_has_only_just_started_may_look_for_a_newer_key(secret: Secret) -> None:
    secret.keys.secrets()
    secret.write(current=OLD)
    assert secret.keys.reread()


def test_reading_the_same_again_is_no_change(secret: Secret, clock: Clock) -> None:
    secret.keys.secrets()
    clock.advance(60)
    assert not secret.keys.reread()


def test_what_is_known_outlasts_an_outage(secret: Secret, faults: Faults, clock: Clock) -> None:
    secret.keys.secrets()
    faults.failing = failure("InternalServiceError", 400)
    clock.advance(60)
    assert not secret.keys.reread()
    assert secret.keys.secrets().signing == (NEW,)
    faults.failing = None
    secret.write(current=OLD)
    assert not secret.keys.reread()
    clock.advance(60)
    assert secret.keys.reread()


def test_after_an_outage_at_first_the_next_request_tries_again(
    secret: Secret, faults: Faults
) -> None:
    faults.failing = failure("InternalServiceError", 400)
    assert unavailable(secret.keys)
    faults.failing = None
    assert secret.keys.secrets().signing == (NEW,)


def test_no_way_to_secrets_manager_is_503(secret: Secret, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", DOWN)
    assert unavailable(secret.keys)


@pytest.mark.parametrize(
    "text",
    [
        "not json " + NEW,
        json.dumps([NEW]),
        json.dumps(NEW),
        json.dumps({}),
        json.dumps({"previous": NEW}),
        json.dumps({"current": None}),
        json.dumps({"current": ""}),
        json.dumps({"current": "", "previous": OLD}),
        json.dumps({"current": [NEW]}),
        json.dumps({"current": NEW, "upstreams": [NEW]}),
        json.dumps({"current": NEW, "upstreams": {"users": [NEW]}}),
    ],
)
def test_a_secret_of_another_shape_is_503_and_not_quoted(
    secret: Secret, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    secret.write(text)
    assert unavailable(secret.keys)
    assert "the signing secret cannot be used" in caplog.text
    assert NEW not in caplog.text


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"current": "Canary-short"}, "signingKey is shorter than 32 characters"),
        ({"current": "Canary" * 8}, "signingKey has too few different characters"),
        ({"current": "changeme-Canary" * 3}, "signingKey is a placeholder"),
        ({"current": NEW, "previous": "Canary-short"}, "previousSigningKey is shorter"),
    ],
)
def test_a_weak_key_is_refused_and_the_log_says_why(
    secret: Secret,
    caplog: pytest.LogCaptureFixture,
    document: dict[str, str],
    reason: str,
) -> None:
    secret.write(**document)
    assert unavailable(secret.keys)
    assert reason in caplog.text
    assert "Canary" not in caplog.text


def test_a_weak_new_key_does_not_replace_a_good_one(secret: Secret, clock: Clock) -> None:
    secret.keys.secrets()
    secret.write(current="aaaa")
    clock.advance(60)
    assert not secret.keys.reread()
    assert secret.keys.secrets().signing == (NEW,)


def test_secrets_are_in_no_repr_and_no_log_at_any_level(
    secret: Secret, caplog: pytest.LogCaptureFixture
) -> None:
    secret.write(current=NEW, previous=OLD, upstreams={"users": "canary-proof"})
    with caplog.at_level(logging.DEBUG):
        shown = f"{secret.keys.secrets()!r} {secret.keys!r} {vars(secret.keys)!r} {caplog.text}"
    for canary in (NEW, OLD, "canary-proof"):
        assert canary not in shown
