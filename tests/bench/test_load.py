import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.load import main
from webapp.local.server import serving
from webapp.local.wire import Answer, Request

ROOT = Path(__file__).parents[2]


def test_mistakes_end_it_before_anything_is_started() -> None:
    result = CliRunner().invoke(main, ["--stack", "nowhere"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Pulumi.nowhere.yaml: no such stack")


@pytest.mark.slow
def test_the_local_gateway_holds_a_realistic_mix() -> None:
    options = ("--seconds", "12", "--users", "12", "--p95", "5000", "--p99", "9000", "--json")
    run = subprocess.run(
        [sys.executable, "-m", "bench.load", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    report = json.loads(run.stdout)
    assert report["surprises"] == []
    assert [check["told"] for check in report["checks"] if not check["passed"]] == []
    assert (run.returncode, report["passed"], run.stderr) == (0, True, "")
    asked = {entry["name"]: entry["requests"] for entry in report["entries"]}
    assert {
        "health",
        "public route",
        "sign in",
        "read, cookie",
        "after Retry-After",
    } <= asked.keys()
    assert asked["all"] > 100


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("not-a-url", "does not answer"),
        ("ftp://127.0.0.1", "does not answer"),
        ("http://127.0.0.1:9", "does not answer"),
    ],
)
def test_a_load_on_nobody_is_not_begun(url: str, said: str) -> None:
    done = CliRunner().invoke(main, ["--url", url])
    assert done.exit_code == 2
    assert said in done.stderr


def test_what_answers_but_is_no_gateway_is_not_loaded() -> None:
    def nobody(_: Request) -> Answer:
        return Answer(404, (), b"")

    with serving(nobody) as url:
        done = CliRunner().invoke(main, ["--url", url])
    assert done.exit_code == 2
    assert "/health answers 404" in done.stderr
