import errno
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from webapp.__main__ import main
from webapp.local.server import serving
from webapp.local.wire import Answer
from webapp.settings import read

PROJECT = "name: tollgate\n"
GOOD = """
config:
  tollgate:rateLimits:
    - {name: per-ip, key: ip, limit: 100, window: 60}
  tollgate:upstreams:
    app: {url: "https://app.example.com"}
  tollgate:routes:
    - {id: news, path: /news, upstream: app, auth: none}
"""
LINTED = GOOD + "    - {id: diary, path: /diary, upstream: app}\n"
BROKEN = """
config:
  tollgate:upstreams:
    app: {url: "http://app.example.com"}
  tollgate:routes:
    - {id: news, path: /news, upstream: ap, auth: none}
"""


@pytest.fixture(autouse=True)
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"yaml": PROJECT, "dev.yaml": GOOD, "linted.yaml": LINTED, "broken.yaml": BROKEN}
    for suffix, text in files.items():
        (tmp_path / f"Pulumi.{suffix}").write_text(text)
    load = functools.partial(read.load, directory=tmp_path)
    monkeypatch.setattr("webapp.settings.read.load", load)
    monkeypatch.setattr("webapp.local.serve.load", load)


@pytest.fixture
def taken_port() -> Iterator[str]:
    with serving(lambda _: Answer(204)) as url:
        yield str(urlsplit(url).port)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_check_counts_what_it_found() -> None:
    result = run("check")
    assert result.exit_code == 0
    assert result.stdout == "dev: OK (routes: 1, upstreams: 1, policies: 1, warnings: 0)\n"


def test_check_prints_every_mistake_on_a_line() -> None:
    result = run("check", "--stack", "broken")
    assert result.exit_code == 1
    assert [line.partition(": ")[0] for line in result.stdout.splitlines()] == [
        "tollgate:upstreams.app.url",
        "tollgate:routes[0].upstream",
    ]


@pytest.mark.parametrize(
    ("options", "code", "verdict"), [((), 0, "OK"), (("--strict",), 1, "refused by --strict")]
)
def test_warnings_fail_only_a_strict_check(
    options: tuple[str, ...], code: int, verdict: str
) -> None:
    result = run("check", "--stack", "linted", *options)
    assert result.exit_code == code
    assert result.stdout.startswith("warning: tollgate:upstreams.app: ")
    assert result.stdout.splitlines()[-1].startswith(f"linted: {verdict} (")


@pytest.mark.parametrize(("command", "code"), [("check", 1), ("serve", 2)])
def test_an_unknown_stack_is_one_line(command: str, code: int) -> None:
    result = run(command, "--stack", "brokn")
    assert result.exit_code == code
    assert result.output == (
        'Pulumi.brokn.yaml: no such stack (did you mean "broken"?); there are broken, dev, linted\n'
    )


def test_serve_names_the_mistakes_of_a_stack_on_stderr() -> None:
    result = run("serve", "--stack", "broken")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == run("check", "--stack", "broken").stdout


def test_serve_names_a_wrong_override() -> None:
    result = run("serve", "--upstream", "ap=http://127.0.0.1:1")
    assert result.exit_code == 2
    assert result.stderr == (
        '--upstream ap=http://127.0.0.1:1: no upstream named "ap" (did you mean "app"?)\n'
    )


def test_serve_names_a_port_that_is_taken(taken_port: str) -> None:
    result = run("serve", "--port", taken_port)
    assert result.exit_code == 2
    assert result.stderr == (
        f"--port {taken_port}: cannot listen there ({os.strerror(errno.EADDRINUSE)});"
        " choose another port, or 0 for any that is free\n"
    )


@pytest.mark.parametrize("command", ["serve", "check"])
def test_every_command_shows_an_example(command: str) -> None:
    result = run(command, "-h")
    assert result.exit_code == 0
    assert f"python -m webapp {command}" in result.stdout.partition("Example")[2]
