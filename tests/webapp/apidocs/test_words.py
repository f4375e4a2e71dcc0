from typing import Any

import pytest

from webapp.apidocs import words
from webapp.errors import STATUS


def told(**fields: Any) -> str:
    return words.policy({"key": ["ip"], "limit": 100, "window": 60, "burst": 100} | fields)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "100 a minute per address"),
        ({"burst": 120}, "100 a minute per address, up to 120 at once"),
        ({"limit": 1, "burst": 1, "window": 1}, "1 a second per address"),
        ({"limit": 10_000, "burst": 10_000, "window": 3600}, "10,000 an hour per address"),
        ({"window": 86_400, "key": ["user"]}, "100 a day per user"),
        ({"window": 300, "key": ["session"]}, "100 in 5 minutes per session"),
        ({"window": 90, "key": ["global"]}, "100 in 90 seconds for all callers together"),
        ({"window": 172_800}, "100 in 2 days per address"),
        ({"key": ["user", "route"]}, "100 a minute per user and path"),
        ({"key": ["ip", "user", "route"]}, "100 a minute per address, user and path"),
        ({"key": ["ip", "global"]}, "100 a minute per address"),
        ({"roles": ["pro"]}, "100 a minute per address (with the role pro)"),
        ({"roles": ["pro", "team"]}, "100 a minute per address (with the role pro or team)"),
    ],
)
def test_a_policy_reads_as_people_say_it(fields: dict[str, Any], text: str) -> None:
    assert told(**fields) == text


@pytest.mark.parametrize(
    ("operation", "restricted", "text"),
    [
        ({"security": []}, False, "Anyone."),
        ({"security": [{}, {"bearer": []}]}, False, "Anyone, signed in or not."),
        ({"security": [{"bearer": []}]}, False, "Anyone who is signed in."),
        (
            {"security": [{"bearer": []}], "x-tollgate-roles": ["admin"]},
            True,
            "Signed in, with the role admin. From certain addresses only.",
        ),
        (
            {"security": [], "x-tollgate-session": "issue"},
            False,
            "Anyone. Signs in: with success the answer brings a session.",
        ),
    ],
)
def test_callers_are_told_who_they_must_be(
    operation: dict[str, Any], restricted: bool, text: str
) -> None:
    assert words.description(operation, restricted=restricted) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (1, "1 byte"),
        (1000, "1,000 bytes"),
        (1024, "1 KiB"),
        (1536, "1,536 bytes"),
        (4 * 1024 * 1024, "4 MiB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert words.size(size) == text


def test_every_code_has_a_meaning() -> None:
    assert words.MEANINGS.keys() == STATUS.keys()
