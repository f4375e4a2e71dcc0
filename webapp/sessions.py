"""Sessions: rows that say who is signed in, whatever a token claims."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import NamedTuple

from pynamodb.exceptions import DoesNotExist, PynamoDBException

from webapp.errors import Problem
from webapp.gcra import NANOSECONDS
from webapp.settings import SessionSettings
from webapp.tables import Session, Stores
from webapp.tokens import Token

# A refused token may still be asked about for this long: rows outlive their session by it.
_KEPT_SECONDS = 86_400
_MAX_USER_AGENT = 256
_CONDITION_FAILED = "ConditionalCheckFailedException"


class Identity(NamedTuple):
    """Who is calling. Times are seconds since the epoch; `session_hash` is the row's key."""

    user_id: str
    roles: tuple[str, ...]
    session_hash: str
    created_at: int
    expires_at: int

    @property
    def display_id(self) -> str:
        """Names the session to people and upstreams; useless for signing in."""
        return self.session_hash[:16]


def digest(session_id: str) -> str:
    """The key of a session's row; ids are random, so nobody finds one by hashing guesses."""
    return sha256(session_id.encode()).hexdigest()


class Sessions:
    """Every write to a session that exists is conditional on its being there and not revoked."""

    def __init__(self, stores: Stores, rules: SessionSettings, clock: Callable[[], int]) -> None:
        self._stores = stores
        self._rules = rules
        self._clock = clock

    def start(self, user_id: str, roles: tuple[str, ...], client_ip: str, user_agent: str) -> Token:
        """A new session. Raises a Problem (503) when it cannot be stored."""
        now = self._now()
        token = Token(user_id, secrets.token_urlsafe(32), now + self._rules.ttl)
        model = self._stores.sessions
        ends_at = now + self._rules.max_lifetime
        row = model(
            user_id,
            digest(token.session_id),
            roles=list(roles),
            created_at=now,
            last_used_at=now,
            expires_at=token.expires_at,
            ends_at=ends_at,
            client_ip=client_ip,
            user_agent=user_agent[:_MAX_USER_AGENT],
            ttl=ends_at + _KEPT_SECONDS,
        )
        with _store_errors():
            row.save(model.session_id.does_not_exist())
        return token

    def read(self, token: Token) -> Identity:
        """Who a verified token stands for now.

        Raises a Problem: 401 for a row that is missing, revoked or expired, 503 without an answer.
        """
        with _store_errors():
            try:
                row = self._stores.sessions.get(
                    token.user_id, digest(token.session_id), consistent_read=True
                )
            except DoesNotExist:
                raise _revoked() from None
        if row.revoked_at is not None:
            raise _revoked()
        if row.expires_at <= self._now():
            raise Problem("session_expired", "The session has expired: sign in again.")
        return _identity(row)

    def revoke(self, user_id: str, session_hash: str) -> bool:
        """End a session at once and everywhere; False when there is none that is alive."""
        model = self._stores.sessions
        alive = model.session_id.exists() & model.revoked_at.does_not_exist()
        with _store_errors():
            try:
                model(user_id, session_hash).update(
                    actions=[model.revoked_at.set(self._now())], condition=alive
                )
            except PynamoDBException as error:
                if error.cause_response_code != _CONDITION_FAILED:
                    raise
                return False
        return True

    def _now(self) -> int:
        return self._clock() // NANOSECONDS


def _identity(row: Session) -> Identity:
    return Identity(
        user_id=row.user_id,
        roles=tuple(row.roles),
        session_hash=row.session_id,
        created_at=int(row.created_at),
        expires_at=int(row.expires_at),
    )


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except PynamoDBException as error:
        raise Problem(
            "session_store_unavailable", "Sessions cannot be read or written at the moment."
        ) from error


def _revoked() -> Problem:
    return Problem("session_revoked", "The session has ended: sign in again.")
