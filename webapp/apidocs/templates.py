"""Paths as OpenAPI writes them: without `{name+}`, with `/{a}` the same path as `/{b}`."""

from collections.abc import Iterable
from typing import NamedTuple

from webapp import paths
from webapp.apidocs.schemas import Json
from webapp.settings.templates import Segment, parse

Template = tuple[Segment, ...]
Shape = tuple[str, ...]


class Owner(NamedTuple):
    """Who has a place in the description, and by which pattern of the router."""

    template: Template
    pattern: Shape


# What `webapp.paths` refuses in a segment; what NFKC makes of other characters is left out here.
_ANY = r"[^/\\?#;%\u0000-\u001f\u007f-\u009f\ufffd]"
_ONE = rf"[. ]*{_ANY.replace('[^', '[^. ')}{_ANY}*"

_PATTERNS = {"one": f"^{_ONE}$", "rest": f"^{_ONE}(?:/{_ONE})*$"}


def templates(configured: Iterable[str]) -> dict[str, Template]:
    """For each path of a route its segments as the description has them.

    Paths that differ in names only share the first one's. A greedy path whose place another one
    has is what that one leaves to it: one segment more. What is left nothing is not there.
    """
    parsed = {path: parse(path) for path in configured}
    taken: dict[Shape, Owner] = {}
    placed = {
        path: _placed(parsed[path], _pattern(parsed[path]), taken)
        for path in sorted(parsed, key=lambda path: _breadth(parsed[path]))
    }
    return {path: template for path in parsed if (template := placed[path]) is not None}


def _placed(template: Template, pattern: Shape, taken: dict[Shape, Owner]) -> Template | None:
    owner = taken.setdefault(_shape(template), Owner(template, pattern))
    if owner.pattern == pattern:
        return owner.template
    if owner.template[-1].kind == "rest":
        return None
    return _placed(_longer(template), pattern, taken)


def _breadth(segments: Template) -> tuple[bool, int]:
    """What is more specific comes first: greedy paths give way to it."""
    greedy = bool(segments) and segments[-1].kind == "rest"
    return greedy, -len(segments)


def _shape(template: Template) -> Shape:
    return tuple(text if kind == "literal" else "" for kind, text in template)


def _pattern(segments: Template) -> Shape:
    """What the router tells paths apart by."""
    return tuple(text if kind == "literal" else f"{{{kind}}}" for kind, text in segments)


def _longer(template: Template) -> Template:
    *first, rest = template
    names = {segment.text for segment in template}
    number = next(n for n in range(1, len(names) + 2) if f"{rest.text}_{n}" not in names)
    return (*first, Segment("one", f"{rest.text}_{number}"), rest)


def written(template: Template) -> str:
    return "/" + "/".join(
        paths.encode(text) if kind == "literal" else f"{{{text}}}" for kind, text in template
    )


def parameters(template: Template) -> list[Json]:
    return [_parameter(segment) for segment in template if segment.kind != "literal"]


def _parameter(segment: Segment) -> Json:
    parameter: Json = {
        "name": segment.text,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": _PATTERNS[segment.kind]},
        "example": "1",
    }
    if segment.kind == "rest":
        parameter["description"] = "The rest of the path: one segment or more, slashes and all."
        parameter["x-tollgate-greedy"] = True
    return parameter
