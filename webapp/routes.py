"""Routing: which route a method and a path lead to, and which spellings are refused."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from webapp import paths
from webapp.addresses import Address, Networks
from webapp.errors import Problem
from webapp.settings import Route
from webapp.settings.templates import Segment, parse


class Match(NamedTuple):
    """A route and the decoded values of its placeholders."""

    route: Route
    values: Mapping[str, str]


class Entry(NamedTuple):
    """One route, ready to be matched. HEAD follows GET."""

    route: Route
    segments: tuple[Segment, ...]
    methods: frozenset[str]
    allow_from: Networks

    def values(self, segments: list[str]) -> dict[str, str]:
        found = {}
        for i, segment in enumerate(self.segments):
            if segment.kind == "one":
                found[segment.text] = segments[i]
            elif segment.kind == "rest":
                found[segment.text] = "/".join(segments[i:])
        return found

    def allows(self, address: Address | None) -> bool:
        return not self.allow_from or address in self.allow_from


def _entry(route: Route) -> Entry:
    methods = frozenset(route.methods) | ({"HEAD"} if "GET" in route.methods else set())
    return Entry(route, parse(route.path), methods, Networks(route.allow_from))


class Node:
    """What may follow after some segments: a literal before any one segment before any rest.

    `entries` are the routes that end here, `rest` those with a greedy placeholder here.
    """

    def __init__(self) -> None:
        self.literals: dict[str, Node] = {}
        self.look_alikes: dict[str, list[Node]] = {}
        self.one: Node | None = None
        self.rest: list[Entry] = []
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        node = self
        for segment in entry.segments:
            if segment.kind == "rest":
                node.rest.append(entry)
                return
            node = node._child(segment)
        node.entries.append(entry)

    def _child(self, segment: Segment) -> "Node":
        if segment.kind == "literal":
            if segment.text not in self.literals:
                self.literals[segment.text] = child = Node()
                self.look_alikes.setdefault(paths.fold(segment.text), []).append(child)
            return self.literals[segment.text]
        self.one = self.one or Node()
        return self.one

    def find(self, segments: list[str], at: int = 0) -> list[Entry]:
        """The routes of the most specific pattern; each node is visited once at most."""
        if at == len(segments):
            return self.entries
        for child in (self.literals.get(segments[at]), self.one):
            if child and (found := child.find(segments, at + 1)):
                return found
        return self.rest

    def all(self, segments: list[str], at: int = 0) -> Iterator[Entry]:
        """The routes of every pattern that fits, in the order in which `find` looks for one."""
        if at == len(segments):
            yield from self.entries
            return
        for child in (self.literals.get(segments[at]), self.one):
            if child:
                yield from child.all(segments, at + 1)
        yield from self.rest

    def readings(self, segments: list[str], folded: list[str], at: int = 0) -> list[list[Entry]]:
        """What `find` might come to in servers that fold some, all or none of the segments.

        An empty list among them is that nothing was found. Each node is visited once at most.
        """
        if at == len(segments):
            # Such a server may take a greedy pattern's bare prefix for it, or go on looking.
            return [self.entries] if self.entries else [self.rest, []]
        found = [
            reading
            for child in self.look_alikes.get(folded[at], ())
            for reading in child.readings(segments, folded, at + 1)
        ]
        if segments[at] in self.literals and all(found):
            return found
        found += self.one.readings(segments, folded, at + 1) if self.one else [[]]
        return found if all(found) else [*found, self.rest]


class Router:
    """Finds routes by the pattern most specific segment by segment."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = Node()
        for entry in map(_entry, routes):
            self._root.add(entry)

    def find(self, method: str, path: str, address: Address | None) -> Match:
        """Raises a Problem: 404, 403 for an address, 405 with `Allow`, 400 for a look-alike."""
        segments = paths.segments(path)
        found = self._root.find(segments)
        if not found or (paths.reserved(segments) and found[0].route.upstream):
            raise Problem("not_found", "No route leads from this path.")
        serving = _serving(found, method)
        if not any(entry.allows(address) for entry in serving or found):
            raise Problem("forbidden", "This address may not use this route.")
        if not serving:
            allow = ", ".join(sorted(frozenset().union(*(entry.methods for entry in found))))
            detail = "This path does not take this method; Allow lists those that it takes."
            raise Problem("method_not_allowed", detail, headers={"Allow": allow})
        entry = serving[0]
        if self._look_alike(segments, method, entry):
            raise Problem("ambiguous_path", "A server less exact might take this for another path.")
        return Match(entry.route, entry.values(segments))

    def matching(self, path: str) -> list[Route]:
        """All routes whose patterns fit a path, the most specific first; `find` takes no other."""
        return [entry.route for entry in self._root.all(paths.segments(path))]

    def look_alike(self, method: str, path: str) -> Route | None:
        """The stricter route because of which `find` refuses a path as ambiguous, if it does."""
        segments = paths.segments(path)
        serving = _serving(self._root.find(segments), method)
        other = self._look_alike(segments, method, serving[0]) if serving else None
        return other.route if other else None

    def _look_alike(self, segments: list[str], method: str, entry: Entry) -> Entry | None:
        """Also where routes differ in spelling only: the stricter one is found by its own alone."""
        readings = self._root.readings(segments, [paths.fold(s) for s in segments])
        stricter = (
            other
            for found in readings
            for other in _serving(found, method) or found
            if not _admits_all(other, entry)
        )
        return next(stricter, None)


def _serving(entries: list[Entry], method: str) -> list[Entry]:
    return [entry for entry in entries if method in entry.methods]


def _admits_all(other: Entry, entry: Entry) -> bool:
    """Whether `other` refuses none of those whom `entry` admits."""
    theirs, ours = other.route, entry.route
    if not other.allow_from.covers(entry.allow_from):
        return False
    if theirs.auth != "session":
        return True
    if ours.auth != "session":
        return False
    return not theirs.roles or (bool(ours.roles) and set(ours.roles) <= set(theirs.roles))
