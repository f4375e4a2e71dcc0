"""Readiness: whether the signing key and both stores answer."""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import DoesNotExist, PynamoDBException

from webapp.errors import Problem
from webapp.gcra import NANOSECONDS
from webapp.keys import Keys
from webapp.tables import Stores

# So that whoever may ask without signing in cannot run up the bill.
_REMEMBERED = 5 * NANOSECONDS

_PROBE = "readiness"

REASONS = {
    "signing_key": "signing_key_unavailable",
    "session_store": "session_store_unavailable",
    "rate_limit_store": "rate_limit_store_unavailable",
}


class Readiness:
    def __init__(self, stores: Stores, keys: Keys, clock: Callable[[], int]) -> None:
        self._checks: dict[str, Callable[[], object]] = {
            "signing_key": keys.secrets,
            "session_store": lambda: _read_session(stores),
            "rate_limit_store": lambda: _read_counter(stores),
        }
        self._clock = clock
        self._checked_at: int | None = None
        self._failed: set[str] = set()

    def state(self) -> tuple[str, dict[str, str]]:
        """The reason for not being ready, "" if there is none; and each check by name."""
        now = self._clock()
        if self._checked_at is None or now - self._checked_at >= _REMEMBERED:
            self._failed = {name for name, check in self._checks.items() if _fails(check)}
            self._checked_at = now
        reason = next((REASONS[name] for name in self._checks if name in self._failed), "")
        return reason, {n: "failed" if n in self._failed else "ok" for n in self._checks}


def _fails(check: Callable[[], object]) -> bool:
    try:
        check()
    except (Problem, PynamoDBException, BotoCoreError, ClientError):
        return True
    return False


def _read_session(stores: Stores) -> None:
    try:
        stores.sessions.get(_PROBE, _PROBE)
    except DoesNotExist:
        return


def _read_counter(stores: Stores) -> None:
    stores.limits.get_item(
        TableName=stores.rate_limits_table, Key={"rate_limit_key": {"S": _PROBE}}
    )
