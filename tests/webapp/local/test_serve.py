import io
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE
from typing import Any
from urllib.request import Request as Call
from urllib.request import urlopen

import pytest

from webapp.local.requestline import Exchange
from webapp.local.serve import follow, printer, reloaded
from webapp.local.watching import Watch
from webapp.local.wire import Answer, Request
from webapp.settings import Policy, Route, Settings, Upstream
from webapp.settings.mistakes import Mistake, Mistakes
from webapp.settings.read import Configuration
from webapp.settings.stack import Stack

ROOT = Path(__file__).parents[3]
BASH = shutil.which("bash")
SERVE = (sys.executable, "-W", "error", "-m", "webapp", "serve", "--port", "0")

needs_curl = pytest.mark.skipif(
    not (BASH and shutil.which("curl")), reason="bash or curl is not installed"
)


class Served:
    """`serve` in a process of its own. It prints into files: nobody has to empty a pipe."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._out, self._err = directory / "out", directory / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(SERVE, cwd=directory, stdout=out, stderr=err)

    @property
    def lines(self) -> list[str]:
        return self._out.read_text().splitlines()

    @property
    def errors(self) -> list[str]:
        return self._err.read_text().splitlines()

    @property
    def url(self) -> str:
        [url] = [text.split()[2] for text in self.lines if text.startswith("Listening on ")]
        return url

    def until(self, met: Callable[[], Any]) -> None:
        give_up = time.monotonic() + 30
        while not met():
            assert self.process.poll() is None, self.errors
            assert time.monotonic() < give_up, (self.lines, self.errors)
            threading.Event().wait(0.05)

    def end(self, number: signal.Signals) -> None:
        """It must end in peace."""
        self.process.send_signal(number)
        assert self.process.wait(timeout=20) == 0


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of what `serve` needs, whose stack files may be changed."""
    shutil.copytree(ROOT / "webapp", tmp_path / "webapp")
    for file in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


@pytest.fixture
def served(clone: Path) -> Iterator[Served]:
    made = Served(clone)
    try:
        made.until(lambda: any(text.startswith("  TOKEN=tg_") for text in made.lines))
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def paste(commands: list[str]) -> list[str]:
    """What each of these lines prints when they are pasted one after the other."""
    script = "\necho; echo ----\n".join(commands)
    run = subprocess.run(
        [str(BASH), "-c", script], check=False, text=True, capture_output=True, timeout=60
    )
    assert (run.returncode, run.stderr) == (0, "")
    return [part.strip() for part in run.stdout.split("----\n")]


@pytest.mark.slow
@needs_curl
def test_what_serve_prints_works_when_pasted(served: Served) -> None:
    commands = [line.strip() for line in served.lines if line.startswith("  ") and "curl" in line]
    health, without, token, called, forbidden, limited = paste(commands)
    served.end(signal.SIGINT)
    assert health.startswith("HTTP/1.1 200 OK")
    assert json.loads(health.splitlines()[-1])["environment"] == "dev"
    assert without.startswith("HTTP/1.1 401 ")
    assert token.startswith("tg_")
    assert called.startswith("HTTP/1.1 200 OK")
    assert '"x-user-id": "ada"' in called
    assert forbidden.startswith("HTTP/1.1 403 ")
    assert re.fullmatch(r"request \d+: 429", limited)
    assert " 429 GET /api/v1/status " in served.lines[-1]
    assert served.errors == []


@pytest.mark.slow
def test_a_running_gateway_takes_a_changed_stack_file(served: Served) -> None:
    [token] = [line for line in served.lines if line.startswith("  TOKEN=tg_")]
    bearer = {"Authorization": f"Bearer {token.removeprefix('  TOKEN=')}"}
    stack = served.directory / "Pulumi.dev.yaml"
    text = stack.read_text()
    stack.write_text(text + "  tollgate:routs: []\n")
    served.until(lambda: served.lines[-1].startswith("tollgate:routs: unknown key"))
    stack.write_text(text + "  tollgate:adminRole: root\n")
    served.until(lambda: served.lines[-1].startswith("reloaded: "))
    with urlopen(Call(f"{served.url}/auth/session", headers=bearer)) as answer:
        assert json.load(answer)["user_id"] == "ada"
    served.end(signal.SIGTERM)
    assert served.lines[-4:-1] == [
        "not reloaded, what was in force before stays:",
        'tollgate:routs: unknown key (did you mean "routes"?)',
        "reloaded: 8 routes, 4 upstreams, 2 policies",
    ]
    assert served.errors == []


