"""A request put through the gateway's own steps, while stores and upstreams only take notes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from msgspec.structs import replace

from webapp.authentication import Authentication
from webapp.call import Call
from webapp.counters import Counters, Demand, MemoryCounters, Outcome
from webapp.endpoints import ENDPOINTS
from webapp.errors import Problem
from webapp.events import Request
from webapp.forwarding import Outgoing
from webapp.gateway import Gateway
from webapp.guards import ForgedTokens
from webapp.keys import Keys, Secrets
from webapp.proxy import Proxy
from webapp.ratelimit import Limiter
from webapp.sessions import Identity, Sessions
from webapp.settings import Runtime, Settings, Upstream
from webapp.signin import SignIn
from webapp.tables import Usage
from webapp.tokens import PREFIX, Token, Tokens
from webapp.tracing import Trace

# In the place of what only a real request has.
USER, SESSION, TRACE = "USER", "SESSION", Trace("TRACE", "PARENT", 0, is_new=True)

_NOW = 1_767_225_600 * 10**9
_EXPIRY = 2**40


@dataclass
class Rehearsal:
    """How far a request came; `sent` and `timeout` are what its upstream would see.

    `usage` is what the steps ask of DynamoDB before the gateway's own endpoint or the upstream.
    """

    call: Call
    gateway: Gateway
    refusal: Problem | None = None
    sent: Outgoing | None = None
    timeout: float = 0
    usage: Usage = field(default_factory=Usage)


def rehearse(
    settings: Settings, request: Request, roles: Sequence[str] | None, seconds: int
) -> Rehearsal:
    """What becomes of a request; `roles` are those of its session, None if nobody is signed in.

    `seconds` is how long the function may run. Whoever asks counts as having come by the edge.
    """
    gateway = Gateway(replace(settings, edge=False), Runtime(), _clock, lambda _: None)
    call = Call(_signed_in(request, roles), TRACE, started=_NOW, remaining=seconds)
    rehearsal = Rehearsal(call, gateway)
    _replace_the_world(rehearsal, roles or ())
    try:
        gateway.answer(call)
    except Problem as refusal:
        rehearsal.refusal = refusal
    except _Arrived:
        pass
    return rehearsal


class _Arrived(Exception):
    """The request has passed all steps; what stands behind them is not there."""


def _clock() -> int:
    return _NOW


def _signed_in(request: Request, roles: Sequence[str] | None) -> Request:
    if roles is None:
        return request
    return request._replace(headers=(*request.headers, ("authorization", f"Bearer {PREFIX}x")))


def _replace_the_world(rehearsal: Rehearsal, roles: Sequence[str]) -> None:
    gateway = rehearsal.gateway
    settings = gateway.settings
    gateway.keys = _Keys(settings)
    gateway.limiter = Limiter(
        settings.rate_limits, lambda _: _Counters(rehearsal), MemoryCounters(), _clock
    )
    gateway.authentication = Authentication(
        _Tokens(), _Sessions(rehearsal, tuple(roles)), ForgedTokens(_clock), settings
    )
    gateway.sign_in = _SignIn(rehearsal)
    gateway.proxies = {
        name: _Proxy(upstream, rehearsal) for name, upstream in settings.upstreams.items()
    }


class _Keys(Keys):
    def __init__(self, settings: Settings) -> None:
        names = {name: f"upstreamSecrets.{name}" for name in settings.upstreams}
        self._named = Secrets((), names)

    def secrets(self) -> Secrets:
        """The names of the secrets in their place."""
        return self._named


class _Counters(Counters):
    """Full buckets; several keys are written in one transaction, at twice the price."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal
        self._memory = MemoryCounters()

    def take(self, demands: Sequence[Demand], now: int) -> Outcome:
        self._rehearsal.usage.writes += len(demands) * (2 if len(demands) > 1 else 1)
        return self._memory.take(demands, now)


class _Tokens(Tokens):
    def __init__(self) -> None:
        pass

    def verify(self, _text: str) -> Token:
        return Token(USER, SESSION, _EXPIRY)


class _Sessions(Sessions):
    def __init__(self, rehearsal: Rehearsal, roles: tuple[str, ...]) -> None:
        self._rehearsal = rehearsal
        self._identity = Identity(USER, roles, SESSION, 0, _EXPIRY, family=SESSION)

    def read(self, *_: Any, **__: Any) -> Identity:
        self._rehearsal.usage.reads += 1
        return self._identity

    def use(self, *_: Any, **__: Any) -> None:
        return None


class _SignIn(SignIn):
    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal

    def admit(self, call: Call) -> None:
        """The last step. A success would begin a session, and end the one presented."""
        usage, begins = self._rehearsal.usage, call.route.session == "issue"
        usage.reads += begins
        usage.writes += begins + bool(call.route.session and call.credential)
        if call.route.id in ENDPOINTS:
            raise _Arrived


class _Proxy(Proxy):
    def __init__(self, upstream: Upstream, rehearsal: Rehearsal) -> None:
        super().__init__(upstream, _clock)
        self._rehearsal = rehearsal

    def exchange(self, outgoing: Outgoing, timeout: float) -> NoReturn:
        self._rehearsal.sent, self._rehearsal.timeout = outgoing, timeout
        raise _Arrived
