import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from webapp.settings.files import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, ("bash", "curl", "make", "openssl"))),
        reason="needs bash, curl, make and openssl",
    ),
]

BASH = shutil.which("bash") or ""
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```bash\n(.+?)^```", README, re.MULTILINE | re.DOTALL)

# The engine needs an account; these are the words that it is known to take.
PULUMI = """#!/usr/bin/env bash
case "$*" in
  login|"login s3://"*|"stack init "*|up|"config set permissionsBoundaryArn "*) ;;
  "config set --secret signingKey") cat > /dev/null ;;
  "stack output api_url") echo "$API_URL" ;;
  *) echo "no such line: pulumi $*" >&2; exit 64 ;;
esac
"""
MAKE = """#!/usr/bin/env bash
exec {make} --dry-run --silent "$@"
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What `make run` prints, from its virtual environment if there is one."""
    told = tmp_path_factory.mktemp("serve") / "told"
    command = (sys.executable, "-m", "webapp", "serve", "--port", "0")
    with told.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out)
    try:
        yield _welcome(process, told)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _welcome(process: subprocess.Popen[bytes], told: Path) -> str:
    give_up = time.monotonic() + 30
    while "\n  export " not in told.read_text():
        assert process.poll() is None
        assert time.monotonic() < give_up
        time.sleep(0.05)
    return told.read_text()


@pytest.fixture
def shell(serving: str, tmp_path: Path) -> dict[str, str]:
    """Where the README's lines run: the stores of `make run`, and an engine without an account."""
    for name, script in (("pulumi", PULUMI), ("make", MAKE.format(make=shutil.which("make")))):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    [exported] = re.findall(r"^  export (.+)$", serving, re.MULTILINE)
    stores = dict(pair.split("=", 1) for pair in exported.split())
    path = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | stores | {"PATH": path, "API_URL": _url(serving)}


def _url(serving: str) -> str:
    [url] = re.findall(r"^Listening on (\S+)", serving, re.MULTILINE)
    return url


@pytest.mark.parametrize("block", BLOCKS)
def test_every_line_of_the_readme_works(block, serving, shell):
    script = block.replace("http://127.0.0.1:8080", _url(serving))

    done = subprocess.run(
        (BASH, "-euo", "pipefail", "-c", script),
        cwd=ROOT, env=shell, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


def test_the_first_request_is_answered_by_a_service_behind_the_gateway(serving):
    [line] = [line for block in BLOCKS for line in block.splitlines() if "/api/v1/status" in line]
    path = line.partition("8080")[2]

    with urlopen(_url(serving) + path) as answer:
        assert json.load(answer)["upstream"] == "status"
