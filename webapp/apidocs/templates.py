"""Paths as OpenAPI writes them: it knows no `{name+}`, and takes `/{a}` and `/{b}` for one path."""

from collections.abc import Iterable

from webapp import paths
from webapp.apidocs.schemas import Json
from webapp.settings.templates import Segment, parse

Template = tuple[Segment, ...]
Shape = tuple[str, ...]

# What `webapp.paths` refuses in a segment; what NFKC makes of other characters is left out here.
_ANY = r"[^/\\?#;%\u0000-\u001f\u007f-\u009f\ufffd]"
_ONE = rf"[. ]*{_ANY.replace('[^', '[^. ')}{_ANY}*"

_PATTERNS = {"one": f"^{_ONE}$", "rest": f"^{_ONE}(?:/{_ONE})*$"}


def templates(configured: Iterable[str]) -> dict[str, Template]:
    """For each path of a route its segments as the description has them.

    Paths that differ in names only share the first one's. A greedy path whose place another one
    has is what that one leaves to it: one segment more. What is left nothing at all is not there.
    """
    parsed = {path: parse(path) for path in configured}
    found: dict[str, Template] = {}
    taken: dict[Shape, tuple[Template, Shape]] = {}
    # What is more specific comes first: it is what greedy paths give way to.
    for path, segments in sorted(parsed.items(), key=lambda item: _breadth(item[1])):
        template, kinds = segments, _kinds(segments)
        while (shape := _shape(template)) in taken and taken[shape][1] != kinds:
            if taken[shape][0][-1].kind == "rest":
                break
            template = _longer(template)
        else:
            found[path] = taken.setdefault(shape, (template, kinds))[0]
    return {path: found[path] for path in parsed if path in found}


def _breadth(segments: Template) -> tuple[bool, int]:
    greedy = bool(segments) and segments[-1].kind == "rest"
    return greedy, -len(segments)


def _shape(template: Template) -> Shape:
    return tuple(text if kind == "literal" else "" for kind, text in template)


def _kinds(segments: Template) -> Shape:
    """What the router tells patterns apart by."""
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
