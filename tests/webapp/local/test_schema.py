import jsonschema
import pytest
import yaml

from webapp.local import schema
from webapp.settings.files import ROOT
from webapp.settings.mistakes import Mistakes
from webapp.settings.read import KEYS, read

SCHEMA = jsonschema.Draft7Validator(schema.stack_file())

ROUTE = {"id": "a", "path": "/a", "upstream": "u", "auth": "none"}

TAKEN = [
    ("memorySize", 512),
    ("memorySize", "512"),
    ("logRetentionDays", "30"),
    ("alarms", "true"),
    ("reservedConcurrency", 0),
    ("customDomain", {}),
    ("monthlyBudgetUsd", "12.5"),
    ("denyFrom", ["198.51.100.0/24"]),
    ("session", {"ttl": 600}),
    ("architecture", ""),
    ("routes", [ROUTE]),
    ("rateLimits", [{"name": "p", "key": ["user", "route"], "limit": 1, "window": 1}]),
]
REFUSED = [
    ("memorySize", 5),
    ("memorySize", "much"),
    ("memorySize", 0),
    ("logRetentionDays", 31),
    ("alarms", "yes"),
    ("reservedConcurrency", False),
    ("customDomain", {"nam": "example.com"}),
    ("denyFrom", "198.51.100.0/24"),
    ("session", {"ttl": 5}),
    ("architecture", "arm"),
    ("routes", [ROUTE | {"id": "no spaces"}]),
    ("routes", [ROUTE | {"paht": "/a"}]),
    ("routes", [{"id": "a"}]),
    ("rateLimits", [{"name": "p", "key": "them", "limit": 1, "window": 1}]),
    ("nothing", 1),
]


def _accepts(key, value):
    return SCHEMA.is_valid({"config": {f"tollgate:{key}": value}})


def _reads(key, value):
    try:
        read({"upstreams": {"u": {"url": "https://u.example"}}, key: value}, "dev")
    except Mistakes as mistakes:
        return "budgetEmail" in str(mistakes)
    return True


@pytest.mark.parametrize(("key", "value"), TAKEN)
def test_what_the_gateway_reads_the_schema_accepts(key, value):
    assert _reads(key, value)
    assert _accepts(key, value)


@pytest.mark.parametrize(("key", "value"), REFUSED)
def test_what_the_gateway_refuses_the_schema_refuses(key, value):
    assert not _reads(key, value)
    assert not _accepts(key, value)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_shipped_stacks_are_valid(stack):
    SCHEMA.validate(yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text()))


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_editors_find_the_schema_from_a_stack_file(stack):
    first = (ROOT / f"Pulumi.{stack}.yaml").read_text().partition("\n")[0]

    assert first == f"# yaml-language-server: $schema={schema.FILE}"


def test_the_schema_itself_is_valid():
    jsonschema.Draft7Validator.check_schema(schema.stack_file())


@pytest.mark.parametrize("key", KEYS)
def test_every_key_may_be_sealed_or_empty(key):
    assert _accepts(key, {"secure": "v1:abc"})
    assert _accepts(key, "")


def test_keys_of_other_programs_are_left_open():
    assert SCHEMA.is_valid({"config": {"aws:region": "eu-west-1", "other:key": 1}})
