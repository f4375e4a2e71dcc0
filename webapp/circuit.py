"""A circuit breaker: an upstream or a store that keeps failing is left alone for a while."""

from collections.abc import Callable
from threading import Lock

from webapp.errors import Problem
from webapp.gcra import NANOSECONDS

FAILURES = 5
PAUSE = 10 * NANOSECONDS


class Circuit:
    """Closed until `FAILURES` exchanges in a row fail, then open for `PAUSE`, then half-open: one
    request tries, and its outcome closes the circuit or opens it again.

    One per upstream, or store, and container (M. Nygard, Release It!, "Circuit Breaker").
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._failures = 0
        self._try_at = 0
        self._lock = Lock()

    @property
    def state(self) -> str:
        if self._failures < FAILURES:
            return "closed"
        return "open" if self._clock() < self._try_at else "half-open"

    def enter(self) -> None:
        """Ask before an exchange. Raises a Problem (503) while the circuit is open."""
        if wait := self.wait():
            raise Problem(
                "upstream_unavailable",
                "The service behind this route keeps failing.",
                headers={"Retry-After": str(-(-wait // NANOSECONDS))},
            )

    def wait(self) -> int:
        """0 when an exchange may begin now, or the nanoseconds until one may."""
        with self._lock:
            state, now = self.state, self._clock()
            wait = self._try_at - now
            if state == "half-open":
                # Open to all others; should the outcome never come, the next try is due then.
                self._try_at = now + PAUSE
        return wait if state == "open" else 0

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._try_at = self._clock() + PAUSE
