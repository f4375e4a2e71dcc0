import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from webapp.__main__ import main
from webapp.local.statement import Statement, statement
from webapp.local.usage import Load
from webapp.settings.read import load


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("cost", *arguments))


def document(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("--json", *arguments).stdout)
    return found


def of(stack: str, requests: int = 10_000_000) -> Statement:
    return statement(stack, load(stack), Load(requests, 100))


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_terminal_has_room_for_it(stack: str) -> None:
    lines = list(of(stack, 1_000_000_000).text())
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)


def test_the_parts_are_the_whole() -> None:
    found = document("--stack", "prod")
    assert sum(line["dollars"] for line in found["lines"]) == pytest.approx(
        found["total"]["a_month"]
    )
    for column, dollars in found["total"].items():
        of_services = sum(sums[column] for sums in found["services"].values())
        assert of_services == pytest.approx(dollars)


def test_text_and_document_agree() -> None:
    found, text = document("--requests", "2M")["total"], run("--requests", "2M").stdout
    [total] = [line for line in text.splitlines() if line.startswith("total")]
    assert total.split()[1:] == [f"{dollars:,.2f}" for dollars in found.values()]
    assert found["a_million"] == pytest.approx(found["a_month"] / 2)
    less = found["a_month"] - found["free_tier"]
    assert found["a_month_less_free_tier"] == pytest.approx(less)


def test_each_policy_and_session_setting_has_a_line() -> None:
    settings = load("dev").settings
    added = document()["added_a_million"]
    for policy in settings.rate_limits:
        assert [setting for setting in added if policy.name in setting]
    for setting in ("session.cacheSeconds 0", "session.refreshThreshold 300", "signInGuard"):
        assert [name for name in added if name.startswith(setting)]


def test_it_ends_with_the_date_of_the_prices_and_what_is_assumed() -> None:
    found = document()
    assert found["prices_checked"] in found["assumed"][0]
    words = run().stdout.partition("assumed:")[2].replace("\n-", "").split()
    assert words == " ".join(found["assumed"]).split()


def test_time_upstream_is_paid() -> None:
    slow, quick = (document("--upstream-ms", ms)["total"]["a_month"] for ms in ("1000", "0"))
    assert slow > quick + 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--requests", "lots"), '--requests "lots": is no number of requests'),
        (("--stack", "nosuch"), "Pulumi.nosuch.yaml: no such stack"),
        (("--upstream-ms", "-1"), "Invalid value for '--upstream-ms'"),
    ],
)
def test_what_was_asked_wrongly_is_said(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
