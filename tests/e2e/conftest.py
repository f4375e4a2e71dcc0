"""The dev stack in an emulated account: the program's resources, its package, real requests."""

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pytest
from msgspec.structs import replace

from infra.archive import Package
from infra.package import build
from infra.target import Target
from tests.e2e.account import Account
from tests.e2e.client import Client
from tests.infra.engine import Answers, Graph, run
from tests.webapp.emulators import ministack
from webapp.local.demo import demo_upstreams
from webapp.settings import Settings
from webapp.settings.files import stack_values
from webapp.settings.read import read

# The emulator runs functions with its own interpreter, which is made from this one.
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"

STATUS_LIMIT = 3
LIMITS = [
    {"name": "per-user", "key": "user", "limit": 500, "window": 60},
    {
        "name": "status",
        "key": "ip",
        "limit": STATUS_LIMIT,
        "window": 3600,
        "routes": ["status"],
    },
]
CONFIG = {"runtime": RUNTIME, "architecture": ARCHITECTURE, "rateLimits": LIMITS}


class Deployed(NamedTuple):
    client: Client
    account: Account
    graph: Graph

    def output(self, name: str) -> Any:
        return self.graph.outputs[name]


@pytest.fixture(scope="package")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    output = tmp_path_factory.mktemp("package") / "package.zip"
    settings = read({**stack_values("dev"), **CONFIG}, "dev").settings
    with (
        mock.patch.dict(os.environ, AUTH="true", BIND_HOST="127.0.0.1"),
        ministack() as url,
        demo_upstreams(settings, settings.upstreams) as upstreams,
    ):

        def built(settings: Settings, target: Target, _output: Path, *_: object) -> Package:
            return build(_reaching(settings, upstreams), target, output)

        account = Account(url, Answers())
        graph = run("dev", answers=account, build=built, **CONFIG)
        port = url.rpartition(":")[2]
        host = f"{graph.outputs['api_id']}.execute-api.localhost:{port}"
        yield Deployed(Client(url, host), account, graph)


def _reaching(settings: Settings, urls: dict[str, str]) -> Settings:
    """As the stack has them but for the addresses: nobody vouches for a certificate here."""
    upstreams = {
        name: replace(upstream, url=urls[name], allow_insecure=True)
        for name, upstream in settings.upstreams.items()
    }
    return replace(settings, upstreams=upstreams)
