"""Routes: paths that mean one thing, one route for a request, sign-in where it is safe."""

from collections.abc import Iterator

from webapp.paths import fold, reserved
from webapp.settings.checks.networks import networks, repeated
from webapp.settings.checks.upstreams import is_https
from webapp.settings.gateway import Route, Settings
from webapp.settings.mistakes import Mistake, member, shown, suggestion, top
from webapp.settings.stack import Stack
from webapp.settings.templates import Segment, parse

Shape = tuple[tuple[str, str], ...]


def check(settings: Settings, stack: Stack) -> Iterator[Mistake]:
    ids: dict[str, str] = {}
    taken: dict[tuple[Shape, str], str] = {}
    for index, route in enumerate(settings.routes):
        place = f"{top('routes')}[{index}]"
        if route.id and route.id in ids:
            yield Mistake(member(place, "id"), f"{shown(route.id)} is the id of {ids[route.id]}")
        ids.setdefault(route.id, place)
        yield from _path(route, place, taken)
        yield from _methods(route, place)
        yield from _upstream(route, place, settings)
        yield from _access(route, place)
        yield from _session(route, place, settings)
        yield from _timeout(route, place, stack)


def _path(route: Route, place: str, taken: dict[tuple[Shape, str], str]) -> Iterator[Mistake]:
    try:
        segments = parse(route.path)
    except ValueError as error:
        yield Mistake(member(place, "path"), str(error))
        return
    if own := _reserved(segments):
        yield Mistake(member(place, "path"), f"{own} is reserved for the gateway's own pages")
    yield from _rewrite(route, segments, place)
    yield from _rivals(route, segments, place, taken)


def _reserved(segments: tuple[Segment, ...]) -> str | None:
    """The reserved path that this one is, lies under, or looks like."""
    if not segments or segments[0].kind != "literal":
        return None
    folded = [fold(segment.text) for segment in segments]
    return f"/{folded[0]}" if reserved(folded) else None


def _rewrite(route: Route, segments: tuple[Segment, ...], place: str) -> Iterator[Mistake]:
    if not route.rewrite:
        return
    try:
        target = parse(route.rewrite)
    except ValueError as error:
        yield Mistake(member(place, "rewrite"), str(error))
        return
    names = [segment.text for segment in segments if segment.kind != "literal"]
    for kind, text in target:
        if kind == "rest":
            yield Mistake(member(place, "rewrite"), f"write {{{text}+}} as {{{text}}} here")
        elif kind == "one" and text not in names:
            message = f"the path has no {{{text}}}{suggestion(text, names)}"
            yield Mistake(member(place, "rewrite"), message)


def _rivals(
    route: Route, segments: tuple[Segment, ...], place: str, taken: dict[tuple[Shape, str], str]
) -> Iterator[Mistake]:
    """HEAD follows GET, so a route with GET has it, too."""
    shape = tuple((kind, text if kind == "literal" else "") for kind, text in segments)
    methods = set(route.methods) | ({"HEAD"} if "GET" in route.methods else set())
    rivals = {taken[shape, method] for method in methods if (shape, method) in taken}
    for rival in sorted(rivals):
        shared = sorted(method for method in methods if taken.get((shape, method)) == rival)
        message = f"{rival} matches the same requests ({', '.join(shared)}); separate the methods"
        yield Mistake(member(place, "path"), message)
    for method in methods:
        taken.setdefault((shape, method), f"{place} ({shown(route.path)})")


def _methods(route: Route, place: str) -> Iterator[Mistake]:
    if not route.methods:
        message = "names no method; leave the key out for GET, POST, PUT, PATCH and DELETE"
        yield Mistake(member(place, "methods"), message)
    yield from repeated(route.methods, member(place, "methods"))


def _upstream(route: Route, place: str, settings: Settings) -> Iterator[Mistake]:
    if route.upstream not in settings.upstreams:
        hint = suggestion(route.upstream, settings.upstreams)
        message = f"no upstream named {shown(route.upstream)}{hint}"
        yield Mistake(member(place, "upstream"), message)


def _access(route: Route, place: str) -> Iterator[Mistake]:
    if route.roles and route.auth != "session":
        message = f"needs auth: session (it is {route.auth}): only a session has roles"
        yield Mistake(member(place, "roles"), message)
    yield from repeated(route.roles, member(place, "roles"))
    yield from networks(route.allow_from, member(place, "allowFrom"))


def _session(route: Route, place: str, settings: Settings) -> Iterator[Mistake]:
    if route.session != "issue":
        return
    if route.auth != "none":
        message = f"issue needs auth: none (it is {route.auth}): nobody is signed in yet"
        yield Mistake(member(place, "session"), message)
    upstream = settings.upstreams.get(route.upstream)
    if upstream and not is_https(upstream):
        message = f"issue needs an https url at the upstream {route.upstream}, in any network"
        yield Mistake(member(place, "session"), message)


def _timeout(route: Route, place: str, stack: Stack) -> Iterator[Mistake]:
    if route.timeout is not None and route.timeout > stack.timeout:
        message = f"is longer than the function runs ({stack.timeout} s, {top('timeout')})"
        yield Mistake(member(place, "timeout"), message)
