"""A plan of a load: the requests that a stack's own routes make possible."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from webapp.errors import Problem
from webapp.local.examples import (
    example_path,
    member_roles,
    member_route,
    open_route,
    sign_in,
    stranger_route,
)
from webapp.routes import Router
from webapp.settings import Policy, Settings

# In the place of the user's name in `credentials`.
USER = "USER"

# Everybody here comes from one address; a client in earnest has a minute's worth in a few seconds.
LOCAL_LIMIT, LOCAL_WINDOW = 120, 60

OVER_LIMIT = "over the limit: 429"
FORGED = "forged token: 401"
ENDED = "ended session: 401"
WRONG_ROLE = "wrong role: 403"
UNKNOWN = "unknown path: 404"
AMBIGUOUS = "ambiguous path: 400"

_NOWHERE = "/no-such-path"


class Plan(Struct, kw_only=True):
    """Empty paths are left out; who brings a `token` along shares it, and never signs in or out."""

    url: str = ""
    users: int = 0
    seconds: float = 0
    token: str = ""
    public: str = ""
    read: str = ""
    write: str = ""
    forbidden: str = ""
    unknown: str = ""
    sign_in: str = ""
    sign_out: str = ""
    credentials: str = ""

    @property
    def signs_in(self) -> bool:
        return bool(self.sign_in and self.read and not self.token)

    @property
    def lines(self) -> Iterator[str]:
        """What is asked besides the gateway's own endpoints."""
        if self.public:
            yield f"public route: GET {self.public}"
        if self.signs_in or self.token:
            yield f"read: GET {self.read}"
        if self.write and self.signs_in:
            yield f"write: POST {self.write}"
        if self.signs_in:
            yield f"sign in: POST {self.sign_in} {self.credentials}"
        if self.forbidden and self.signs_in:
            yield f"wrong role: GET {self.forbidden}"

    @property
    def refusals(self) -> Iterator[str]:
        """What must have been refused at least once when all has been asked."""
        yield from (FORGED, AMBIGUOUS)
        if self.unknown:
            yield UNKNOWN
        if self.signs_in:
            yield from (OVER_LIMIT, ENDED)
        if self.forbidden and self.signs_in:
            yield WRONG_ROLE


def planned(settings: Settings) -> Plan:
    """What may be asked of these routes, wherever they are."""
    door, member, public = (
        sign_in(settings, settings.upstreams),
        member_route(settings),
        open_route(settings),
    )
    roles = member_roles(settings) if door else ()
    stranger = stranger_route(settings, roles) if door else None
    return Plan(
        public=example_path(public) if public else "",
        read=example_path(member) if member else "",
        write=_write(settings, roles),
        forbidden=example_path(stranger) if stranger else "",
        unknown="" if _leads_somewhere(settings) else _NOWHERE,
        sign_in=door.path if door else "",
        sign_out=_sign_out(settings),
        credentials=door.body.replace('"ada"', f'"{USER}"') if door else "",
    )


def limited(settings: Settings) -> Settings:
    """With one limit instead of its own: each signed-in caller has it, nobody shares one."""
    door = sign_in(settings, settings.upstreams)
    policy = Policy(
        name="per-user",
        key="user",
        limit=LOCAL_LIMIT,
        window=LOCAL_WINDOW,
        roles=member_roles(settings) if door else (),
    )
    return replace(settings, rate_limits=(policy,))


def _write(settings: Settings, roles: tuple[str, ...]) -> str:
    for route in settings.routes:
        welcome = not route.roles or set(route.roles) & set(roles)
        if "POST" in route.methods and route.auth == "session" and not route.session and welcome:
            return example_path(route)
    return ""


def _sign_out(settings: Settings) -> str:
    ends = (route for route in settings.routes if route.session == "end")
    return next((example_path(route) for route in ends if "POST" in route.methods), "")


def _leads_somewhere(settings: Settings) -> bool:
    try:
        Router(settings.routes).find("GET", _NOWHERE, None)
    except Problem as problem:
        return problem.code != "not_found"
    return True
