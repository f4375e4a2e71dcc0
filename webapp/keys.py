"""The signing keys and upstream secrets, read from Secrets Manager."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from webapp.errors import Problem
from webapp.gcra import NANOSECONDS
from webapp.tables import Stores

_CONFIG = {"connect_timeout": 1.0, "read_timeout": 2.0, "attempts": 2}
_REREAD_AFTER = 60 * NANOSECONDS


class Secrets(NamedTuple):
    """`signing` is in the order in which keys are tried: the current one, then the previous."""

    signing: tuple[str, ...]
    upstreams: dict[str, str]


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
        self._read_at = 0

    def secrets(self) -> Secrets:
        """What was read last. Raises a Problem (503) while nothing could be read at all."""
        if self._secrets is None:
            self._secrets = self._read()
        return self._secrets

    def reread(self) -> bool:
        """Read the secret once more, unless that was done within a minute; whether it changed."""
        before = self.secrets()
        if self._clock() - self._read_at < _REREAD_AFTER:
            return False
        # What is known stays good while Secrets Manager is out of reach.
        with suppress(Problem):
            self._secrets = self._read()
        return self._secrets != before

    def _read(self) -> Secrets:
        self._read_at = self._clock()
        try:
            client = self._stores.client("secretsmanager", _CONFIG)
            answer = client.get_secret_value(SecretId=self._secret_arn)
            return _secrets(json.loads(answer["SecretString"]))
        except (BotoCoreError, ClientError, ValueError, KeyError) as error:
            raise Problem(
                "signing_key_unavailable", "Credentials cannot be checked at the moment."
            ) from error


def _secrets(document: dict[str, object]) -> Secrets:
    """`{"current": …, "previous": …, "upstreams": {name: …}}`; the last two may be missing."""
    signing = (document["current"], document.get("previous"))
    upstreams = document.get("upstreams") or {}
    if not isinstance(upstreams, dict):
        raise ValueError("upstreams")
    return Secrets(tuple(str(key) for key in signing if key), dict(upstreams))
