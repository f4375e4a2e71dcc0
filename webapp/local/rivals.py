"""Routes that a request did not come to: those passed over, and those that it nearly meant."""

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from webapp import paths
from webapp.errors import Problem
from webapp.routes import Router
from webapp.settings import Route
from webapp.settings.templates import Segment, parse

_MOST = 3
_CLOSE = 0.6

_RESERVED = "the path is reserved for the gateway's own endpoints"


class PassedOver(NamedTuple):
    route: Route
    reason: str


def choice(routes: Sequence[Route], method: str, path: str) -> Route | None:
    """The route that a request comes to, whomever it refuses then; None for 404 and 405."""
    open_to_all = [replace(route, auth="none", roles=(), allow_from=()) for route in routes]
    try:
        chosen = Router(open_to_all).find(method, path, None).route
    except Problem:
        return None
    return next(route for route in routes if route.id == chosen.id)


def passed_over(router: Router, path: str, chosen: Route | None) -> list[PassedOver]:
    """Whose patterns fit the path, too, and why they do not serve it."""
    matching = router.matching(path)
    reserved = paths.reserved(paths.segments(path))
    return [
        PassedOver(route, _RESERVED if reserved and route.upstream else _reason(matching[0], route))
        for route in matching
        if route != chosen
    ]


def _reason(winner: Route, route: Route) -> str:
    first, second = parse(winner.path), parse(route.path)
    for index, (wins, loses) in enumerate(zip(first, second, strict=False), 1):
        if (wins.kind, _literal(wins)) != (loses.kind, _literal(loses)):
            return (
                f"less specific: segment {index} is {_written(loses)}, and {_written(wins)} goes"
                " before it, whatever the method"
            )
    return f"other methods: {', '.join(route.methods)}"


def _literal(segment: Segment) -> str:
    return segment.text if segment.kind == "literal" else ""


def _written(segment: Segment) -> str:
    plus = "+" if segment.kind == "rest" else ""
    return segment.text if segment.kind == "literal" else f"{{{segment.text}{plus}}}"


def nearest(routes: Iterable[Route], path: str) -> list[Route]:
    """What was meant, perhaps, by a path that no route takes; the closest first."""
    wanted = paths.segments(path)
    close = [(_closeness(route, wanted), route) for route in routes]
    close = sorted((pair for pair in close if pair[0] >= _CLOSE), key=lambda pair: -pair[0])
    return [route for _, route in close[:_MOST]]


def _closeness(route: Route, wanted: Sequence[str]) -> float:
    """As texts, placeholders filled in: paths are case-sensitive, mistakes in them are not."""
    own = [
        segment.text if segment.kind == "literal" else "".join(wanted[index : index + 1])
        for index, segment in enumerate(parse(route.path))
    ]
    mine, theirs = "/".join(own).casefold(), "/".join(wanted).casefold()
    return difflib.SequenceMatcher(None, mine, theirs).ratio()
