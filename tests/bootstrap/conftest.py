import pytest

from tests.bootstrap.engine import run
from tests.infra.engine import Graph


@pytest.fixture(scope="session")
def account() -> Graph:
    return run()
