from typing import Any

import pytest

from tests.docs.pages import anchors
from tests.webapp.settings.builders import configuration, policy, upstream
from webapp.local.checklist import Item, checklist, unmet
from webapp.settings.files import ROOT, SEALED
from webapp.settings.read import load

DOMAIN = {"name": "api.example.com", "zoneId": "Z0123456789ABC"}
VPC = {"subnetIds": ["subnet-0123456789abcdef0"], "securityGroupIds": ["sg-0123456789abcdef0"]}
KEY = "h7Vd92kLmQ0xYc4RtZpW8sNbEuJ3gF6aTq1"
PROVEN = {
    "upstreams": {"users": upstream(secretHeader="X-Proof")},
    "upstreamSecrets": {"users": SEALED},
}


def item(topic: str, **changes: Any) -> Item:
    [found] = [item for item in checklist(configuration(**changes)) if item.topic == topic]
    return found


def test_prod_is_ready_by_itself() -> None:
    assert unmet(checklist(load("prod"))) == []


def test_dev_is_not_and_says_which_keys() -> None:
    missing = unmet(checklist(load("dev")))
    keys = {pair.partition(" ")[0] for item in missing for pair in item.assignments}
    assert keys == {
        "pointInTimeRecovery", "protect", "alarms", "alarmEmail", "logRetentionDays",
        "monthlyBudgetUsd", "budgetEmail", "apiDocs", "reservedConcurrency",
    }  # fmt: skip


def test_the_lines_to_paste_make_dev_ready() -> None:
    pairs = [pair.split() for item in unmet(checklist(load("dev"))) for pair in item.assignments]
    assert unmet(checklist(configuration(**dict(pairs)))) == []


@pytest.mark.parametrize(
    ("topic", "bad", "good"),
    [
        ("secrets", {"signingKey": KEY}, {"signingKey": SEALED}),
        ("recovery", {}, {"pointInTimeRecovery": True}),
        ("protection", {}, {"protect": True}),
        ("alarms", {}, {"alarms": True}),
        ("receiver of alarms", {}, {"alarmEmail": "ops@a.example"}),
        ("receiver of alarms", {}, {"alarmEmail": SEALED}),
        ("receiver of alarms", {}, {"alarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:a"}),
        ("log retention", {"logRetentionDays": 14}, {"logRetentionDays": 30}),
        ("budget", {}, {"monthlyBudgetUsd": 50, "budgetEmail": "ops@a.example"}),
        ("budget", {}, {"monthlyBudgetUsd": SEALED}),
        ("CORS", {"cors": {"allowOrigins": ["*"]}}, {"cors": {"allowOrigins": ["https://a.b"]}}),
        ("API documentation", {}, {"apiDocs": "session"}),
        ("reserved concurrency", {}, {"reservedConcurrency": 5}),
    ],
)
def test_what_a_stack_needs_is_met_or_not(
    topic: str, bad: dict[str, Any], good: dict[str, Any]
) -> None:
    assert item(topic, **bad).verdict == "not met"
    assert item(topic, **good).verdict == "met"


@pytest.mark.parametrize(
    ("topic", "good"),
    [
        ("custom domain", {"customDomain": DOMAIN}),
        ("WAF", {"edge": True}),
        ("upstreams", PROVEN),
        ("upstreams", {"vpc": VPC}),
        (
            "values of the sample",
            {"upstreams": {"users": upstream(url="https://example.community")}},
        ),
    ],
)
def test_what_a_stack_may_do_without_is_advised(topic: str, good: dict[str, Any]) -> None:
    assert item(topic).verdict == "advised"
    assert item(topic, **good).verdict == "met"


def test_a_signing_key_that_is_missing_is_told() -> None:
    assert item("secrets").finding == "none stands in clear; signingKey is still to be set"
    assert item("secrets", signingKey=SEALED).finding.endswith("signingKey is encrypted")


def test_warnings_are_counted_not_refused() -> None:
    shadows = {"rateLimits": [policy(mode="shadow")]}
    assert item("warnings").finding == "none"
    assert item("warnings", **shadows)[1:3] == ("advised", "1 to settle")


def test_values_of_the_sample_are_named() -> None:
    found = item("values of the sample", alarms=True, alarmEmail="ops@example.com")
    assert found.finding == "https://users.example.com, ops@example.com"


def test_a_remedy_is_a_line_to_paste() -> None:
    assert item("budget").remedy("dev") == (
        "pulumi config set monthlyBudgetUsd 100 --stack dev"
        " && pulumi config set budgetEmail ops@example.com --stack dev"
    )


def test_pages_that_are_named_exist() -> None:
    pages = {item.advice for item in checklist(configuration()) if item.advice.startswith("docs/")}
    assert len(pages) >= 9
    for page in pages:
        path, _, anchor = page.partition("#")
        assert (ROOT / path).exists(), page
        assert not anchor or anchor in anchors(ROOT / path), page
