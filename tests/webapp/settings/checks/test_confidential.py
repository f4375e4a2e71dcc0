from typing import Any

import pytest

from tests.webapp.settings.builders import mistakes, upstream, warnings
from webapp.settings.files import SEALED

STRONG = "h7Vd92kLmQ0xYc4RtZpW8sNbEuJ3gF6aTq1"
OTHER = "Zq8LtY3wXv5RkP0sJm2HbNc9FdG7aUe4Wx1"
WEAK = "hunter2-hunter2-hunter2-hunter2-hunter2"
FRESH = "openssl rand -base64 48 | pulumi config set --secret"
NEW_SECRET = f"make a new one: {FRESH} --path upstreamSecrets.users"
UNPRINTABLE = "must be printable ASCII without spaces around it, as a header carries it"
PROVEN = {"users": upstream(secretHeader="X-Gateway-Secret")}


def test_offline_no_signing_key_is_needed() -> None:
    assert warnings() == []


def test_under_the_engine_the_signing_key_is_required() -> None:
    assert mistakes(encrypted=[]) == [f"tollgate:signingKey: is missing: {FRESH} signingKey"]
    assert mistakes(encrypted=["signingKey"], signingKey=STRONG) == []


@pytest.mark.parametrize("key", ["signingKey", "previousSigningKey"])
def test_a_weak_key_is_refused_and_never_printed(key: str) -> None:
    (line,) = mistakes(**{key: WEAK})
    assert line == f"tollgate:{key}: repeats itself; make a new one: {FRESH} {key}"


@pytest.mark.parametrize(
    ("value", "kind"),
    [(7243, "a number, true or false"), (True, "a number, true or false"), ([WEAK], "a list")],
)
def test_a_key_that_is_no_text_is_named_by_its_kind(value: object, kind: str) -> None:
    assert mistakes(signingKey=value) == [
        f"tollgate:signingKey: expected text, got {kind}; make a new one: {FRESH} signingKey"
    ]


def test_what_only_the_engine_can_decrypt_is_left_to_it() -> None:
    assert warnings(signingKey=SEALED, previousSigningKey=SEALED) == []
    assert mistakes(upstreams=PROVEN, upstreamSecrets=SEALED) == []
    assert mistakes(upstreams=PROVEN, upstreamSecrets={"users": SEALED}) == []


def test_a_rotated_key_must_differ() -> None:
    assert mistakes(signingKey=STRONG, previousSigningKey=STRONG) == [
        "tollgate:previousSigningKey: is the same as signingKey; unset it"
    ]


def test_a_secret_in_clear_is_a_warning_offline() -> None:
    assert warnings(previousSigningKey=STRONG) == [
        "tollgate:previousSigningKey: is not encrypted; replace it:"
        " pulumi config set --secret previousSigningKey"
    ]


@pytest.mark.parametrize(
    "secret",
    [
        {"previousSigningKey": OTHER},
        {"upstreams": PROVEN, "upstreamSecrets": {"users": OTHER}},
        {"upstreams": PROVEN, "upstreamSecrets": f'{{"users": "{OTHER}"}}'},
    ],
)
def test_a_secret_in_clear_is_a_mistake_under_the_engine(secret: dict[str, Any]) -> None:
    key = list(secret)[-1]
    encrypted = ["signingKey"]
    assert mistakes(encrypted=encrypted, signingKey=STRONG, **secret) == [
        f"tollgate:{key}: is not encrypted; replace it: pulumi config set --secret {key}"
    ]
    assert mistakes(encrypted=[*encrypted, key], signingKey=STRONG, **secret) == []


@pytest.mark.parametrize("unset", ["", "{}", {}, None])
def test_a_named_header_needs_its_secret(unset: object) -> None:
    assert mistakes(upstreams=PROVEN, upstreamSecrets=unset) == [
        f"tollgate:upstreamSecrets.users: is missing: {FRESH} --path upstreamSecrets.users"
    ]


@pytest.mark.parametrize(
    ("secrets", "line"),
    [
        ({"users": "hunter2"}, f".users: is shorter than 32 characters; {NEW_SECRET}"),
        ({"users": 700}, f".users: expected text, got a number, true or false; {NEW_SECRET}"),
        ({"users": ["hunter2"]}, f".users: expected text, got a list; {NEW_SECRET}"),
        ({"users": "\u00e9" * 40}, f".users: {UNPRINTABLE}; {NEW_SECRET}"),
        ({"users": OTHER + "\n"}, f".users: {UNPRINTABLE}; {NEW_SECRET}"),
        (
            {"users": OTHER, "user": OTHER},
            '.user: no upstream named "user" (did you mean "users"?)',
        ),
        (
            "hunter2",
            ": expected an object from upstream to secret; set each one:"
            f" {FRESH} --path upstreamSecrets.NAME",
        ),
    ],
)
def test_an_upstream_secret_is_checked_and_never_printed(secrets: object, line: str) -> None:
    found = mistakes(upstreams=PROVEN, upstreamSecrets=secrets)
    assert found == [f"tollgate:upstreamSecrets{line}"]


def test_a_secret_without_a_header_has_no_use() -> None:
    assert mistakes(upstreamSecrets={"users": OTHER}) == [
        "tollgate:upstreamSecrets.users: the upstream users names no secretHeader that would"
        " carry it"
    ]
