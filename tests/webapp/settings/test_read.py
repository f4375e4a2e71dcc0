import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webapp.settings.builders import configuration, mistakes, policy, route, upstream, values
from webapp.settings.files import SEALED
from webapp.settings.mistakes import Mistakes
from webapp.settings.read import KEYS, read

DOMAIN = {"name": "api.example.com", "zoneId": "Z0123456789ABC"}
SCALARS = {
    "memorySize": 1024,
    "bytecode": False,
    "snapStart": True,
    "monthlyBudgetUsd": 12.5,
    "budgetEmail": "a@b.example",
    "logRetentionDays": 30,
    "reservedConcurrency": 5,
    "apiDocs": "off",
}
OBJECTS = {
    "routes": [route(timeout=2.5)],
    "upstreams": {"users": upstream(retries=0)},
    "rateLimits": [policy()],
    "customDomain": DOMAIN,
    "session": {"ttl": 600},
    "denyFrom": ["192.0.2.1"],
}


def as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def test_all_mistakes_are_found_in_one_go() -> None:
    found = mistakes(
        memorySize="512x",
        timeuot=3,
        upstreams={"users": upstream(url="users", retries=9), "admin": 5},
        routes=[route(id="a b", pth="/"), {"path": "/b", "upstream": "admn"}, 5, route(auth="no")],
        rateLimits=[policy(limit="many", routes=["users", "usres"])],
    )
    assert [line.partition(": ")[0].removeprefix("tollgate:") for line in found] == [
        "timeuot",
        "upstreams.users.retries",
        "upstreams.admin",
        "routes[0].pth",
        "routes[0].id",
        "routes[1].id",
        "routes[2]",
        "routes[3].auth",
        "rateLimits[0].limit",
        "memorySize",
        "upstreams.users.url",
        "routes[1].upstream",
        "routes[3].path",
        "rateLimits[0].routes[1]",
    ]


def test_what_only_follows_from_another_mistake_is_not_reported() -> None:
    assert mistakes(upstreams="users") == ['tollgate:upstreams: expected an object, got "users"']
    assert mistakes(routes="users", rateLimits=[policy(routes=["users"])]) == [
        'tollgate:routes: expected a list, got "users"'
    ]
    assert mistakes(routes=[{}]) == [
        f"tollgate:routes[0].{field}: is missing" for field in ("id", "path", "upstream")
    ]


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("routs", 'routs: unknown key (did you mean "routes"?)'),
        ("memorysize", 'memorysize: unknown key (did you mean "memorySize"?)'),
        ("publicHost", "publicHost: unknown key"),
        ("a\nb", '"a\\nb": unknown key'),
    ],
)
def test_an_unknown_key_is_a_mistake(key: str, line: str) -> None:
    assert mistakes(**{key: "x"}) == [f"tollgate:{line}"]


def test_scalars_are_read_as_the_engine_rewrites_them() -> None:
    typed = configuration(**SCALARS)
    assert configuration(**{key: as_text(value) for key, value in SCALARS.items()}) == typed
    assert typed.stack.memory_size == 1024
    assert typed.stack.bytecode is False
    assert typed.stack.monthly_budget_usd == 12.5


def test_lists_and_objects_are_read_as_json_text() -> None:
    typed = configuration(**OBJECTS)
    assert configuration(**{key: as_text(value) for key, value in OBJECTS.items()}) == typed
    assert typed.settings.session.ttl == 600


@pytest.mark.parametrize("number", ["512x", "0x200", "5_12", " 512", "1e3"])
def test_a_number_is_digits(number: str) -> None:
    whole = "expected a whole number of at least 128 and at most 10240"
    assert mistakes(memorySize=number) == [f'tollgate:memorySize: {whole}, got "{number}"']


@pytest.mark.parametrize("word", ["True", "yes", "on", "1", 1, 0.0])
def test_a_boolean_is_true_or_false(word: object) -> None:
    (line,) = mistakes(protect=word)
    assert line.startswith("tollgate:protect: expected true or false, got ")


def test_text_keys_take_scalars_as_the_engine_does() -> None:
    assert configuration(environment=2024).stack.environment == "2024"


def test_nested_values_keep_their_types() -> None:
    assert mistakes(routes=[route(timeout="2")]) == [
        'tollgate:routes[0].timeout: expected a number above 0 and at most 29, got "2"'
    ]
    assert mistakes(cors={"allowCredentials": "true"}) == [
        'tollgate:cors.allowCredentials: expected true or false, got "true"'
    ]


@pytest.mark.parametrize("empty", ["", None, [], {}])
def test_empty_means_unset(empty: object) -> None:
    unset = dict.fromkeys(set(KEYS) - {"upstreams", "routes", "rateLimits"}, empty)
    assert configuration(**unset) == configuration()


@pytest.mark.parametrize(
    "key", ["reservedConcurrency", "provisionedConcurrency", "pinVersion", "monthlyBudgetUsd"]
)
@pytest.mark.parametrize("zero", [0, "0"])
def test_zero_means_unset_where_zero_means_nothing(key: str, zero: object) -> None:
    assert configuration(**{key: zero}) == configuration()


def test_an_entry_is_named_by_its_key_whatever_that_is() -> None:
    assert mistakes(environmentVariables={"a b": "x"}) == [
        'tollgate:environmentVariables["a b"]: is no name: two or more letters, digits and _,'
        " beginning with a letter"
    ]


def test_control_characters_are_refused() -> None:
    assert mistakes(cors={"allowHeaders": ["x\r\ny"]}) == [
        "tollgate:cors.allowHeaders[0]: holds a control character or half a character; retype it"
    ]


def test_an_encrypted_value_is_no_part_of_the_package() -> None:
    assert mistakes(adminRole=SEALED, cors={"allowOrigins": [SEALED]}) == [
        "tollgate:cors.allowOrigins[0]: expected text, got an encrypted value",
        "tollgate:adminRole: expected a role of at most 64 letters, digits and _.:-, got an"
        " encrypted value",
    ]


def test_what_the_stack_encrypts_is_unset_offline_and_not_missed() -> None:
    read_offline = configuration(
        monthlyBudgetUsd=50, budgetEmail=SEALED, vpc={"subnetIds": [SEALED]}
    )
    assert read_offline.stack.budget_email == ""
    assert read_offline.stack.vpc is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "id",
        "path",
        "upstream",
        "url",
        "name",
        "key",
        "routes",
        "methods",
        "allowFrom",
        "users",
        "ttl",
    ]
)
ENTRIES = st.dictionaries(FIELDS, JSON, max_size=6)


@given(st.dictionaries(st.sampled_from(KEYS), JSON | ENTRIES | st.lists(ENTRIES, max_size=3)))
def test_whatever_stands_in_a_file_the_answer_is_mistakes(raw: dict[str, Any]) -> None:
    for changed in (raw, {key: json.dumps(value) for key, value in raw.items()}):
        try:
            read({**values(), **changed}, "dev")
        except Mistakes as error:
            lines = str(error).splitlines()
            assert len(lines) == len(error.mistakes)  # noqa: PT017 (most of them are refused)


@given(st.text(string.printable, min_size=1))
def test_the_messages_of_a_secret_never_quote_it(secret: str) -> None:
    for line in mistakes(signingKey=f"{secret}-hunter2"):
        assert "hunter2" not in line
