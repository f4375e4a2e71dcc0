"""Stacks to describe: one with something of every kind, and any that the checks let pass."""

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from webapp.settings import Policy, Route, SessionSettings, Settings, Upstream
from webapp.settings.checks import mistakes
from webapp.settings.stack import Stack

# What no reader may learn; each stands where only operators look.
CANARIES = (
    "canary-service",
    "canary.internal.example",
    "canary-base",
    "canary-rewrite",
    "X-Canary-Proof",
    "192.0.2.",
    "198.51.100.",
    "203.0.113.",
    "canary-shadow",
    "canary.origin.example",
)


def route(id: str, path: str, *methods: str, **fields: Any) -> Route:
    return Route(id=id, path=path, upstream="canary-service", methods=methods or ("GET",), **fields)


def routes() -> tuple[Route, ...]:
    return (
        route("open", "/open", auth="none"),
        route("item", "/items/{id}", "GET", "PUT", "DELETE", roles=("user", "admin")),
        route("files", "/files/{rest+}", auth="optional", rewrite="/canary-rewrite/{rest}"),
        route("near", "/near", "POST", allow_from=("198.51.100.0/24",), max_body_bytes=1024),
        route("login", "/login", "POST", auth="none", session="issue"),
        route("logout", "/logout", "POST", auth="none", session="end"),
    )


def policy(name: str = "per-ip", key: Any = "ip", **fields: Any) -> Policy:
    return Policy(**{"name": name, "key": key, "limit": 100, "window": 60} | fields)


def stack(**fields: Any) -> Settings:
    service = Upstream(
        url="https://canary.internal.example/canary-base", secret_header="X-Canary-Proof"
    )
    policies = (
        policy(burst=120, exempt=("203.0.113.0/24",)),
        policy("pro", "user", roles=("pro",), limit=5, window=3600),
        policy("canary-shadow", mode="shadow"),
    )
    given = {
        "upstreams": {"canary-service": service},
        "routes": routes(),
        "rate_limits": policies,
        "deny_from": ("192.0.2.0/24",),
    }
    return Settings(**given | fields)


_SEGMENTS = st.sampled_from(["a", "b", "caf\u00e9", "a b", "~:@", "{x}", "{y}", "{x_1}"])
_ENDS = st.sampled_from(["", "/{rest+}", "/{x+}"])
_METHODS = st.lists(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    min_size=1,
    max_size=3,
    unique=True,
)
_ACCESS = st.sampled_from(
    [
        {"auth": "none"},
        {"auth": "none", "session": "issue"},
        {"auth": "none", "session": "end"},
        {"auth": "optional", "max_body_bytes": 0},
        {"auth": "session", "max_body_bytes": 1},
        {"auth": "session", "roles": ("user",)},
        {"auth": "session", "roles": ("user", "a.b:c"), "allow_from": ("198.51.100.0/24",)},
    ]
)
_POLICIES = st.builds(
    Policy,
    name=st.sampled_from(["one", "two", "three"]),
    key=st.sampled_from(["ip", "user", ("session", "route"), ("global",), ("ip", "global")]),
    limit=st.sampled_from([1, 1000]),
    window=st.sampled_from([1, 90, 7200]),
    burst=st.sampled_from([None, 7]),
    roles=st.sampled_from([(), ("pro",)]),
    mode=st.sampled_from(["enforce", "shadow"]),
    on_store_error=st.sampled_from(["open", "closed"]),
)


@st.composite
def _route(draw: st.DrawFn, number: int) -> Route:
    path = "/".join(["", *draw(st.lists(_SEGMENTS, max_size=3, unique=True))]) + draw(_ENDS)
    name = draw(st.sampled_from(["health", "docs", f"r{number}"]))
    return route(f"{name}-{number}", path or "/", *draw(_METHODS), **draw(_ACCESS))


@st.composite
def stacks(draw: st.DrawFn) -> Settings:
    """Of the drawn routes those that the checks of a stack find nothing wrong with."""
    kept: tuple[Route, ...] = ()
    for number in range(draw(st.integers(0, 6))):
        more = (*kept, draw(_route(number)))
        if not list(mistakes(stack(routes=more), Stack())):
            kept = more
    made = stack(
        routes=kept,
        rate_limits=tuple(draw(st.lists(_POLICIES, max_size=3, unique_by=lambda p: p.name))),
        api_docs=draw(st.sampled_from(["public", "session", "off"])),
        edge=draw(st.booleans()),
        admin_role=draw(st.sampled_from(["admin", "root"])),
        session=SessionSettings(cookie_name=draw(st.sampled_from(["__Host-session", "__Host-s"]))),
    )
    assume(not list(mistakes(made, Stack())))
    return made
