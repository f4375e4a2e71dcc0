import time
from collections.abc import Iterator
from types import SimpleNamespace

import botocore.session
import pytest
from botocore.client import Config

from tests.webapp.containers import Clock
from tests.webapp.faults import Faults
from webapp import tables
from webapp.local.embedded import EmbeddedAws, embedded_aws
from webapp.local.server import serving
from webapp.settings import Runtime
from webapp.tables import HASTY, Stores


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    """One for all tests; a busy machine gets more time than the 0.2 s of the shipped limiter."""
    relaxed = HASTY.merge(Config(connect_timeout=10, read_timeout=10))
    with embedded_aws() as account, pytest.MonkeyPatch.context() as patch:
        patch.setattr("webapp.tables.HASTY", relaxed)
        _read_service_models_once(patch)
        _retry_at_once(patch)
        yield account


def _read_service_models_once(patch: pytest.MonkeyPatch) -> None:
    """Half of the time of a test that has a container of its own would go into that."""
    new_session = tables.new_session
    loader = new_session().get_component("data_loader")

    def with_loader() -> botocore.session.Session:
        session = new_session()
        session.register_component("data_loader", loader)
        return session

    patch.setattr("webapp.tables.new_session", with_loader)


def _retry_at_once(patch: pytest.MonkeyPatch) -> None:
    """Clients of stores that fail wait before they ask again, for up to a second."""
    hurried = SimpleNamespace(**vars(time) | {"sleep": lambda _: None})
    patch.setattr("botocore.endpoint.time", hurried)


@pytest.fixture
def runtime(aws: EmbeddedAws) -> Runtime:
    """Fresh tables and a fresh signing key."""
    return aws.runtime("dev")


@pytest.fixture
def stores(runtime: Runtime) -> Stores:
    """What one container holds of them; another `Stores` is another container."""
    return Stores(runtime.sessions_table, runtime.rate_limits_table, runtime.region)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def proxy(aws: EmbeddedAws) -> Iterator[tuple[Faults, str]]:
    faults = Faults(aws.endpoint_url)
    with serving(faults) as url:
        yield faults, url


@pytest.fixture
def faults(proxy: tuple[Faults, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """In front of the stores of this test: counts the calls to them, and makes them fail."""
    found, url = proxy
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    yield found
    found.heal()
