import re
import shutil
import subprocess
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from bootstrap.settings import Settings
from tests.workflows import ACTION, GITHUB, WORKFLOWS, Job, jobs, parsed, run, steps, triggers
from webapp.settings.files import ROOT, stack_values

ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
BIN = Path(sys.executable).parent
HOOKS = ROOT / ".pre-commit-config.yaml"

SET = "vars.PULUMI_BACKEND_URL != ''"
UNSET = "vars.PULUMI_BACKEND_URL == ''"
OWN_BRANCH = "github.event.pull_request.head.repo.full_name == github.repository"

ACCOUNT = Settings("owner/name", ("dev", "prod"), "")

# Whoever writes a comment or a fork's code would run something with this repository's rights.
STRANGERS = {"pull_request_target", "workflow_run", "issue_comment", "issues", "discussion"}

RIGHTS = {
    "check": {"contents": "read"},
    "preview": {"contents": "read", "id-token": "write", "pull-requests": "write"},
    "up": {"contents": "read", "id-token": "write"},
    "drift": {"contents": "read", "id-token": "write", "issues": "write"},
}


def lint(*command: str | Path) -> None:
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def job(workflow: str) -> Job:
    """The one that the workflow is for."""
    (found,) = [each for each in jobs() if (each.workflow, each.name) == (workflow, workflow)]
    return found


def updates() -> list[Job]:
    return [each for each in jobs() if each.body.get("uses") == "./.github/workflows/up.yml"]


def commands(pattern: str) -> set[str]:
    """What the pattern's group matches in all that steps and hooks run."""
    hooks = yaml.safe_load(HOOKS.read_text())["repos"][0]["hooks"]
    ran = [*(step.get("run", "") for step in steps()), *(hook["entry"] for hook in hooks)]
    return set(re.findall(pattern, "\n".join(ran)))


def test_zizmor_finds_nothing() -> None:
    lint(BIN / "zizmor", "--offline", "--pedantic", "--strict-collection", GITHUB, HOOKS)


def test_the_workflows_have_githubs_schema() -> None:
    schema = ("--builtin-schema", "vendor.github-workflows")
    lint(BIN / "check-jsonschema", *schema, *WORKFLOWS.values())


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("go"), reason="needs Go, which builds actionlint")
def test_actionlint_finds_nothing() -> None:
    lint("go", "run", ACTIONLINT, *WORKFLOWS.values())


def test_no_stranger_starts_a_workflow() -> None:
    assert not [name for name in WORKFLOWS if STRANGERS & triggers(name).keys()]


@pytest.mark.parametrize("path", [*WORKFLOWS.values(), ACTION], ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_with_their_version(path: Path) -> None:
    for used in re.findall(r"uses: (?!\./)(.+)", path.read_text()):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used)


def test_an_action_has_one_version() -> None:
    pins = {step["uses"] for step in steps() if "@" in step.get("uses", "")}
    assert not [name for name, count in Counter(p.split("@")[0] for p in pins).items() if count > 1]


def test_a_job_has_no_rights_but_those_it_needs() -> None:
    assert not [name for name, path in WORKFLOWS.items() if parsed(path)["permissions"]]
    for each in jobs():
        if each.name == "unset":
            assert not each.permissions()
        elif "uses" in each.body:
            assert each.permissions() == RIGHTS[Path(each.body["uses"]).stem]
        else:
            assert each.permissions() == RIGHTS[each.workflow]


def test_the_checkout_leaves_no_token_behind() -> None:
    checkouts = [step for step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] == "false" for step in checkouts)


def test_no_expression_is_pasted_into_a_script() -> None:
    assert not [step["run"] for step in steps() if "${{" in step.get("run", "")]


def test_only_branches_of_the_own_repository_are_previewed() -> None:
    assert triggers("preview").keys() == {"pull_request"}
    conditions = job("preview").condition().split(" && ")
    assert OWN_BRANCH in conditions
    assert SET in conditions


