"""The two DynamoDB tables, as PynamoDB models bound to one botocore session."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.client import BaseClient, Config
from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

# botocore's own 60 s and 5 tries would outlast the request. Limits must never slow it down, so
# their store gets no second try.
SESSIONS_CONFIG = {"connect_timeout": 1.0, "read_timeout": 2.0, "attempts": 2}
LIMITS_CONFIG = {"connect_timeout": 0.1, "read_timeout": 0.2, "attempts": 1}


_READS = frozenset({"GetItem", "Query"})
_TRANSACTED_WRITES = 2


@dataclass(slots=True)
class Usage:
    """The DynamoDB requests that one call is billed for."""

    reads: int = 0
    writes: int = 0


usage: ContextVar[Usage] = ContextVar("usage")


class Session(Model):
    """A signed-in user on one device. Times are seconds since the epoch.

    `session_id` is a hash of the id: whoever reads the table or a backup of it signs in as nobody.
    """

    user_id = UnicodeAttribute(hash_key=True)
    session_id = UnicodeAttribute(range_key=True)
    roles: ListAttribute[Any] = ListAttribute()
    created_at = NumberAttribute()
    last_used_at = NumberAttribute()
    expires_at = NumberAttribute()
    ends_at = NumberAttribute()
    revoked_at = NumberAttribute(null=True)
    client_ip = UnicodeAttribute()
    user_agent = UnicodeAttribute()
    ttl = NumberAttribute()


class RateCounter(Model):
    """All buckets of one key: an attribute `tat:<policy>` each, nanoseconds since the epoch."""

    rate_limit_key = UnicodeAttribute(hash_key=True)
    ttl = NumberAttribute()


class Stores:
    """The botocore session of this container and what is reached through it.

    Clients are made on first use, so that importing the handler touches no network and a health
    check pays for none of them; a second client from one session costs next to nothing.
    """

    def __init__(self, sessions_table: str, rate_limits_table: str, region: str) -> None:
        self.rate_limits_table = rate_limits_table
        self._sessions_table = sessions_table
        self._region = region
        self._session = botocore.session.get_session()
        self._clients: dict[str, BaseClient] = {}
        self._model: type[Session] | None = None

    def client(self, service: str, config: dict[str, float], purpose: str = "") -> BaseClient:
        """The container's client of a service for one purpose, with its timeouts in seconds."""
        key = purpose or service
        if key not in self._clients:
            self._clients[key] = self._session.create_client(
                service,
                region_name=self._region or None,
                config=Config(
                    connect_timeout=config["connect_timeout"],
                    read_timeout=config["read_timeout"],
                    retries={"total_max_attempts": int(config["attempts"]), "mode": "standard"},
                    parameter_validation=False,
                ),
            )
            self._clients[key].meta.events.register("before-call.dynamodb", _count)
        return self._clients[key]

    @property
    def limits(self) -> BaseClient:
        """The client for the limiter's one write."""
        return self.client("dynamodb", LIMITS_CONFIG, "limits")

    @property
    def sessions(self) -> type[Session]:
        """The Session model, bound to this container's table and client."""
        if self._model is None:
            self._model = _bound(self._sessions_table, self.client("dynamodb", SESSIONS_CONFIG))
        return self._model


def _count(model: Any, params: Any, **_: object) -> None:
    counted = usage.get(None)
    if counted is None:
        return
    if model.name in _READS:
        counted.reads += 1
    elif model.name == "TransactWriteItems":
        counted.writes += _TRANSACTED_WRITES * params["body"].count(b'"Update"')
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
