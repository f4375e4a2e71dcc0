"""What an answer is held against."""

import json
from collections.abc import Mapping
from typing import NamedTuple


class Seen(NamedTuple):
    """An answer; status 0 where none came. Names of headers are lower-case."""

    status: int
    headers: Mapping[str, str]
    text: str = ""

    @property
    def code(self) -> str:
        """That of the gateway's own refusals, with the policies that were violated."""
        if "problem+json" not in self.headers.get("content-type", ""):
            return ""
        problem = json.loads(self.text)
        violated = ", ".join(problem.get("violated-policies", []))
        return f"{problem['code']} by {violated}" if violated else str(problem["code"])

    @property
    def short(self) -> str:
        return f"{self.status} {self.code}".strip() if self.status else "no answer"


def unlike(expected: str, seen: Seen) -> str:
    """What came instead of `expected` (2xx, or a status and a code); empty when it came."""
    status, _, code = expected.partition(" ")
    if status == "2xx" and 200 <= seen.status < 300:
        return ""
    if status == str(seen.status) and seen.code.startswith(code):
        return ""
    return f"{seen.short}, not {expected}"


def owed(seen: Seen) -> str:
    """What a limited route owes whom it lets pass or refuses, and is missing; empty if nothing."""
    told = seen.headers.get("ratelimit", "")
    if seen.status != 429:
        complete = told and "ratelimit-policy" in seen.headers
        return unlike("2xx", seen) or ("" if complete else "no RateLimit and RateLimit-Policy")
    if not seen.code.startswith("rate_limited by "):
        return f"{seen.short}, not the gateway's own"
    if not seen.headers.get("retry-after", "").isdigit():
        return "429 without Retry-After"
    return "" if ";r=0;" in told else "429 without r=0 in RateLimit"
