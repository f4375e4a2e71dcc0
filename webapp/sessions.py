"""Sessions: rows that say who is signed in, whatever a token claims."""

import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from typing import Any, NamedTuple

from webapp.errors import Problem
from webapp.gcra import NANOSECONDS
from webapp.recent import Recent
from webapp.roster import Roster
from webapp.rows import Key, Rows, family_of, key_of_row
from webapp.settings import SessionSettings
from webapp.tables import Session, Stores
from webapp.tokens import Token

# Whoever sends a token that was refreshed so lately may not have heard of the new one.
GRACE_SECONDS = 30

# A refused token may still be asked about for this long: rows outlive their session by it.
_KEPT_SECONDS = 86_400

_USE_NOTED_EVERY = 60
_REMEMBERED_SESSIONS = 10_000
_MAX_USER_AGENT = 256


class Identity(NamedTuple):
    """Who is calling. Times are seconds since the epoch; `session_hash` is the row's key.

    `family` stays the same when a session is refreshed: that buys nobody new rate limits.
    """

    user_id: str
    roles: tuple[str, ...]
    session_hash: str
    created_at: int
    expires_at: int
    ends_at: int = 0
    last_used_at: int = 0
    family: str = ""

    @property
    def display_id(self) -> str:
        return display_id(self.session_hash)

    @property
    def key(self) -> Key:
        return Key(self.user_id, self.session_hash)


class Device(NamedTuple):
    """Where a session is used."""

    client_ip: str
    user_agent: str


class Superseded(Problem):
    """A token that was refreshed a moment ago: whoever sent it may hold its successor by now."""

    def __init__(self) -> None:
        super().__init__("session_revoked", "The session goes on under a newer token.")


def digest(session_id: str) -> str:
    """The key of a session's row; ids are random, so nobody finds one by hashing guesses."""
    return sha256(session_id.encode()).hexdigest()


def display_id(session_hash: str) -> str:
    """Names a session to people and upstreams; useless for signing in."""
    return session_hash[:16]


def key_of(token: Token) -> Key:
    return Key(token.user_id, digest(token.session_id))


class Sessions:
    """Every write to a session that exists is conditional on its being there and alive.

    Whatever asks the table raises a Problem (503) when that does not answer.
    """

    def __init__(self, stores: Stores, rules: SessionSettings, clock: Callable[[], int]) -> None:
        self.rows = Rows(stores)
        self.roster = Roster(self.rows, self.now, self.forget)
        self._rules = rules
        self._clock = clock
        self._trusted: Recent[Key, tuple[Identity, int] | None] = Recent(_REMEMBERED_SESSIONS)

    def now(self) -> int:
        return self._clock() // NANOSECONDS

    def start(self, user_id: str, roles: Iterable[str], device: Device) -> Token:
        now = self.now()
        token = Token(user_id, secrets.token_urlsafe(32), now + self._rules.ttl)
        ends_at = now + self._rules.max_lifetime
        self.rows.add(self.row(token, device, roles=[*roles], created_at=now, ends_at=ends_at))
        return token

    def row(self, token: Token, device: Device, *, ends_at: int, **lasting: Any) -> Session:
        """A row to be added; `lasting` is what stays the same in its successors."""
        return self.rows.model(
            *key_of(token),
            last_used_at=self.now(),
            expires_at=token.expires_at,
            client_ip=device.client_ip,
            user_agent=device.user_agent[:_MAX_USER_AGENT],
            ends_at=ends_at,
            ttl=ends_at + _KEPT_SECONDS,
            **lasting,
        )

    def read(self, token: Token, *, refreshing: bool = False) -> Identity:
        """Who a verified token stands for, now or at most `cacheSeconds` ago.

        Raises a Problem (401) for a row that is missing, revoked, refreshed or expired. When
        `refreshing`, one that was refreshed a moment ago will do, and memory will not.
        """
        key = key_of(token)
        if refreshing:
            return _identity(self.find(key, refreshing=True))
        return self._recalled(key) or self._remember(_identity(self.find(key)))

    def find(self, key: Key, *, refreshing: bool = False) -> Session:
        """A row as it is now. Raises a Problem as `read` does."""
        row = self.rows.find(key)
        if row is None or row.revoked_at is not None:
            raise _revoked()
        if row.refreshed_at is not None:
            self._check_grace(row, refreshing)
        if row.expires_at <= self.now():
            raise Problem("session_expired", "The session has expired: sign in again.")
        return row

    def _check_grace(self, row: Session, refreshing: bool) -> None:
        """Of an old token that is used late one of two holders is a thief: end what it became."""
        assert row.refreshed_at is not None
        if self.now() - row.refreshed_at > GRACE_SECONDS:
            self.roster.revoke_all(row.user_id, family=family_of(row))
            self.rows.bury(key_of_row(row), self.now())
            raise _revoked()
        if not refreshing:
            raise Superseded()

    def use(self, who: Identity, token: Token, *, sliding: bool) -> Token | None:
        """Note that a session is in use, now and then, in one write.

        If it is sliding and the token's time is short: a token that lasts longer. A table that
        takes no writes ends nobody's request: the next one tries again.
        """
        now = self.now()
        short = sliding and token.expires_at - now < self._rules.refresh_threshold
        used = who._replace(expires_at=self._extended(who, now)) if short else who
        if now - who.last_used_at >= _USE_NOTED_EVERY:
            used = used._replace(last_used_at=now)
        if used != who and not self._note(who, used, now):
            return None
        longer = short and used.expires_at > token.expires_at
        return token._replace(expires_at=used.expires_at) if longer else None

    def _extended(self, who: Identity, now: int) -> int:
        """When the session expires from now on; the answer that said so before may be lost."""
        if who.expires_at - now >= self._rules.refresh_threshold:
            return who.expires_at
        return max(who.expires_at, min(now + self._rules.ttl, who.ends_at))

    def _note(self, who: Identity, used: Identity, now: int) -> bool:
        model = self.rows.model
        actions, provided = [], model.expires_at > now
        if used.expires_at != who.expires_at:
            actions.append(model.expires_at.set(used.expires_at))
        if used.last_used_at != who.last_used_at:
            actions.append(model.last_used_at.set(now))
            provided &= model.last_used_at <= now - _USE_NOTED_EVERY
        self.forget(who.key)
        with suppress(Problem):
            return self.rows.change(who.key, *actions, provided=provided)
        return False

    def forget(self, key: Key) -> None:
        """Read the row of a session at its next request, whatever `cacheSeconds` allows."""
        if self._rules.cache_seconds:
            self._trusted.put(key, None)

    def _recalled(self, key: Key) -> Identity | None:
        if not (entry := self._trusted.get(key)):
            return None
        who, read_at = entry
        fresh = 0 <= self._clock() - read_at < self._rules.cache_seconds * NANOSECONDS
        return who if fresh and who.expires_at > self.now() else None

    def _remember(self, who: Identity) -> Identity:
        if self._rules.cache_seconds:
            self._trusted.put(who.key, (who, self._clock()))
        return who


def _identity(row: Session) -> Identity:
    return Identity(
        user_id=row.user_id,
        roles=tuple(row.roles),
        session_hash=row.session_id,
        created_at=int(row.created_at),
        expires_at=int(row.expires_at),
        ends_at=int(row.ends_at),
        last_used_at=int(row.last_used_at),
        family=family_of(row),
    )


def _revoked() -> Problem:
    return Problem("session_revoked", "The session has ended: sign in again.")
