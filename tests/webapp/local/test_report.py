import functools
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from webapp.__main__ import main
from webapp.settings import read

STACK = """
config:
  tollgate:rateLimits: [{name: per-ip, key: ip, limit: 100, window: 60}]
  tollgate:upstreams: {app: {url: "https://app.example.net"}}
  tollgate:routes: [{id: news, path: /news, upstream: app, auth: none}]
"""
READY = """
  tollgate:pointInTimeRecovery: true
  tollgate:protect: true
  tollgate:alarms: true
  tollgate:alarmEmail: ops@a.example
  tollgate:logRetentionDays: 30
  tollgate:monthlyBudgetUsd: 50
  tollgate:budgetEmail: ops@a.example
  tollgate:apiDocs: "off"
  tollgate:reservedConcurrency: 10
"""
LINTED = "  tollgate:budgetTag: Project=tollgate\n"


@pytest.fixture(autouse=True)
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "yaml": "name: tollgate",
        "dev.yaml": STACK,
        "ready.yaml": STACK + READY,
        "linted.yaml": STACK + LINTED,
        "broken.yaml": STACK.replace("upstream: app", "upstream: ap"),
    }
    for suffix, text in files.items():
        (tmp_path / f"Pulumi.{suffix}").write_text(text)
    load = functools.partial(read.load, directory=tmp_path)
    monkeypatch.setattr("webapp.settings.read.load", load)


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def document(*arguments: str) -> Any:
    return json.loads(check("--json", *arguments).stdout)


def test_the_checklist_is_a_line_an_item() -> None:
    result = check("--production", "--stack", "ready")
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0] == (
        "outside  remote state: where the state lies, and which key encrypts it"
        " (docs/accounts.md#where-state-is-kept)"
    )
    assert "met      log retention: 30 days" in lines
    assert lines[-1] == (
        "ready: OK (routes: 1, upstreams: 1, policies: 1, warnings: 0, not met: 0)"
    )


def test_what_is_not_met_fails_and_is_told_how_to_mend() -> None:
    result = check("--production")
    assert result.exit_code == 1
    assert (
        "not met  protection: a destroy deletes the tables"
        " (pulumi config set protect true --stack dev)"
    ) in result.stdout.splitlines()
    assert result.stdout.splitlines()[-1].startswith("dev: not ready for production (")


def test_without_the_option_there_is_no_checklist() -> None:
    assert check().stdout == "dev: OK (routes: 1, upstreams: 1, policies: 1, warnings: 0)\n"
    assert "checklist" not in document()


def test_a_script_reads_the_findings() -> None:
    found = document("--stack", "linted", "--strict")
    assert not found["passes"]
    assert found["verdict"] == "refused by --strict"
    assert found["warnings"] == [
        {
            "place": "tollgate:budgetTag",
            "message": "has no effect without monthlyBudgetUsd; set both or none",
        }
    ]
    assert found["counts"] == {"routes": 1, "upstreams": 1, "policies": 1, "warnings": 1}


def test_a_script_reads_the_mistakes() -> None:
    found = document("--stack", "broken", "--production")
    assert check("--json", "--stack", "broken").exit_code == 1
    assert [mistake["place"] for mistake in found["mistakes"]] == ["tollgate:routes[0].upstream"]
    assert (found["passes"], found["verdict"]) == (False, "mistakes")


def test_a_script_reads_the_checklist() -> None:
    [protection] = (i for i in document("--production")["checklist"] if i["topic"] == "protection")
    assert protection == {
        "topic": "protection",
        "verdict": "not met",
        "finding": "a destroy deletes the tables",
        "remedy": "pulumi config set protect true --stack dev",
    }
