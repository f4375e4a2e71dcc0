import pytest

from tests.infra.engine import Graph, run


@pytest.fixture(scope="session")
def dev() -> Graph:
    return run("dev")


@pytest.fixture(scope="session")
def prod() -> Graph:
    return run("prod")
