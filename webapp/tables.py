"""The two DynamoDB tables, as PynamoDB models bound to one botocore session."""

from collections.abc import Mapping
from contextvars import ContextVar
from functools import cached_property
from typing import Any

import botocore.session
from botocore.client import BaseClient, Config
from botocore.handlers import BUILTIN_HANDLERS
from msgspec import Struct
from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

_READS = frozenset({"GetItem", "Query"})
_TRANSACTED_WRITES = 2

# As the names of botocore's events spell them.
_SERVICES = frozenset({"dynamodb", "secrets-manager", "sts"})


class Usage(Struct):
    """The DynamoDB requests that one call is billed for.

    `errors`: how often the limits had to do without an answer, or were not even asked.
    """

    reads: int = 0
    writes: int = 0
    errors: int = 0


usage: ContextVar[Usage] = ContextVar("usage")


class Session(Model):
    """A signed-in user on one device. Times are seconds since the epoch.

    `session_id` is a hash of the id: whoever reads the table or a backup of it signs in as nobody.
    `family` is the hash of the session that this one was refreshed from at first. A row that was
    refreshed itself has `refreshed_at`, its `successor` (a hash) and the `seed` to derive its id.
    """

    user_id = UnicodeAttribute(hash_key=True)
    session_id = UnicodeAttribute(range_key=True)
    roles: ListAttribute[Any] = ListAttribute()
    created_at = NumberAttribute()
    last_used_at = NumberAttribute()
    expires_at = NumberAttribute()
    ends_at = NumberAttribute()
    revoked_at = NumberAttribute(null=True)
    family = UnicodeAttribute(null=True)
    refreshed_at = NumberAttribute(null=True)
    successor = UnicodeAttribute(null=True)
    seed = UnicodeAttribute(null=True)
    client_ip = UnicodeAttribute()
    user_agent = UnicodeAttribute()
    ttl = NumberAttribute()


class RateCounter(Model):
    """All buckets of one key: an attribute `tat:<policy>` each, nanoseconds since the epoch."""

    rate_limit_key = UnicodeAttribute(hash_key=True)
    ttl = NumberAttribute()


def new_session() -> botocore.session.Session:
    """With botocore's handlers for these services alone: all others take 5 ms of a cold start."""
    session = botocore.session.Session(include_builtin_handlers=False)
    for event, handler, *_ in BUILTIN_HANDLERS:
        _, dot, rest = event.partition(".")
        if not dot or rest.partition(".")[0] in _SERVICES:
            session.register(event, handler)
    return session


class Stores:
    """The botocore session of this container and what is reached through it.

    Clients are made on first use, so that importing the handler touches no network and a health
    check pays for none of them; a second client from one session costs next to nothing.
    """

    def __init__(self, sessions_table: str, rate_limits_table: str, region: str) -> None:
        self.rate_limits_table = rate_limits_table
        self._sessions_table = sessions_table
        self._region = region
        self._session = new_session()

    @cached_property
    def sessions(self) -> type[Session]:
        """The Session model, bound to this container's table and client."""
        return _bound(self._sessions_table, self._client("dynamodb", PATIENT))

    def transaction(self) -> TransactWrite:
        """Writes to the sessions table that are done together or not at all, as a context."""
        return TransactWrite(connection=self.sessions._get_connection().connection)

    @cached_property
    def limits(self) -> BaseClient:
        """The client for the limiter's one write."""
        return self._client("dynamodb", HASTY)

    @cached_property
    def secrets(self) -> BaseClient:
        """The client for Secrets Manager."""
        return self._client("secretsmanager", PATIENT)

    def _client(self, service: str, config: Config) -> BaseClient:
        client = self._session.create_client(
            service, region_name=self._region or None, config=config
        )
        client.meta.events.register("before-parameter-build.dynamodb", _count)
        return client


def _config(*, connect: float, read: float, attempts: int) -> Config:
    return Config(
        connect_timeout=connect,
        read_timeout=read,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        parameter_validation=False,
    )


# botocore's own 60 s and 5 tries would outlast the request. Limits must never slow it down, so
# their store gets no second try.
PATIENT = _config(connect=1, read=2, attempts=2)
HASTY = _config(connect=0.1, read=0.2, attempts=1)


def _count(params: Mapping[str, Any], model: Any, **_: object) -> None:
    counted = usage.get(None)
    if counted is None:
        return
    if model.name in _READS:
        counted.reads += 1
    elif model.name == "TransactWriteItems":
        counted.writes += _TRANSACTED_WRITES * len(params["TransactItems"])
    else:
        counted.writes += 1


def _bound(table_name: str, client: BaseClient) -> type[Session]:
    """PynamoDB offers no way in for a client; without this each model would make its own."""

    class Bound(Session):
        class Meta:
            pass

    Bound.Meta.table_name = table_name  # type: ignore[attr-defined]
    Bound._get_connection().connection._client = client
    return Bound
