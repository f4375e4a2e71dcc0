"""Request paths: which are refused as ambiguous, which look alike, how one is written again."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import groupby
from urllib.parse import quote

# A decoded path that still holds one of these has several readings behind the gateway. U+FFFD is
# what a decoder leaves of bytes that were not UTF-8.
_REFUSED = re.compile("[\\\\?#;%\x00-\x1f\x7f-\x9f\ufffd\ud800-\udfff]")

# What RFC 3986 lets stand in a segment besides the unreserved characters, less the refused ";".
_SAFE = "/!$&'()*+,=:@"


# No text has more on one letter (UAX #15, stream-safe text); sorting them takes quadratic time.
_MAX_MARKS = 30


def ambiguity(path: str) -> str | None:
    """Why a decoded path is refused, in words for the client; None when it has one reading.

    Checked as it is and in the form that NFKC gives it, since servers that normalise exist.
    """
    if not path.startswith("/"):
        return "The path must start with a slash."
    if path.isascii():
        return _ambiguity(path)
    if any(mark and len(list(run)) > _MAX_MARKS for mark, run in groupby(path, _is_mark)):
        return "The path heaps up combining characters."
    normal = unicodedata.normalize("NFKC", path)
    if normal.count("/") != path.count("/"):
        return "The path holds a character that is read in several ways."
    return _ambiguity(path) or _ambiguity(normal)


def _is_mark(character: str) -> bool:
    return unicodedata.combining(character) > 0


def _ambiguity(path: str) -> str | None:
    if _REFUSED.search(path):
        return "The path holds a character that is read in several ways."
    if path == "/":
        return None
    for segment in path.removesuffix("/").split("/")[1:]:
        if not segment:
            return "The path holds an empty segment."
        if not segment.strip(" ."):
            return "The path holds a segment of dots or spaces only."
    return None


def fold(segment: str) -> str:
    """The form in which lax servers compare a segment: NFKC, case-folded, no dots or spaces behind.

    Folding twice changes nothing: case folding can leave characters that NFKC changes once more.
    """
    while (folded := _fold_once(segment)) != segment:
        segment = folded
    return segment


def _fold_once(segment: str) -> str:
    return unicodedata.normalize("NFKC", segment).casefold().rstrip(" .")


def segments(path: str) -> list[str]:
    """The segments of an unambiguous path; a trailing slash makes no difference."""
    bare = path.strip("/")
    return bare.split("/") if bare else []


def reserved(segments: Sequence[str]) -> bool:
    """Whether the gateway alone answers there, if anyone does."""
    first = segments[0] if segments else ""
    return first in {"auth", "docs", "health"} or list(segments) == ["openapi.json"]


def encode(path: str) -> str:
    """A decoded path as it goes on the wire: UTF-8, percent-encoded, delimiters left alone."""
    return quote(path, safe=_SAFE)
