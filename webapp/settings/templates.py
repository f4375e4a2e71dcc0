"""Path templates: literal segments, `{name}` for one segment, a last `{name+}` for the rest."""

import re
import unicodedata
from typing import Literal, NamedTuple

from webapp.paths import ambiguity

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(\+?)\}")


class Segment(NamedTuple):
    """A literal and its text, or a placeholder (`one` segment, or the `rest`) and its name."""

    kind: Literal["literal", "one", "rest"]
    text: str


def parse(path: str) -> tuple[Segment, ...]:
    """The segments of a path template; `/` has none. ValueError says what is wrong with it."""
    if reason := ambiguity(path):
        raise ValueError(reason[0].lower() + reason[1:].rstrip("."))
    if path == "/":
        return ()
    if path.endswith("/"):
        raise ValueError("leave the trailing slash out: with and without it is one path")
    segments = tuple(_segment(text) for text in path[1:].split("/"))
    if any(segment.kind == "rest" for segment in segments[:-1]):
        raise ValueError("a {name+} takes the rest of the path, so it must be the last segment")
    named = [segment.text for segment in segments if segment.kind != "literal"]
    for name in named:
        if named.count(name) > 1:
            raise ValueError(f"the name {{{name}}} appears twice")
    return segments


def _segment(text: str) -> Segment:
    if placeholder := _PLACEHOLDER.fullmatch(text):
        name, greedy = placeholder.groups()
        return Segment("rest" if greedy else "one", name)
    if "{" in text or "}" in text:
        raise ValueError(f'"{text}" is neither literal nor a whole {{name}} or {{name+}}')
    if unicodedata.normalize("NFKC", text)[-1] in ". ":
        raise ValueError(f'"{text}" ends with a dot or a space, which some servers cut off')
    return Segment("literal", text)
