"""Whole builds by the command, as operators run them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra import bytecode
from infra.package import ROOT
from infra.target import Target

pytestmark = pytest.mark.slow

_BUILD = (sys.executable, "-m", "infra.package", "--stack", "dev")
Build = subprocess.Popen[str]

_HERE = f"python{sys.version_info.major}.{sys.version_info.minor}"


def clone(directory: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("infra", "webapp"):
        shutil.copytree(ROOT / name, directory / name, ignore=ignored)
    for path in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(path, directory)
    return directory


def started(directory: Path, *options: str, umask: int = 0o022, **environ: str) -> Build:
    return subprocess.Popen(
        [*_BUILD, *options],
        cwd=directory,
        env={**os.environ, **environ},
        umask=umask,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(build: Build) -> str:
    printed, progress = build.communicate()
    assert build.returncode == 0, progress
    return printed


def test_the_same_bytes_come_from_anywhere(tmp_path: Path) -> None:
    mine, yours = clone(tmp_path / "mine"), clone(tmp_path / "a" / "clone" / "of yours")
    builds = [
        started(mine, "--runtime", _HERE),
        started(
            yours,
            *("--runtime", _HERE),
            umask=0o077,
            LC_ALL="C",
            TZ="Asia/Tokyo",
            PYTHONHASHSEED="7",
            HOME=str(tmp_path),
        ),
    ]
    for build in builds:
        ended(build)
    first, second = ((place / "build" / "tollgate-dev.zip").read_bytes() for place in (mine, yours))
    assert first == second


def test_two_builds_at_once_in_one_clone_both_succeed(tmp_path: Path) -> None:
    place = clone(tmp_path / "clone")
    builds = [started(place, "--runtime", _HERE), started(place, "--runtime", _HERE)]
    first, second = (ended(build) for build in builds)
    assert first == second
    assert [path.name for path in (place / "build").glob("*.zip")] == ["tollgate-dev.zip"]


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
@pytest.mark.parametrize("runtime", ["python3.11", "python3.12", "python3.13", "python3.14"])
def test_every_runtime_is_built_and_started_for_every_architecture(
    tmp_path: Path, runtime: str, architecture: str
) -> None:
    if next(bytecode.find(Target(runtime)), None) is None:
        pytest.skip(f"no {runtime} on this machine to compile with")
    output = tmp_path / "a.zip"
    options = ("--runtime", runtime, "--architecture", architecture, "--output", str(output))
    build = started(ROOT, *options)
    _, progress = build.communicate()
    assert build.returncode == 0, progress
    assert "for want of" not in progress
    assert output.stat().st_size < 3_000_000
