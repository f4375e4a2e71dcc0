import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.workflows import BASH, run

pytestmark = pytest.mark.skipif(not BASH, reason="needs bash, as the runners have it")

PREVIEW = "Preview each stack that has a file here and a state there"
COMMENT = "Comment on the pull request, or change the comment that is there"
RELEASE = "Find what the stack should be"
COMPARE = "Compare"
ISSUE = "Open, update or close the issue"

RUN = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "owner/name",
    "GITHUB_RUN_ID": "42",
    "GITHUB_SHA": "abc",
    "HEAD": "def",
}


class Runner:
    """A job's directory, with `pulumi` and `gh` that note their arguments and say what is known."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.stacks("dev", "prod")
        self.finds("")

    def stacks(self, *names: str, code: int = 0, says: str = "Resources: 1 to update") -> None:
        known = "|".join(names)
        self._program(
            "pulumi", f"case $3 in {known}) echo '{says}'; exit {code} ;; *) exit 6 ;; esac"
        )

    def finds(self, what: str) -> None:
        self._program("gh", f"echo '{what}'")

    def run(self, step: str, **environment: str) -> int:
        environment = {**RUN, "GITHUB_OUTPUT": str(self.directory / "output"), **environment}
        path = f"{self.directory / 'bin'}{os.pathsep}{os.environ['PATH']}"
        self.ran = run(step, self.directory, **{**environment, "PATH": path})
        return self.ran.returncode

    def calls(self, program: str) -> list[str]:
        noted = self.directory / f"{program}.calls"
        return noted.read_text().splitlines() if noted.exists() else []

    def output(self) -> str:
        return (self.directory / "output").read_text()

    def _program(self, name: str, does: str) -> None:
        path = self.directory / "bin" / name
        path.parent.mkdir(exist_ok=True)
        noted = self.directory / f"{name}.calls"
        path.write_text(f'#!/bin/sh\necho "$*" >> "{noted}"\n{does}\n')
        path.chmod(0o755)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def files(runner: Runner, stacks: Iterable[str]) -> None:
    for stack in stacks:
        (runner.directory / f"Pulumi.{stack}.yaml").touch()


def test_a_preview_is_of_every_stack_that_there_is(runner: Runner) -> None:
    files(runner, ["dev", "prod", "staging"])
    assert runner.run(PREVIEW) == 0
    page = (runner.directory / "preview.md").read_text()
    assert page.startswith("<!-- tollgate-preview -->\n")
    assert page.count("Resources: 1 to update") == 2
    assert "--stack staging" not in page
    assert "pulumi stack init staging" in runner.ran.stdout
    assert (
        "Of def, merged; [the whole output](https://github.com/owner/name/actions/runs/42)" in page
    )


def test_a_preview_that_fails_is_on_the_page_too(runner: Runner) -> None:
    files(runner, ["dev"])
    runner.stacks("dev", code=2, says="tollgate:routes[3].upstream: no upstream named user")
    assert runner.run(PREVIEW) == 1
    page = (runner.directory / "preview.md").read_text()
    assert "**failed**" in page
    assert "no upstream named user" in page


def test_a_long_preview_fits_into_a_comment_and_keeps_its_end(runner: Runner) -> None:
    files(runner, ["dev", "prod"])
    runner.stacks("dev", "prod", says="x" * 100_000 + " the end")
    assert runner.run(PREVIEW) == 0
    page = (runner.directory / "preview.md").read_text()
    assert len(page) < 65_536
    assert page.count("the end") == 2


@pytest.mark.parametrize(
    ("found", "call"),
    [
        ("", "POST repos/owner/name/issues/7/comments"),
        ("9", "PATCH repos/owner/name/issues/comments/9"),
    ],
)
def test_a_pull_request_has_one_comment(runner: Runner, found: str, call: str) -> None:
    runner.finds(found)
    assert runner.run(COMMENT, NUMBER="7") == 0
    assert runner.calls("gh")[-1] == f"api --silent --method {call} --field body=@preview.md"


@pytest.mark.parametrize(("stack", "ref"), [("dev", "abc"), ("prod", "v1.4.0")])
def test_prod_should_be_the_latest_release(runner: Runner, stack: str, ref: str) -> None:
    runner.finds("v1.4.0")
    assert runner.run(RELEASE, STACK=stack) == 0
    assert runner.output() == f"ref={ref}\n"


def test_without_a_release_there_is_no_prod_to_look_at(runner: Runner) -> None:
    assert runner.run(RELEASE, STACK="prod") == 0
    assert runner.output() == "ref=\n"
    assert "::notice::" in runner.ran.stdout


@pytest.mark.parametrize(("code", "drifted"), [(0, "no"), (7, "yes")])
def test_changes_are_drift(runner: Runner, code: int, drifted: str) -> None:
    runner.stacks("prod", code=code)
    assert runner.run(COMPARE, STACK="prod") == 0
    assert runner.output() == f"drifted={drifted}\n"
    assert "--refresh --expect-no-changes" in runner.calls("pulumi")[-1]


def test_a_failure_to_look_is_none(runner: Runner) -> None:
    runner.stacks("prod", code=3)
    assert runner.run(COMPARE, STACK="prod") == 3
    assert not (runner.directory / "output").exists()


def test_a_stack_that_is_not_there_has_not_drifted(runner: Runner) -> None:
    runner.stacks("dev")
    assert runner.run(COMPARE, STACK="prod") == 0
    assert not (runner.directory / "output").exists()
    assert "pulumi stack init prod" in runner.ran.stdout


@pytest.mark.parametrize(
    ("drifted", "found", "call"),
    [
        ("yes", "", "issue create --title Drift: prod is not what its program says --body-file"),
        ("yes", "5", "issue edit 5 --body-file"),
        ("no", "5", "issue close 5 --comment prod is clean again"),
        ("no", "", "issue list"),
    ],
)
def test_drift_has_one_issue(runner: Runner, drifted: str, found: str, call: str) -> None:
    (runner.directory / "drift.txt").write_text("~ aws:lambda:Function: (update)\n")
    runner.finds(found)
    assert runner.run(ISSUE, STACK="prod", DRIFTED=drifted) == 0
    assert runner.calls("gh")[-1].startswith(call)
    told = runner.directory / "issue.md"
    assert told.exists() is (drifted == "yes")
    assert not told.exists() or "aws:lambda:Function" in told.read_text()
