"""What the gateway does: the only description of routes, upstreams, policies and sessions.

Names are camelCase outside and snake_case here. Durations are seconds, sizes bytes. The structs
hold shapes, defaults and ranges; what several entries must satisfy together stands in `checks`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Auth = Literal["session", "optional", "none"]
Kind = Literal["ip", "user", "session", "route", "global"]

MAX_BODY_BYTES = 4 * 1024 * 1024

OWN_HEADERS = (
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
    "Tollgate-Session-Token",
    "Tollgate-Session-Expires",
)

Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}\Z",
        description="a name of at most 64 letters, digits, - and _ that begins with a letter",
    ),
]
Role = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_.:-]{1,64}\Z",
        description="a role of at most 64 letters, digits and _.:-",
    ),
]
CookieName = Annotated[
    str,
    Meta(
        pattern=r"^__Host-[A-Za-z0-9_-]{1,48}\Z",
        description="a name that begins with __Host- (it binds the cookie to this host)",
    ),
]
Seconds = Annotated[float, Meta(gt=0, le=29)]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]


class Entry(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A piece of configuration: immutable, strict about unknown keys, camelCase outside."""


class Upstream(Entry, frozen=True):
    url: str
    connect_timeout: Seconds = 2
    timeout: Seconds = 10
    retries: Annotated[int, Meta(ge=0, le=3)] = 1
    allow_insecure: bool = False
    secret_header: str = ""


class Route(Entry, frozen=True):
    id: Name
    path: str
    upstream: Name
    methods: tuple[Method, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE")
    rewrite: str = ""
    auth: Auth = "session"
    roles: tuple[Role, ...] = ()
    session: Literal["", "issue", "end"] = ""
    timeout: Seconds | None = None
    forward_authorization: bool | None = None
    max_body_bytes: Annotated[int, Meta(ge=0, le=MAX_BODY_BYTES)] = MAX_BODY_BYTES
    allow_from: tuple[str, ...] = ()

    @property
    def forwards_authorization(self) -> bool:
        if self.forward_authorization is None:
            return self.auth == "none"
        return self.forward_authorization


class Policy(Entry, frozen=True):
    name: Name
    key: Kind | tuple[Kind, ...]
    limit: Count
    window: Annotated[int, Meta(ge=1, le=31_536_000)]
    burst: Count | None = None
    routes: tuple[Name, ...] | None = None
    roles: tuple[Role, ...] = ()
    exempt: tuple[str, ...] = ()
    mode: Literal["enforce", "shadow"] = "enforce"
    on_store_error: Literal["open", "closed", "local"] = "open"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return (self.key,) if isinstance(self.key, str) else self.key

    @property
    def capacity(self) -> int:
        """How many requests pass at once."""
        return self.limit if self.burst is None else self.burst

    @property
    def by_address_only(self) -> bool:
        """Decided before anyone is identified."""
        return self.kinds == ("ip",) and not self.roles


class SessionSettings(Entry, frozen=True):
    ttl: Annotated[int, Meta(ge=60, le=31_536_000)] = 3600
    max_lifetime: Annotated[int, Meta(ge=60, le=31_536_000)] = 86400
    refresh_threshold: Annotated[int, Meta(ge=0)] = 300
    cookie_name: CookieName = "__Host-session"
    same_site: Literal["Lax", "Strict", "None"] = "Lax"
    cache_seconds: Annotated[int, Meta(ge=0, le=60)] = 0

    @property
    def secure(self) -> bool:
        """False only on a developer's machine, where plain http rules the `__Host-` prefix out."""
        return self.cookie_name.startswith("__Host-")


class SignInGuard(Entry, frozen=True):
    limit: Count = 10
    window: Annotated[int, Meta(ge=1, le=86_400)] = 300


class Cors(Entry, frozen=True):
    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: Annotated[int, Meta(ge=0, le=86_400)] = 0

    @property
    def exposed_headers(self) -> tuple[str, ...]:
        """What pages of other origins may read: the gateway's own headers always."""
        return (*OWN_HEADERS, *self.expose_headers)


class Settings(Entry, frozen=True):
    """The file inside the package: code and configuration are one version of the function."""

    upstreams: dict[Name, Upstream] = {}
    routes: tuple[Route, ...] = ()
    rate_limits: tuple[Policy, ...] = ()
    deny_from: tuple[str, ...] = ()
    session: SessionSettings = SessionSettings()
    sign_in_guard: SignInGuard = SignInGuard()
    cors: Cors = Cors()
    admin_role: Role = "admin"
    api_docs: Literal["public", "session", "off"] = "public"
    # facts of the stack that change what the gateway does
    edge: bool = False
    metrics_by_route: bool = False
    tracing: bool = False
    public_host: str = ""

    @property
    def scheme(self) -> str:
        """How clients reach the gateway."""
        return "https" if self.session.secure else "http"