def test_the_preview_role_trusts_the_jobs_that_take_it() -> None:
    subjects = {"pull_request": "pull_request", "schedule": "ref:refs/heads/main"}
    takers = [each for each in jobs() if each.takes("AWS_PREVIEW_ROLE_ARN")]
    events = {event for each in takers for event in triggers(each.workflow)} & subjects.keys()
    assert {f"repo:owner/name:{subjects[event]}" for event in events} == {*ACCOUNT.previewing()}
    # A job in an environment has that for its subject.
    assert not [each.name for each in takers if "environment" in each.body]


def test_the_deploy_role_trusts_the_environments_of_the_jobs_that_take_it() -> None:
    assert [each.workflow for each in jobs() if each.takes("AWS_DEPLOY_ROLE_ARN")] == ["up"]
    assert job("up").body["environment"]["name"] == "${{ inputs.stack }}"
    subjects = [f"repo:owner/name:environment:{each.body['with']['stack']}" for each in updates()]
    assert subjects == ACCOUNT.deploying()


def test_nothing_is_deployed_that_did_not_pass() -> None:
    assert [each.body["needs"] for each in updates()] == ["check", "check"]
    assert triggers("up").keys() == {"workflow_call"}


def test_main_goes_to_dev_and_releases_to_prod() -> None:
    stacks = {each.name: each.condition() for each in jobs() if each.workflow == "deploy"}
    assert stacks["dev"] == "github.event_name == 'push' || inputs.stack == 'dev'"
    assert stacks["prod"].startswith("github.event_name == 'release' && ")
    assert triggers("deploy")["push"] == {"branches": ["main"]}
    assert triggers("deploy")["release"] == {"types": ["published"]}


def test_no_update_is_cut_off() -> None:
    for limits in (parsed(WORKFLOWS["deploy"])["concurrency"], job("up").body["concurrency"]):
        assert limits["cancel-in-progress"] == "false"
    assert job("up").body["concurrency"]["group"] == "up-${{ inputs.stack }}"


@pytest.mark.parametrize("workflow", ["preview", "up", "drift"])
def test_a_repository_without_variables_is_told_what_to_set(workflow: str) -> None:
    (unset,) = [each for each in jobs() if (each.workflow, each.name) == (workflow, "unset")]
    assert SET in job(workflow).condition()
    assert unset.condition() == UNSET
    assert "::notice" in unset.body["steps"][0]["run"]
    assert "docs/delivery.md" in unset.body["steps"][0]["run"]


def test_the_variables_are_those_that_the_page_sets() -> None:
    used = {
        name for path in WORKFLOWS.values() for name in re.findall(r"vars\.(\w+)", path.read_text())
    }
    page = (ROOT / "docs" / "delivery.md").read_text()
    assert used == set(re.findall(r"^gh variable set (\w+)", page, re.MULTILINE))
    assert used == set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))


def test_the_cli_is_the_one_that_the_requirements_go_with(tmp_path: Path) -> None:
    told = tmp_path / "output"
    ran = run("Read which Pulumi CLI requirements.txt goes with", ROOT, GITHUB_OUTPUT=str(told))
    assert ran.returncode == 0
    assert told.read_text() == f"pulumi={version('pulumi')}\n"


def test_packages_are_compiled_by_the_runtime_of_the_stacks() -> None:
    installed = [step.get("with", {}).get("python-version", "") for step in steps()]
    runtime = str(stack_values("prod")["runtime"])
    assert {f"python{versions.split()[0]}" for versions in installed if versions} == {runtime}
    assert commands(r"PYTHON=(\S+)") == {runtime}


def test_the_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert commands(r"\bmake ([a-z-]+)") <= targets


def test_hooks_run_what_the_requirements_pin() -> None:
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert commands(r"\.venv/bin/([\w-]+)") <= {"python", *locked}
