"""The workflows of `.github/`, as data: what starts them, their jobs, steps and scripts."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from webapp.settings.files import ROOT

BASH = shutil.which("bash") or ""
GITHUB = ROOT / ".github"
WORKFLOWS = {path.stem: path for path in sorted((GITHUB / "workflows").glob("*.yml"))}
ACTION = GITHUB / "actions" / "pulumi" / "action.yml"


class Job(NamedTuple):
    workflow: str
    name: str
    body: dict[str, Any]

    def condition(self) -> str:
        return str(self.body.get("if", ""))

    def permissions(self) -> dict[str, str]:
        return dict(self.body.get("permissions", {}))

    def takes(self, role: str) -> bool:
        return any(role in str(step.get("with")) for step in self.body.get("steps", []))


@cache
def parsed(path: Path) -> dict[str, Any]:
    """Of strings only: `on` would otherwise be a truth value."""
    return dict(yaml.load(path.read_text(), yaml.BaseLoader))  # noqa: S506


def triggers(workflow: str) -> dict[str, Any]:
    return dict(parsed(WORKFLOWS[workflow])["on"])


def jobs() -> Iterator[Job]:
    for workflow, path in WORKFLOWS.items():
        for name, body in parsed(path)["jobs"].items():
            yield Job(workflow, name, body)


def steps() -> Iterator[dict[str, Any]]:
    """Of all jobs, and of the action that they share."""
    for job in jobs():
        yield from job.body.get("steps", [])
    yield from parsed(ACTION)["runs"]["steps"]


def run(step: str, directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script of the one step of this name, as a runner would."""
    (script,) = [str(each["run"]) for each in steps() if each.get("name") == step]
    return subprocess.run(
        [BASH, "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=directory,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
