import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webapp.builders import event, route
from tests.webapp.builders import settings as stack
from tests.webapp.readings import admits, readings, refuses, under
from webapp.errors import Problem
from webapp.events import Request, normalise
from webapp.forwarding import HOP_BY_HOP, Outgoing, Passport, outgoing
from webapp.local.payload import build_event
from webapp.local.wire import Request as WireRequest
from webapp.routes import Match, Router
from webapp.sessions import Identity
from webapp.settings import Route, Settings, Upstream
from webapp.settings.templates import parse
from webapp.tracing import Trace

TOKEN = "tg_WyJhZGEiLCJjYW5hcnkiXQ." + "Q" * 43
INSIDE, OUTSIDE = "192.0.2.7", "203.0.113.7"

LITERALS = st.sampled_from(["a", "b", "admin", "Admin", "\uff41", "caf\u00e9", "a.b", "~"])
SEGMENTS = st.lists(LITERALS | st.just("{x}"), max_size=3)
ACCESS = st.sampled_from(
    [
        {"auth": "none"},
        {"auth": "optional"},
        {"auth": "session"},
        {"auth": "session", "roles": ("admin",)},
        {"auth": "session", "roles": ("user", "admin")},
        {"auth": "none", "allow_from": ("192.0.2.0/24",)},
    ]
)
METHODS = st.sampled_from([("GET",), ("GET", "POST"), ("POST",)])


