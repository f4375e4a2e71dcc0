from collections.abc import Iterator

import pytest

from tests.webapp.containers import Clock
from tests.webapp.faults import Faults, faulty
from webapp.local.embedded import EmbeddedAws, embedded_aws
from webapp.settings import Runtime
from webapp.tables import Stores


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with embedded_aws() as account:
        yield account


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


@pytest.fixture
def faults(aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """In front of the stores of this test: counts the calls to them, and makes them fail."""
    with faulty(aws.endpoint_url) as (proxy, url):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield proxy
