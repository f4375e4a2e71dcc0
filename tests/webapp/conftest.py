from collections.abc import Iterator

import pytest

from tests.webapp.containers import Clock
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