@st.composite
def tables(draw: st.DrawFn) -> list[Route]:
    made: dict[tuple[object, ...], Route] = {}
    for i in range(draw(st.integers(1, 6))):
        segments = [s.replace("x", f"x{n}") for n, s in enumerate(draw(SEGMENTS))]
        segments += ["{rest+}"] if draw(st.booleans()) or not segments else []
        names = [s.strip("{+}") for s in segments if s.startswith("{")]
        fields: dict[str, Any] = {"path": "/" + "/".join(segments), "methods": draw(METHODS)}
        if draw(st.integers(0, 3)) == 0:
            rewritten = ["v2", *(f"{{{name}}}" for name in names)]
            fields["rewrite"] = "/" + "/".join(rewritten[draw(st.integers(0, 1)) :])
        key = tuple(s.text if s.kind == "literal" else s.kind for s in parse(fields["path"]))
        made.setdefault(key, route(id=f"r{i}", **fields, **draw(ACCESS)))
    if draw(st.integers(0, 3)):
        made.setdefault(("rest",), route(id="wide", path="/{wide+}", auth="none"))
    return list(made.values())


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def encoded(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


DISGUISES: list[Callable[[str], str]] = [
    *[str] * 40,
    str.upper,
    str.title,
    wide,
    encoded,
    lambda s: encoded(encoded(s)),
    lambda s: encoded(wide(s)),
    lambda s: s + ".",
    lambda s: s + "%20.",
    lambda s: s + "%E2%80%A4",
    lambda s: s + "%E3%80%80",
    lambda s: s + ";v=1",
    lambda s: s + "%3bv",
    lambda s: s + "%2f",
    lambda s: s + "\\",
    lambda s: s + "%5c..",
    lambda s: "x/../" + s,
    lambda s: "x/%2e%2e/" + s,
    lambda s: "x/%252e%252e/" + s,
    lambda s: "./" + s,
    lambda s: "/" + s,
    lambda s: s + "%00",
    lambda s: s + "%ff",
    lambda s: s + "%e2%84%80",
    lambda s: s.replace("s", "\u017f").replace("k", "\u212a"),
]
NAMES = LITERALS | st.sampled_from(["x", "v2", "base", "B", "ADMIN", "sk"])


@st.composite
def targets(draw: st.DrawFn, table: list[Route]) -> str:
    """The path of a route of the table in one disguise or another; as on the wire, in Latin-1."""
    template = parse(draw(st.sampled_from(table)).path)
    names = [s.text if s.kind == "literal" else draw(NAMES) for s in template]
    names += draw(st.lists(NAMES, max_size=1))
    path = "/".join(draw(st.sampled_from(DISGUISES))(name) for name in names)
    query = draw(st.sampled_from(["", "?", "?a=%2F..&b=//", "?x?y"]))
    return f"/{path}{draw(st.sampled_from(['', '', '/']))}{query}".encode().decode("latin-1")


CALLERS = st.tuples(
    st.sampled_from([None, set(), {"user"}, {"admin"}]), st.sampled_from([INSIDE, OUTSIDE])
)
BASES = st.sampled_from(["", "/base", "/b/c/"])


def sent(table: list[Route], target: str, method: str, roles: Any, address: str, base: str) -> Any:
    """The match and what the upstream receives, or None where the gateway refuses."""
    wire = WireRequest(method, target, (("Host", "gw.example"),), client=address)
    request = normalise(build_event(wire, 0))
    try:
        if request.refusal:
            raise request.refusal
        match = Router(table).find(method, request.path, request.address)
    except Problem:
        return None
    if not admits(match.route, roles, address):
        return None
    who = None if roles is None else Identity("ada", tuple(sorted(roles)), "h" * 64, 1, 2)
    upstreams = {"users": Upstream(url=f"https://up.example{base}")}
    passport = Passport(who, Trace("0" * 31 + "1", "0" * 15 + "1", 0, is_new=True), None)
    return match, outgoing(request, match, stack(upstreams=upstreams), passport)


def check_that_no_reading_leads_further(
    table: list[Route], target: str, method: str, caller: tuple[set[str] | None, str], base: str
) -> None:
    made = sent(table, target, method, *caller, base)
    if made is None:
        return
    match, request = made
    path, _, query = request.url.removeprefix("https://up.example").partition("?")
    assert query == target.partition("?")[2]
    asked = quote(unquote(target.partition("?")[0].encode("latin-1")), safe="/!$&'()*+,=:@")
    for reading, spell in readings(asked if match.route.rewrite else path[len(base.rstrip("/")) :]):
        for found in under(table, reading, spell):
            assert not refuses(found, method, *caller), (reading, found)
    for reading, spell in readings(path):
        assert within(reading, spell, base, match), reading


def within(reading: str, spell: Callable[[str], str], base: str, match: Match) -> bool:
    """Whether a reading stays where the route leads: under its base path and its template."""
    template = parse(match.route.rewrite or match.route.path)
    bare = [s for s in base.split("/") if s] + [s.text for s in template if s.kind == "literal"]
    parts = [part for part in reading.split("/") if part]
    names = sum(match.values[s.text].count("/") + 1 for s in template if s.kind != "literal")
    literals = [spell(text) for text in bare]
    return len(parts) == len(bare) + names and all(parts.count(t) for t in literals)


REQUESTS = tables().flatmap(
    lambda table: st.tuples(
        st.just(table), targets(table), st.sampled_from(["GET", "POST"]), CALLERS, BASES
    )
)


@given(REQUESTS)
def test_no_reading_of_a_target_leads_where_the_caller_may_not_go(drawn: tuple[Any, ...]) -> None:
    check_that_no_reading_leads_further(*drawn)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(REQUESTS)
def test_no_reading_of_a_target_leads_where_the_caller_may_not_go_deeply(
    drawn: tuple[Any, ...],
) -> None:
    check_that_no_reading_leads_further(*drawn)


OWNED = [
    "x-user-id",
    "x-user-roles",
    "x-session-id",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "forwarded",
    "x-request-id",
    "traceparent",
    "host",
    "content-length",
    "x-proof",
    "x-other-proof",
    "tollgate-session-user",
    "x-auth-request-user",
    "remote-user",
    "proxy",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method-override",
    "x-method-override",
    "x-http-method",
    "x-user-anything",
    "x-forwarded-anything",
]
PLAIN = ["accept", "x-mine", "authorization", "referer", "content-type", "x-tra.ce"]


def canonical(name: str) -> str:
    """What CGI-like servers make of a name."""
    return re.sub("[^a-z0-9]", "-", name.lower())


@st.composite
def names(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(OWNED + PLAIN + sorted(HOP_BY_HOP)))
    respell = draw(st.sampled_from([str, str.upper, str.title]))
    return str(respell(name.replace("-", draw(st.sampled_from(["-", "-", "_", ".", "!", "'"])))))


VALUES = st.sampled_from(
    ["1", "root", "close, x-user-id, Host,X-Proof", "chunked", f"Bearer {TOKEN}", f"{TOKEN}"]
) | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
COOKIES = st.sampled_from(
    ["a=1", f"__Host-session={TOKEN}", f'__host-Session="{TOKEN}"', f"b={TOKEN}", f"c=x,d={TOKEN}"]
)
EVENTS = st.builds(
    event,
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE"]),
    headers=st.dictionaries(names(), VALUES, max_size=6),
    cookies=st.lists(COOKIES, max_size=3),
    body=st.none() | st.binary(max_size=40),
)
PASSPORTS = st.builds(
    Passport,
    st.none() | st.just(Identity("ada", ("user",), "h" * 64, 1, 2)),
    st.just(Trace("0" * 31 + "1", "0" * 15 + "1", 0, is_new=True)),
    st.sampled_from([None, "p" * 32]),
)
ROUTES = st.builds(
    lambda auth, forward: route(path="/", auth=auth, forward_authorization=forward),
    st.sampled_from(["none", "optional", "session"]),
    st.sampled_from([None, True, False]),
)
PROVEN: Settings = stack(
    upstreams={
        "users": Upstream(url="https://up.example", secret_header="X-Proof"),
        "other": Upstream(url="https://other.example", secret_header="X-Other-Proof"),
    }
)


def wired(request: Request, via: Route, passport: Passport) -> Outgoing:
    return outgoing(request, Match(via, {}), PROVEN, passport)


def check_that_owned_headers_are_the_gateways(
    anything: dict[str, Any], via: Route, passport: Passport
) -> None:
    request = normalise(anything)
    if request.refusal:
        return
    made = wired(request, via, passport)
    plain = wired(request._replace(headers=(), cookies=()), via, passport)
    assert plain.headers.items() <= made.headers.items()
    added = made.headers.keys() - plain.headers.keys()
    assert {canonical(name) for name in added} <= {canonical(n) for n in [*PLAIN, "cookie"]}
    assert not HOP_BY_HOP & made.headers.keys()
    assert TOKEN not in "".join(made.headers.values())
    assert made.body == request.body
    length = made.headers.get("content-length")
    assert length == str(len(made.body)) or (length is None and not made.body)


@given(st.tuples(EVENTS, ROUTES, PASSPORTS))
def test_no_client_header_touches_what_the_gateway_owns(drawn: tuple[Any, ...]) -> None:
    check_that_owned_headers_are_the_gateways(*drawn)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(st.tuples(EVENTS, ROUTES, PASSPORTS))
def test_no_client_header_touches_what_the_gateway_owns_deeply(drawn: tuple[Any, ...]) -> None:
    check_that_owned_headers_are_the_gateways(*drawn)
