from collections.abc import Iterator

import pytest

from webapp.local.embedded import EmbeddedAws, embedded_aws
from webapp.settings import Runtime


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with embedded_aws() as account:
        yield account


@pytest.fixture
def runtime(aws: EmbeddedAws) -> Runtime:
    """Fresh tables and a fresh signing key."""
    return aws.runtime("dev")
