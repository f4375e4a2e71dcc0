import pytest

from tests.infra.engine import Graph, run


@pytest.fixture(scope="session")
def stack() -> Graph:
    """The prod stack with all on that alarms or outputs may hang on."""
    return run("prod", customDomain={"name": "api.example.com", "zoneId": "Z123456789ABC"})
