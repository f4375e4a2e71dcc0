import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request as Call
from urllib.request import urlopen

import pytest

from webapp.local.demo import demo
from webapp.local.serve import localised, overridden, ready_token, running
from webapp.local.server import serving
from webapp.settings import Settings, Upstream
from webapp.settings.mistakes import Mistakes
from webapp.settings.read import load

ROOT = Path(__file__).parents[3]
SETTINGS = Settings(
    upstreams={
        "users": Upstream(url="https://users.example.com"),
        "shop": Upstream(url="https://shop.example.com"),
    },
    edge=True,
    public_host="api.example.com",
)

BASH = shutil.which("bash")

needs_curl = pytest.mark.skipif(
    not (BASH and shutil.which("curl")), reason="bash or curl is not installed"
)


class Served:
    """`serve` in a process of its own. It prints into a file: nobody has to empty a pipe."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self.output = output

    @property
    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()

    def end(self, number: signal.Signals) -> None:
        """It must end in peace."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=20)
        assert (self.process.returncode, err) == (0, b"")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    command = [sys.executable, "-W", "error", "-m", "webapp", "serve", "--port", "0"]
    output = tmp_path / "output"
    with (
        output.open("wb") as out,
        subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.PIPE) as process,
    ):
        made = Served(process, output)
        try:
            give_up = time.monotonic() + 30
            while not any(line.startswith("  TOKEN=tg_") for line in made.lines):
                assert process.poll() is None
                assert time.monotonic() < give_up, made.lines
                threading.Event().wait(0.05)
            yield made
        finally:
            process.kill()


def paste(commands: list[str]) -> list[str]:
    """What each of these lines prints when they are pasted one after the other."""
    script = "\necho; echo ----\n".join(commands)
    run = subprocess.run(
        [str(BASH), "-c", script], check=False, text=True, capture_output=True, timeout=60
    )
    assert (run.returncode, run.stderr) == (0, "")
    return [part.strip() for part in run.stdout.split("----\n")]


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
    assert json.loads(served.lines[-1])["status"] == 429


def test_the_printed_token_is_ready(served: Served) -> None:
    [url] = [line.split()[2] for line in served.lines if line.startswith("Listening on ")]
    [token] = [line for line in served.lines if line.startswith("  TOKEN=tg_")]
    bearer = {"Authorization": f"Bearer {token.removeprefix('  TOKEN=')}"}
    with urlopen(Call(f"{url}/auth/session", headers=bearer)) as answer:
        assert json.load(answer)["user_id"] == "ada"
    served.end(signal.SIGTERM)


def test_own_services_take_the_place_of_demos() -> None:
    configuration = load("dev")
    with serving(demo(configuration.settings, "users")) as url:
        chosen = {"users": url + "/own", "status": url}
        with running(configuration, 0, chosen) as gateway:
            assert gateway.settings.upstreams["users"].url == url + "/own"
            assert sorted(gateway.demos) == ["admin", "products"]
            with urlopen(gateway.url + "/api/v1/status") as answer:
                assert json.load(answer)["upstream"] == "users"
            assert ready_token(gateway) is None


def test_the_cookie_works_over_plain_http() -> None:
    with running(load("dev"), 0, {}) as gateway:
        token = ready_token(gateway)
        call = Call(f"{gateway.url}/auth/session", headers={"Cookie": f"session={token}"})
        with urlopen(call) as answer:
            assert json.load(answer)["user_id"] == "ada"
        call.add_header("Cookie", "session=tg_forged")
        with pytest.raises(HTTPError, match="401") as refused:
            urlopen(call)
        cleared = refused.value.headers["Set-Cookie"]
        refused.value.close()
    assert cleared.startswith("session=;")
    assert "Secure" not in cleared


def test_only_what_needs_an_account_or_https_differs_here() -> None:
    here = localised(SETTINGS, {"users": "http://127.0.0.1:1", "shop": "http://127.0.0.1:2"})
    assert here.upstreams["shop"] == Upstream(url="http://127.0.0.1:2", allow_insecure=True)
    assert (here.session.cookie_name, here.session.secure) == ("session", False)
    assert (here.edge, here.public_host) == (False, "")
    assert here.routes == SETTINGS.routes


def test_overrides_may_be_plain_and_have_a_path() -> None:
    given = ["users=http://127.0.0.1:9000/base", "shop=https://x.example.com"]
    assert overridden(SETTINGS, given) == {
        "users": "http://127.0.0.1:9000/base",
        "shop": "https://x.example.com",
    }


@pytest.mark.parametrize(
    ("override", "remedy"),
    [
        ("users", "write NAME=URL, such as users=http://127.0.0.1:9000"),
        ("usres=http://a.example", 'no upstream named "usres" (did you mean "users"?)'),
        ("users=ftp://a.example", "is not an address such as https://users.example.com"),
        ("users=", "is not an address such as https://users.example.com"),
        ("users=http://a.example?q", "must not carry a query or a fragment"),
    ],
)
def test_wrong_overrides_are_named_with_a_remedy(override: str, remedy: str) -> None:
    with pytest.raises(Mistakes) as mistakes:
        overridden(SETTINGS, ["shop=http://a.example", override])
    assert str(mistakes.value) == f"--upstream {override}: {remedy}"


def test_all_wrong_overrides_are_named() -> None:
    with pytest.raises(Mistakes) as mistakes:
        overridden(SETTINGS, ["users", "shop"])
    assert len(mistakes.value.mistakes) == 2
