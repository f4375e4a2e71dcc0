"""Refresh: a session goes on under a new id, and the old token shows whoever stole it."""

import base64
import hmac
import secrets

from webapp.rows import family_of, store_unavailable
from webapp.sessions import Device, Sessions, key_of
from webapp.settings import SessionSettings
from webapp.tables import Session
from webapp.tokens import Token

# Each lost race and each refresh within the grace takes one; a client that needs more is no client.
_STEPS = 10

# A refreshed row is needed while its token is; this is for clocks that differ.
_KEPT_SECONDS = 3600


def succeeding(seed: str, session_id: str) -> str:
    """The id after this one.

    The seed stands in the old row, the id in the old token, so that neither a backup of the table
    nor a stolen token says what comes next, and no signing key is needed that may be gone by then.
    """
    made = hmac.digest(seed.encode(), session_id.encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


class Refresh:
    def __init__(self, sessions: Sessions, rules: SessionSettings) -> None:
        self._sessions = sessions
        self._rules = rules

    def successor(self, token: Token, device: Device) -> Token:
        """The token in place of a verified one; the same again if its answer was lost.

        Raises a Problem: 401 when the session is over or the token was replaced too long ago, 503.
        """
        given = token
        for _ in range(_STEPS):
            row = self._sessions.find(key_of(token), refreshing=True)
            if row.refreshed_at is not None:
                token = token._replace(session_id=succeeding(row.seed or "", token.session_id))
            elif token is not given:
                return token._replace(expires_at=int(row.expires_at))
            elif replacing := self._replaced(row, token, device):
                return replacing
        raise store_unavailable()

    def _replaced(self, row: Session, token: Token, device: Device) -> Token | None:
        """One transaction: there is exactly one live session before it, after it and without it."""
        now = self._sessions.now()
        seed = secrets.token_urlsafe(32)
        made = Token(
            token.user_id,
            succeeding(seed, token.session_id),
            min(now + self._rules.ttl, int(row.ends_at)),
        )
        model = self._sessions.rows.model
        self._sessions.forget(key_of(token))
        marks = [
            model.refreshed_at.set(now),
            model.successor.set(key_of(made).session_hash),
            model.seed.set(seed),
            model.ttl.set(int(row.expires_at) + _KEPT_SECONDS),
        ]
        row_made = self._sessions.row(
            made,
            device,
            roles=row.roles,
            created_at=row.created_at,
            ends_at=int(row.ends_at),
            family=family_of(row),
        )
        return made if self._sessions.rows.replace(row, marks, row_made) else None
