import os
import threading
import time
from collections.abc import Iterator

import pytest

from tests.webapp.cases import CASES, TOKEN, Case
from tests.webapp.containers import Clock, routes
from tests.webapp.doors import DOORS, Asked, Door
from tests.webapp.upstreams import Received, Upstream, answering, raw_answer, upstream
from webapp.bridge import Handler, make_handler
from webapp.gateway import create_app
from webapp.local.embedded import EmbeddedAws
from webapp.settings import Runtime, Settings
from webapp.settings import Upstream as UpstreamSettings

TIMEOUT = 0.3
PATIENCE = 10.0
TOLERANCE = 0.1 * TIMEOUT
BUSY = 0.25  # seconds that a busy machine may take for everything but the exchange


# The same door to a gateway that gives upstreams little time (True), or much.
Doors = dict[bool, Door]


@pytest.fixture(scope="module")
def server() -> Iterator[Upstream]:
    with upstream() as made:
        yield made


@pytest.fixture(scope="module")
def runtime(aws: EmbeddedAws) -> Runtime:
    return aws.runtime("dev")


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


def made(runtime: Runtime, server: Upstream, clock: Clock, timeout: float) -> Handler:
    service = UpstreamSettings(url=server.url, allow_insecure=True, timeout=timeout)
    other = UpstreamSettings(url="https://other.example", secret_header="X-Proof")
    settings = Settings(upstreams={"svc": service, "other": other}, routes=routes())
    return make_handler(create_app(settings, runtime, clock=clock))


@pytest.fixture(scope="module")
def handler(runtime: Runtime, server: Upstream, clock: Clock) -> Handler:
    """Only what is to be late has little time: a busy machine may be slow with the rest."""
    return made(runtime, server, clock, PATIENCE)


@pytest.fixture(scope="module", params=DOORS)
def door(
    request: pytest.FixtureRequest,
    runtime: Runtime,
    server: Upstream,
    clock: Clock,
    handler: Handler,
) -> Iterator[Doors]:
    hasty = made(runtime, server, clock, TIMEOUT)
    with DOORS[request.param](handler) as patient, DOORS[request.param](hasty) as late:
        yield {True: late, False: patient}


@pytest.fixture(autouse=True)
def rested(server: Upstream, clock: Clock) -> None:
    """Long enough after whatever went wrong before."""
    server.script = answering(raw_answer())
    server.received.clear()
    clock.advance(11)


def check(case: Case, door: Doors, server: Upstream) -> None:
    if case.script:
        server.script = case.script
    started = time.monotonic()
    late = case.code == "upstream_timeout"
    got = door[late](case.asked)
    assert not late or time.monotonic() - started < TIMEOUT + TOLERANCE + BUSY
    assert (got.status, got.code) == (case.status, case.code)
    tries = case.tries if case.tries is not None else int(case.code is None)
    assert len(server.received) == tries
    for name, value in case.got.items():
        assert got.values(name) == ([] if value is None else [value])
    assert case.body is None or got.body == case.body
    if case.code is None:
        check_what_was_sent(case, server.last)
    assert TOKEN not in str(server.received)


def check_what_was_sent(case: Case, sent: Received) -> None:
    assert sent.body == case.asked.body
    assert case.line is None or sent.line == case.line
    for name, value in case.sent.items():
        assert sent.header(name) == value
    names = [name for name, _ in sent.headers]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_both_doors_do_the_same(case: Case, door: Doors, server: Upstream) -> None:
    check(case, door, server)


def test_faults_leave_nothing_behind(handler: Handler, server: Upstream, clock: Clock) -> None:
    faults = [case for case in CASES if case.kind == "fault" and case.status == 502]
    with DOORS["event"](handler) as door:
        door(Asked())
        threads, files = threading.active_count() + 1, open_files() + 2
        for case in faults:
            server.script = case.script or server.script
            clock.advance(11)
            assert door(case.asked).code == case.code
    # The other ends are in this process, too, and take a moment to notice.
    patience = time.monotonic() + 5
    while threading.active_count() > threads or open_files() > files:
        assert time.monotonic() < patience
        threading.Event().wait(0.01)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208
