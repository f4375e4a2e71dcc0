from typing import Any

import msgspec
import pytest
import yaml
from msgspec import inspect

from webapp.settings.files import ROOT, stack_values
from webapp.settings.gateway import Settings
from webapp.settings.read import KEYS, load, read
from webapp.settings.stack import Stack

PROJECT = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
DECLARED = PROJECT["config"]
SHARED = {"routes", "rateLimits"}
FIELDS = {
    field.encode_name: field for kind in (Stack, Settings) for field in msgspec.structs.fields(kind)
}
TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}


def own(stack: str) -> Any:
    return yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_shipped_stack_has_neither_mistakes_nor_warnings(stack: str) -> None:
    assert load(stack).warnings == ()


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_shipped_stack_tags_what_it_creates(stack: str) -> None:
    assert own(stack)["aws:region"]
    assert own(stack)["aws:defaultTags"]["tags"]["Environment"] == stack


def test_the_project_declares_exactly_the_keys_of_the_model() -> None:
    assert set(DECLARED) == set(KEYS)


@pytest.mark.parametrize("key", DECLARED)
def test_a_key_is_declared_for_the_engine(key: str) -> None:
    declared = DECLARED[key]
    assert declared["description"]
    assert ("items" in declared) == (declared["type"] == "array")
    if key == "signingKey":
        assert declared["secret"]
        assert "default" not in declared
    else:
        assert type(declared["default"]) is TYPES[declared["type"]]
        assert "secret" not in declared


@pytest.mark.parametrize("key", sorted(FIELDS.keys() & DECLARED.keys()))
def test_a_declared_type_is_that_of_the_model(key: str) -> None:
    assert DECLARED[key]["type"] == engine_type(inspect.type_info(FIELDS[key].type))


def engine_type(info: inspect.Type) -> str:
    """Fractions are text: the engine has whole numbers only."""
    if isinstance(info, inspect.UnionType):
        info = next(option for option in info.types if not isinstance(option, inspect.NoneType))
    if isinstance(info, inspect.Metadata):
        info = info.type
    if isinstance(info, inspect.LiteralType):
        return "integer" if isinstance(info.values[0], int) else "string"
    names = {
        inspect.IntType: "integer",
        inspect.BoolType: "boolean",
        inspect.StrType: "string",
        inspect.FloatType: "string",
        inspect.VarTupleType: "array",
    }
    return names.get(type(info), "object")


@pytest.mark.parametrize("key", sorted(FIELDS.keys() & DECLARED.keys() - SHARED))
def test_a_declared_default_is_that_of_the_model(key: str) -> None:
    declared = {"upstreams": {}, "routes": [], key: DECLARED[key]["default"]}
    assert read(declared, "dev") == read({}, "dev")


def test_the_sample_routes_are_those_of_both_stacks() -> None:
    dev, prod = load("dev").settings, load("prod").settings
    assert (dev.routes, dev.rate_limits) == (prod.routes, prod.rate_limits)
    assert [policy.name for policy in dev.rate_limits] == ["per-ip", "per-user"]
    assert {route.id: route.session for route in dev.routes if route.session} == {
        "login": "issue",
        "logout": "end",
    }


def test_prod_satisfies_the_production_checklist_by_itself() -> None:
    prod = load("prod")
    stack, settings = prod.stack, prod.settings
    assert stack.point_in_time_recovery
    assert stack.protect
    assert stack.alarms
    assert stack.log_retention_days >= 30
    assert stack.reserved_concurrency
    assert stack.monthly_budget_usd
    assert stack.budget_email
    assert settings.api_docs == "off"
    assert settings.cors.allow_origins
    assert "*" not in settings.cors.allow_origins


def test_the_throttle_of_prod_stands_far_above_its_policies() -> None:
    prod = load("prod")
    rates = [policy.limit / policy.window for policy in prod.settings.rate_limits]
    bursts = [policy.capacity for policy in prod.settings.rate_limits]
    assert prod.stack.throttling_rate_limit >= 10 * max(rates)
    assert prod.stack.throttling_burst_limit >= 3 * max(bursts)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_rewritten_stack_file_means_the_same(stack: str) -> None:
    rewritten = {
        key: value
        if isinstance(value, dict | list)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
        for key, value in stack_values(stack).items()
    }
    assert read(rewritten, stack) == load(stack)
