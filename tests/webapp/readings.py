"""What servers may take a request target for, and which routes a reading lies under.

Written from the contract's words and without the gateway's own matching, to be held against it.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import chain, combinations
from urllib.parse import quote, unquote

from webapp.addresses import Networks, read
from webapp.settings import Route
from webapp.settings.templates import parse

Step = Callable[[str], str]


def without_dots(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            kept = kept[:-1] or [""]
        elif segment != ".":
            kept.append(segment)
    return "/".join(kept)


def merged(path: str) -> str:
    return re.sub("/+", "/", path)


def without_parameters(path: str) -> str:
    return re.sub(";[^/]*", "", path)


def turned(path: str) -> str:
    return path.replace("\\", "/")


def compatible(path: str) -> str:
    return unicodedata.normalize("NFKC", path)


def trimmed(path: str) -> str:
    return "/".join(segment.rstrip(". ") for segment in path.split("/"))


RESHAPING: list[Step] = [turned, without_parameters, merged, without_dots]
RESPELLING: list[Step] = [compatible, str.casefold, trimmed]
DECODING: list[Step] = [str, unquote, lambda path: unquote(unquote(path))]


def _subsets(steps: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    return chain.from_iterable(combinations(steps, n) for n in range(len(steps) + 1))


def through(steps: Sequence[Step], path: str) -> str:
    return reduce(lambda text, step: step(text), steps, path)


def readings(target: str) -> Iterator[tuple[str, Step]]:
    """Each reading of a path on the wire, and how a server that reads so spells its own paths."""
    seen = set()
    for decode in DECODING:
        for spelling in _subsets(RESPELLING):
            for shape in _subsets(RESHAPING):
                for steps in ((*spelling, *shape), (*shape, *spelling)):
                    path = through(steps, decode(target))
                    if (path, decode is str, spelling) not in seen:
                        seen.add((path, decode is str, spelling))
                        yield path, _spelt(decode is str, spelling)


def _spelt(encoded: bool, spelling: Sequence[Step]) -> Step:
    first: Step = (lambda text: quote(text, safe="!$&'()*+,=:@")) if encoded else str
    return lambda text: through(spelling, first(text))


def under(routes: Sequence[Route], path: str, spell: Step) -> list[list[Route]]:
    """The routes of the most specific pattern; twice where a greedy one's bare prefix matters."""
    wanted = [segment for segment in path.split("/") if segment]
    found = []
    for bare in (False, True):
        ranks = {route.id: _rank(route.path, wanted, spell, bare) for route in routes}
        best = min((rank for rank in ranks.values() if rank is not None), default=None)
        found.append([route for route in routes if best and ranks[route.id] == best])
    return found


def _rank(pattern: str, wanted: list[str], spell: Step, bare: bool) -> tuple[int, ...] | None:
    """By the words of the contract: what wins, compared segment by segment, is the smallest."""
    template = parse(pattern)
    ranks = []
    for i, (kind, text) in enumerate(template):
        if kind == "rest" and (i < len(wanted) or bare):
            return (*ranks, 2)
        if i >= len(wanted) or (kind == "literal" and spell(text) != wanted[i]):
            return None
        ranks.append(0 if kind == "literal" else 1)
    return (*ranks, -1) if len(template) == len(wanted) else None


def refuses(routes: Sequence[Route], method: str, roles: set[str] | None, address: str) -> bool:
    """Whether the routes that a path leads to would turn this caller away."""
    serving = [route for route in routes if method in route.methods]
    return not all(admits(route, roles, address) for route in serving or routes)


def admits(route: Route, roles: set[str] | None, address: str) -> bool:
    if route.allow_from and read(address) not in Networks(route.allow_from):
        return False
    if route.auth != "session":
        return True
    return roles is not None and (not route.roles or bool(roles & set(route.roles)))
