"""A call: one request on its way through the steps, and what they have found out so far."""

from msgspec import Struct, field

from webapp.events import Request
from webapp.identity import Credential
from webapp.ratelimit import Caller, Decision
from webapp.routes import Match
from webapp.sessions import Device, Identity
from webapp.settings import Route
from webapp.tables import Usage
from webapp.tokens import Token
from webapp.tracing import Trace


class Call(Struct):
    """Mutable on purpose: each step adds its part, the answer and the log line are made of it.

    `started` in nanoseconds of the clock; `remaining` in seconds, None where no platform says.
    `token` is what the credential was verified as, `issued` what a sign-in gave out, `cookie` the
    Set-Cookie line of the answer; `violated` names the policies and guards that refused.
    """

    request: Request
    trace: Trace
    started: int
    remaining: float | None = None
    cold_start: bool = False
    match: Match | None = None
    credential: Credential | None = None
    token: Token | None = None
    identity: Identity | None = None
    cookie: str = ""
    decisions: list[Decision] = field(default_factory=list)
    upstream_status: int | None = None
    upstream_ms: float | None = None
    circuit: str | None = None
    code: str = ""
    violated: list[str] = field(default_factory=list)
    issued: Token | None = None
    usage: Usage = field(default_factory=Usage)

    @property
    def route(self) -> Route:
        assert self.match is not None, "the route is known from the routing step on"
        return self.match.route

    @property
    def caller(self) -> Caller:
        """Whom policies count, as far as the steps have come."""
        who = self.identity
        return Caller(
            address=self.request.address,
            route=self.route.id,
            user=who.user_id if who else "",
            session=who.family if who else "",
            roles=frozenset(who.roles if who else ()),
        )

    @property
    def device(self) -> Device:
        agent = self.request.header("user-agent")
        return Device(str(self.request.address or ""), agent or "")
