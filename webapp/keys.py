"""The signing keys and upstream secrets, read from Secrets Manager."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from webapp.errors import Problem
from webapp.gcra import NANOSECONDS
from webapp.settings.secrets import weakness
from webapp.tables import Stores

_REREAD_AFTER = 60 * NANOSECONDS

_logger = logging.getLogger("tollgate.keys")


@dataclass(frozen=True)
class Secrets:
    """`signing` is in the order in which keys are tried: the current one, then the previous."""

    signing: tuple[str, ...] = field(repr=False)
    upstreams: Mapping[str, str] = field(repr=False)


class Keys:
    """Reads the secret when it is first needed, and again at most once a minute.

    The secret is always read at its current version: a container that outlives a rotation accepts
    tokens of the new key a minute later at the latest.
    """

    def __init__(self, stores: Stores, secret_arn: str, clock: Callable[[], int]) -> None:
        self._stores = stores
        self._secret_arn = secret_arn
        self._clock = clock
        self._secrets: Secrets | None = None
        self._reread_at: int | None = None

    def secrets(self) -> Secrets:
        """What was read last. Raises a Problem (503) while nothing could be read at all."""
        if self._secrets is None:
            self._read()
        if self._secrets is None:
            raise Problem("signing_key_unavailable", "Credentials cannot be checked at the moment.")
        return self._secrets

    def reread(self) -> bool:
        """Read the secret once more, unless that was done within a minute; whether it changed.

        A container that has only just started may do so at once: the key may be newer still.
        """
        before = self.secrets()
        now = self._clock()
        if self._reread_at is None or now - self._reread_at >= _REREAD_AFTER:
            self._reread_at = now
            self._read()
        return self._secrets != before

    def _read(self) -> None:
        """What is known stays good while Secrets Manager has nothing better."""
        try:
            answer = self._stores.secrets.get_secret_value(SecretId=self._secret_arn)
            self._secrets = _usable(answer["SecretString"])
        except (BotoCoreError, ClientError, KeyError, ValueError) as error:
            _logger.error("the signing secret cannot be used: %s", error)


class _Document(msgspec.Struct):
    """The secret as the stack writes it."""

    current: str
    previous: str | None = None
    upstreams: dict[str, str] | None = None


def _usable(text: str) -> Secrets:
    """Raises a ValueError, which never quotes the secret."""
    document = msgspec.json.decode(text, type=_Document)
    signing = (document.current, *filter(None, [document.previous]))
    for name, key in zip(("signingKey", "previousSigningKey"), signing, strict=False):
        if reason := weakness(key):
            raise ValueError(f"{name} {reason}")
    return Secrets(signing, document.upstreams or {})
