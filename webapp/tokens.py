"""Tokens: what a client holds, signed with itsdangerous; they name a user and a session."""

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from itsdangerous import BadData, URLSafeSerializer

from webapp.errors import Problem
from webapp.gcra import NANOSECONDS
from webapp.keys import Keys

PREFIX = "tg_"

# Signing them is what tokens of this kind are for; another purpose gets another salt.
_SALT = b"tollgate.session.1"
_MAX_LENGTH = 2048

# The payload is covered by the signature as text; the signature itself is 32 bytes in 43
# characters, whose last has two idle bits: only the spelling where they are zero is accepted.
_FORM = re.compile(r"\.?[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")


class Token(NamedTuple):
    """`expires_at`: seconds since the epoch."""

    user_id: str
    session_id: str
    expires_at: int


class Tokens:
    """Signs with the current key, verifies with the current one, then the previous."""

    def __init__(self, keys: Keys, clock: Callable[[], int]) -> None:
        self._keys = keys
        self._clock = clock

    def sign(self, token: Token) -> str:
        return PREFIX + str(self._serializer().dumps(list(token)))

    def verify(self, text: str) -> Token:
        """The token that `text` spells. Raises a Problem: 401 `invalid_token`, `session_expired`.

        Without any store: the secret is read once more, at most once a minute, when the signature
        does not match, since it may be of a key that this container has not seen.
        """
        body = text.removeprefix(PREFIX)
        if len(text) > _MAX_LENGTH or body == text or not _FORM.fullmatch(body):
            raise _invalid()
        token = self._load(body)
        if token is None and self._keys.reread():
            token = self._load(body)
        if token is None:
            raise _invalid()
        if token.expires_at * NANOSECONDS <= self._clock():
            raise Problem("session_expired", "The session has expired: sign in again.")
        return token

    def _load(self, body: str) -> Token | None:
        try:
            user_id, session_id, expires_at = self._serializer().loads(body)
        except (BadData, ValueError, TypeError):
            return None
        return Token(user_id, session_id, expires_at)

    def _serializer(self) -> URLSafeSerializer:
        return _serializer(self._keys.secrets().signing)


@lru_cache(maxsize=2)
def _serializer(signing: tuple[str, ...]) -> URLSafeSerializer:
    # itsdangerous signs with the last key of the list and tries them from the last on.
    return URLSafeSerializer(
        [key.encode() for key in reversed(signing)],
        salt=_SALT,
        signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
    )


def _invalid() -> Problem:
    return Problem("invalid_token", "The token is not one of this gateway's.")