@pytest.mark.slow
def test_a_script_gets_json_and_nothing_else_and_may_leave() -> None:
    command = [*SERVE, "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        said = next(line for line in process.stderr if line.startswith("Listening on "))
        health = f"{said.split()[2]}/health"
        urlopen(health).close()
        told = json.loads(process.stdout.readline())
        assert (told["route"], told["status"], told["Requests"]) == ("health", 200, 1)
        process.stdout.close()
        urlopen(health).close()
        gave_up = threading.Timer(20, process.kill)
        gave_up.start()
        left = process.stderr.read()
        gave_up.cancel()
    assert process.returncode == 0
    assert "Error" not in left


# printing


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(out: io.StringIO, monkeypatch: pytest.MonkeyPatch, *, as_json: bool = False) -> str:
    monkeypatch.setattr(sys, "stdout", out)
    tell = printer(as_json)
    tell(Exchange(Request("GET", "/a"), Answer(431), "", 0, 0))
    return out.getvalue()


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[33m431\x1b[0m" in printed(Terminal(), monkeypatch)
    assert "\x1b" not in printed(io.StringIO(), monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in printed(Terminal(), monkeypatch)


def test_what_the_gateway_never_logged_is_no_json_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(io.StringIO(), monkeypatch, as_json=True) == ""


# reloading


class Gateway:
    """Stands for a running one: nothing is started."""

    def __init__(self, settings: Settings, *idle: str) -> None:
        self.settings = settings
        self.demos: set[str] = set()
        self.idle = idle

    def take(self, configuration: Configuration) -> None:
        self.settings = configuration.settings


def settings(*upstreams: str, **fields: Any) -> Settings:
    known = {name: Upstream(url=f"http://{name}.example") for name in upstreams}
    return Settings(upstreams=known, **fields)


def reload(gateway: Gateway, given: Settings, *warnings: Mistake) -> list[str]:
    configuration = Configuration(given, Stack(), warnings)
    return reloaded(gateway, lambda: configuration)  # type: ignore[arg-type]


def test_a_reload_is_one_line() -> None:
    route = Route(id="a", path="/a", upstream="app")
    policy = Policy(name="per-ip", key="ip", limit=1, window=1)
    given = settings("app", routes=(route,), rate_limits=(policy, policy))
    assert reload(Gateway(settings("app")), given) == ["reloaded: 1 route, 1 upstream, 2 policies"]


def test_a_reload_tells_of_warnings_new_upstreams_and_idle_overrides() -> None:
    lines = reload(
        Gateway(settings("app"), "users"), settings("app", "shop"), Mistake("tollgate:cors", "odd")
    )
    assert lines[1:] == [
        "warning: tollgate:cors: odd",
        "upstream shop: http://shop.example",
        "--upstream users=...: no upstream has this name now",
    ]


def test_a_broken_file_changes_nothing_and_names_every_mistake() -> None:
    def read() -> Configuration:
        raise Mistakes([Mistake("tollgate:a", "wrong"), Mistake("tollgate:b", "wrong, too")])

    gateway = Gateway(settings("app"))
    assert reloaded(gateway, read) == [  # type: ignore[arg-type]
        "not reloaded, what was in force before stays:",
        "tollgate:a: wrong",
        "tollgate:b: wrong, too",
    ]
    assert list(gateway.settings.upstreams) == ["app"]


def test_every_tick_is_a_look(tmp_path: Path) -> None:
    file, reloads = tmp_path / "Pulumi.dev.yaml", 0
    contents = iter(["a", "b", "b", "b", "c", "c"])

    def ticks() -> Iterator[None]:
        for content in contents:
            file.write_text(content)
            yield

    def changed() -> None:
        nonlocal reloads
        reloads += 1

    file.write_text("a")
    follow(Watch([file]), ticks(), changed)
    assert reloads == 2
