import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.request import urlopen

import pytest
from msgspec.structs import replace

from webapp.local.requestline import Exchange, RequestLines
from webapp.local.running import running
from webapp.settings import Route
from webapp.settings.read import Configuration, load

ROOT = Path(__file__).parents[3]
BASH = shutil.which("bash")
EXAMPLES = 10
PLENTY = 1_000_000

MORE = (
    Route(id="files", path="/files/{rest+}", upstream="status", auth="none"),
    Route(id="file", path="/files/{name}", upstream="status", auth="optional"),
)

# The demo services keep nothing: what was deleted is there as before.
EXCLUDED = "use_after_free"


class Served:
    """A gateway to ask until the block ends, and which (route, method) it answered with 2xx."""

    def __init__(self) -> None:
        self.url = ""
        self.well: set[tuple[str, str]] = set()

    def tell(self, exchange: Exchange) -> None:
        if exchange.log and exchange.answer.status < 300:
            log = json.loads(exchange.log)
            self.well.add((log["route"], log["method"]))


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The dev stack where nobody has to wait: 429 would hide all other answers."""
    monkeypatch.setattr("webapp.guards._FORGED_LIMIT", PLENTY)
    configuration = load("dev")
    given = configuration.settings
    settings = replace(
        given,
        routes=(*given.routes, *MORE),
        rate_limits=tuple(replace(p, limit=PLENTY, burst=PLENTY) for p in given.rate_limits),
        sign_in_guard=replace(given.sign_in_guard, limit=PLENTY),
    )
    made = Served()
    roomy = Configuration(settings, configuration.stack, ())
    with running(roomy, 0, {}, RequestLines(made.tell)) as gateway:
        made.url = gateway.url
        yield made


def schemathesis(url: str, directory: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"]
    options = ["--max-examples", str(EXAMPLES), "--exclude-checks", EXCLUDED, "--no-color"]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.webapp.apidocs.signing_in",
        "SIGN_IN": f"{url}/api/v1/login",
    }
    return subprocess.run(
        [*command, *options],
        check=False,
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.slow
def test_the_gateway_behaves_as_it_describes_itself(served: Served, tmp_path: Path) -> None:
    run = schemathesis(served.url, tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    with urlopen(f"{served.url}/openapi.json") as answer:
        paths = json.load(answer)["paths"]
    told = {operation["operationId"] for item in paths.values() for operation in item.values()}
    well = {f"{method.lower()}_{route}" for route, method in served.well}
    well |= {f"tollgate.{route}" for route, _ in served.well}
    assert told <= well


@pytest.mark.slow
@pytest.mark.skipif(not (BASH and shutil.which("curl")), reason="bash or curl is not installed")
def test_the_lines_of_the_page_work_when_pasted(served: Served) -> None:
    with urlopen(f"{served.url}/docs") as answer:
        found = re.findall("<pre>(.*?)</pre>", answer.read().decode(), re.DOTALL)
    sign_in, *calls = (unescape(re.sub("<[^>]*>", "", line)) for line in found)
    credentials = json.dumps({"user": "ada", "roles": ["user", "admin"]})
    lasting = [line for line in calls if not re.search("(DELETE|POST).*/auth/|/logout", line)]
    script = "\necho\n".join([sign_in.replace("{}", credentials), *lasting])
    run = subprocess.run(
        [str(BASH), "-c", script], check=True, capture_output=True, text=True, timeout=120
    )
    assert run.stdout.startswith("tg_")
    statuses = re.findall(r"^HTTP/1\.1 (\d+)", run.stdout, re.MULTILINE)
    # A sign-in with an empty object fails.
    refused = [line for line, status in zip(lasting, statuses, strict=True) if status >= "300"]
    assert [line.rpartition("/")[2] for line in refused] == ["login"]
