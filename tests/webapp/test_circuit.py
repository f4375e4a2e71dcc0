import pytest

from webapp.circuit import FAILURES, PAUSE, Circuit
from webapp.errors import Problem


class Upstream:
    """A circuit on a clock of its own."""

    def __init__(self) -> None:
        self.now = 0
        self.circuit = Circuit(lambda: self.now)

    def fail(self, times: int) -> None:
        for _ in range(times):
            self.circuit.enter()
            self.circuit.failed()


def test_it_opens_after_failures_in_a_row() -> None:
    upstream = Upstream()
    upstream.fail(FAILURES - 1)
    assert upstream.circuit.state == "closed"
    upstream.fail(1)
    assert upstream.circuit.state == "open"
    with pytest.raises(Problem) as raised:
        upstream.circuit.enter()
    assert (raised.value.status, raised.value.headers["Retry-After"]) == (503, "10")


def test_a_success_between_starts_the_count_anew() -> None:
    upstream = Upstream()
    upstream.fail(FAILURES - 1)
    upstream.circuit.succeeded()
    upstream.fail(FAILURES - 1)
    assert upstream.circuit.state == "closed"


def test_one_request_tries_after_the_pause_and_closes_it() -> None:
    upstream = Upstream()
    upstream.fail(FAILURES)
    upstream.now += PAUSE
    assert upstream.circuit.state == "half-open"
    upstream.circuit.enter()
    with pytest.raises(Problem):
        upstream.circuit.enter()
    upstream.circuit.succeeded()
    assert upstream.circuit.state == "closed"


def test_a_failed_try_opens_it_for_another_pause() -> None:
    upstream = Upstream()
    upstream.fail(FAILURES)
    upstream.now += PAUSE
    upstream.fail(1)
    upstream.now += PAUSE - 1
    assert upstream.circuit.state == "open"


def test_a_try_without_outcome_does_not_keep_it_open_for_good() -> None:
    upstream = Upstream()
    upstream.fail(FAILURES)
    upstream.now += PAUSE
    upstream.circuit.enter()
    upstream.now += PAUSE
    upstream.circuit.enter()
