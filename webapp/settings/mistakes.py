"""What is wrong with a configuration: each mistake by its place and its remedy."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

NAMESPACE = "tollgate"


class Mistake(NamedTuple):
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Mistakes(Exception):
    """Everything that is wrong, one line each."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def member(place: str, key: object) -> str:
    """The place of one entry of an object."""
    plain = isinstance(key, str) and re.fullmatch(r"[\w-]+", key, re.ASCII)
    return f"{place}.{key}" if plain else f"{place}[{shown(key)}]"


def top(key: object) -> str:
    """The place of a top-level key."""
    plain = isinstance(key, str) and re.fullmatch(r"[\w.-]+", key, re.ASCII)
    return f"{NAMESPACE}:{key if plain else shown(key)}"


def shown(value: object) -> str:
    """A value as a message quotes it: on one line and short."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value if len(value) <= 60 else value[:57] + "...")
        case int() | float():
            return f"{value:.6g}" if abs(value) >= 1e15 else str(value)
        case list() | tuple():
            return "a list"
        case Mapping():
            return "an object"
        case None:
            return "nothing"
    return str(value)[:60]


def suggestion(wrong: object, known: Iterable[str]) -> str:
    """` (did you mean "users"?)`, or nothing where nothing is close."""
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(str(wrong)[:100].casefold(), folded, n=1)
    return f' (did you mean "{folded[close[0]]}"?)' if close else ""
